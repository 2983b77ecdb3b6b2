"""The one settings class: every environment variable that Sitter reads, typed and documented.

`deploy/docs/settings.md` and `.env.example` are written from it (`manage.py settings_table`), and
a test compares them. It refuses values of the wrong type at start-up, by name.
"""

import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

ROOT = Path(__file__).resolve().parent.parent


class Role(StrEnum):
    """Which process this is; it decides which keys and which database login it is given."""

    WEB = "web"
    INTAKE = "intake"
    GPU = "gpu"
    UPKEEP = "upkeep"
    KEEPER = "keeper"
    COURIER = "courier"
    BEAT = "beat"
    FLOWER = "flower"
    MIGRATOR = "migrator"


class PortraitFormat(StrEnum):
    """In which form the full size of a portrait is stored."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"


class Env(BaseSettings):
    """Read once, by deploy/settings.py; nothing else reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix="SITTER_",
        extra="ignore",
        frozen=True,
        # A refusal names the setting; it may not quote the passwords that lie beside it.
        hide_input_in_errors=True,
    )

    role: Role = Field(Role.MIGRATOR, description="Which process this is.")
    secrets_folder: Path | None = Field(
        None,
        description="Folder of files, each named like a setting in small letters"
        " (`sitter_secret_key`), that holds its value; what the environment says goes first.",
    )
    production: bool = Field(
        False, description="Switches the strict checks on; the embedded stack refuses to run so."
    )
    debug: bool = Field(False, description="Django's debug pages; refused in production.")
    secret_key: SecretStr = Field(
        SecretStr("unset"), description="Django's signing key, 32 characters or more."
    )
    allowed_hosts: list[str] = Field(
        ["127.0.0.1", "localhost"], description="Host names that the web answers to (JSON list)."
    )
    database_url: SecretStr = Field(
        SecretStr("postgresql://127.0.0.1:5432/sitter"),
        description="PostgreSQL 17 or newer, with the login of this role.",
    )
    database_pool: int = Field(8, ge=1, description="Connections that one process keeps at most.")
    broker_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="Valkey or Redis, for Celery's nudges."
    )
    s3_endpoint_url: str | None = Field(
        None, description="S3 server; empty means AWS in `SITTER_S3_REGION`."
    )
    s3_region: str = Field("us-east-1", description="Region of S3 and of KMS.")
    s3_bucket: str = Field("sitter", description="The bucket of sealed bodies, unversioned.")
    ledger_bucket: str = Field(
        "sitter-ledger",
        description="The bucket of the erasure ledger, which no backup may replace.",
    )
    s3_access_key: SecretStr | None = Field(
        None, description="S3 access key; empty means the machine's own identity."
    )
    s3_secret_key: SecretStr | None = Field(None, description="S3 secret key.")
    kms_endpoint_url: str | None = Field(
        None, description="AWS KMS; empty means the one of `SITTER_S3_REGION`."
    )
    root_keys: str | None = Field(
        None,
        description="Folder, or kms://<bucket>/<prefix>?key=<alias or key id>, of"
        " portrait root keys. Only for the web and the keeper.",
    )
    fleet_keys: str | None = Field(
        None,
        description="Folder, or kms://<bucket>/<prefix>?key=<alias or key id>, of"
        " fleet seeds. Only for the intake and the gpu workers.",
    )
    evidence_keys: str | None = Field(
        None,
        description="Folder, or kms://<bucket>/<prefix>?key=<alias or key id>, of"
        " consent-evidence keys. Only for the keeper.",
    )
    receipt_keys: str | None = Field(
        None,
        description="Folder, or kms://<bucket>/<prefix>?key=<alias or key id>, of"
        " receipt-signing keys. Only for upkeep.",
    )
    compact_hours: float = Field(
        24.0,
        gt=0,
        le=168,
        description="After an erasure, the accounts' tables are rewritten this often at most.",
    )
    web_url: str | None = Field(
        None, description="Where upkeep reaches the web for the daily proof. Only for upkeep."
    )
    processors: list[dict[str, str]] = Field(
        [],
        description="Who outside processes data for you, for the privacy facts: a JSON list of"
        " objects with name, does and region.",
    )
    contact: str = Field(
        "",
        description="Where privacy questions and complaints reach you, for the privacy facts: an"
        " e-mail or web address.",
    )
    build: str = Field("", description="Commit of the code that runs; stands in every receipt.")
    verify_email: bool = Field(
        False,
        description="A new account is used only after the code that was sent to its address. It"
        " also hides whether somebody has an account: without it, a second sign-up is refused.",
    )
    session_idle_days: float = Field(
        14.0,
        gt=0,
        le=30,
        description="A session that nobody uses for so long ends; any session ends after 30 days.",
    )
    admin_host: str = Field(
        "",
        description="A host name of its own for the admin: it then answers there alone, and"
        " nothing else answers there. Empty means the same host as the API.",
    )
    staff_idle_minutes: float = Field(
        30.0,
        ge=2,
        le=480,
        description="A member of staff who does nothing for so long is signed out.",
    )
    staff_hours: float = Field(
        10.0, gt=0, le=24, description="Staff sign in anew after so long, whatever they do."
    )
    flower_address: str = Field(
        "",
        description="Host and port at which the web reaches Flower for the admin's page of it, on a"
        " network of your own; empty means that there is no such page. Only for the web.",
    )
    flower_login: SecretStr | None = Field(
        None, description="Flower's user:password. Only for the web, with SITTER_FLOWER_ADDRESS."
    )
    passkey_domain: str = Field(
        "localhost",
        min_length=1,
        description="The domain that passkeys are bound to. One that is changed makes every passkey"
        " useless; your apps name it in their association files.",
    )
    passkey_origins: list[str] = Field(
        [],
        description="Who else may speak to a passkey than pages of that domain and its subdomains"
        " (JSON list): `android:apk-key-hash:…` of your Android app.",
    )
    apple_clients: list[str] = Field(
        [],
        description="Bundle ids of your apps whose Sign in with Apple counts (JSON list); empty"
        " switches it off. The courier fetches Apple's keys.",
    )
    google_clients: list[str] = Field(
        [],
        description="OAuth client ids that your apps ask Google for tokens of (JSON list); empty"
        " switches it off. The courier fetches Google's keys.",
    )
    apple_url: str = Field(
        "https://appleid.apple.com", description="Where the courier reaches Apple."
    )
    google_url: str = Field(
        "https://www.googleapis.com/oauth2/v3/certs",
        description="Where the courier fetches the keys that Google signs with.",
    )
    apple_team: str = Field(
        "", description="Your team's id at Apple, for revoking Sign in with Apple."
    )
    apple_key_id: str = Field("", description="The id of the key in SITTER_APPLE_KEY.")
    apple_key: SecretStr | None = Field(
        None,
        description="Apple's private key for Sign in with Apple (PEM, a .p8 file's content). With"
        " it, Apple is told of erasures. Only for the courier.",
    )
    grant_keys: str | None = Field(
        None,
        description="Folder, or kms://<bucket>/<prefix>?key=<alias or key id>, of keys that Apple's"
        " tokens are sealed to. Only for the courier, with SITTER_APPLE_KEY.",
    )
    breached_passwords: FilePath | None = Field(
        None,
        description="List of passwords known by breaches, which nobody may choose: sorted SHA-1,"
        " one a line, as the downloader of Have I Been Pwned writes them. Read at the start.",
    )
    mail_folder: Path | None = Field(
        None, description="Local mailbox: outgoing mail is written here instead of being sent."
    )
    mail_url: SecretStr | None = Field(
        None, description="smtp:// or smtps:// address for outgoing mail."
    )
    mail_from: str = Field(
        "sitter@localhost", description="Sender of outgoing mail, as your mail server wants it."
    )
    engines: list[str] = Field(
        ["pocket"], description="Engines that this gpu worker loads (JSON list)."
    )
    weights: Path = Field(
        ROOT / "workers" / "weights", description="Folder of model weights; nothing else is read."
    )
    allow_noncommercial: bool = Field(
        False,
        description="Lets a gpu worker load weights whose licence is not known to allow commercial"
        " use.",
    )
    compiled: Path | None = Field(
        None,
        description="Folder where gpu workers keep what they compiled, theirs alone to write to;"
        " empty means that each start compiles anew.",
    )
    sandbox_strict: bool = Field(
        False, description="Refuse to decode photos where no network barrier can be set up."
    )
    upload_wait_seconds: float = Field(
        8.0, ge=0, le=30, description="How long an upload waits for the face gate's verdict."
    )
    job_start_hours: float = Field(
        6.0, gt=0, le=24, description="A job that has not started by then expires."
    )
    job_end_hours: float = Field(
        24.0, gt=0, le=24, description="Whatever of a job is open by then ends without a portrait."
    )
    item_limit_seconds: float = Field(
        600.0, gt=0, description="One portrait that takes longer to paint is given up."
    )
    engines_loaded: int = Field(
        0, ge=0, description="How many of its engines a gpu worker holds in memory; 0 means all."
    )
    engine_memory_gb: float = Field(
        0.0,
        ge=0,
        description="The most memory, in GB, that a gpu worker's engines may take, on the card or"
        " without one in the machine; 0 means what is free when it starts. One that could not"
        " paint its smallest picture in it is refused.",
    )
    portrait_format: PortraitFormat = Field(
        PortraitFormat.JPEG,
        description="How full portraits are stored where a job does not say: jpeg, webp, avif, or"
        " png, which loses nothing and is several times as large. All but jpeg cost ten times its"
        " processor time.",
    )
    watermark_key: str = Field(
        "sitter",
        min_length=1,
        description="What decides the watermark's pattern; of your own, so that your portraits are"
        " told from others'. Whoever knows it can forge the mark or take it away. A change makes"
        " older portraits unknown.",
    )
    c2pa: bool = Field(
        True,
        description="Sign each portrait's content credentials; `off` lets a gpu worker start in"
        " production without SITTER_C2PA_KEYS.",
    )
    c2pa_keys: Path | None = Field(
        None,
        description="Folder with chain.pem, the signing certificate first, and key.pem (P-256)"
        " unless SITTER_C2PA_KMS. Only for the gpu workers.",
    )
    c2pa_kms: str | None = Field(
        None,
        description="Id or alias of the AWS KMS key (ECC_NIST_P256, SIGN_VERIFY) that signs content"
        " credentials in place of key.pem.",
    )
    c2pa_timestamps: str | None = Field(
        None,
        description="Address of an RFC 3161 timestamp authority, asked once for each rendition;"
        " empty means that none is told of anything.",
    )
    drain_seconds: float = Field(
        20.0,
        ge=1,
        description="A gpu worker that is asked to end finishes what it paints within this time;"
        " what does not end by then goes to another. Kill it no earlier than two seconds later.",
    )
    requests_a_minute: int = Field(
        600,
        ge=0,
        description="Requests of one device, and of one address without a session; a person may "
        "send twice as many, an address of signed-in people ten times. 0: no limit.",
    )
    open_items: int = Field(
        400, ge=1, description="Portraits that one person may have waiting or in work."
    )
    queue_limit: int = Field(
        20_000, ge=1, description="Portraits that may wait in all; beyond, new jobs get a 429."
    )
    upload_queue_limit: int = Field(
        500, ge=1, description="Photos that may wait to be checked; beyond, more get a 429."
    )
    daily_portraits: int = Field(500, ge=1, description="Portraits that a person gets in a day.")
    monthly_portraits: int = Field(
        5000, ge=1, description="Portraits that a person gets in a month."
    )
    webhook_url: str | None = Field(
        None,
        description="Where your systems are told by id what has ended; empty means nowhere."
        " Every role reads it, so it may hold no secret.",
    )
    webhook_keys: list[SecretStr] = Field(
        [],
        description="One or two signing keys of the webhook, `whsec_` and base64 (JSON list);"
        " with two, each message carries a signature of both. Only for the courier.",
    )
    webhook_insecure: bool = Field(
        False, description="Lets the webhook be http://; for development, refused in production."
    )
    webhook_private: bool = Field(
        False,
        description="Lets the webhook be at a private address; for development, refused in"
        " production.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="What Prometheus sends as a bearer token to /metrics, 16 characters or more;"
        " empty means that the address does not exist. Only for the web.",
    )
    log_level: str = Field("INFO", description="Python log level.")
    otlp_endpoint: str | None = Field(
        None,
        description="Where traces go (OTLP over HTTP), such as http://collector:4318; empty means"
        " that none are made. Needs the extra `opentelemetry`.",
    )
    sentry_dsn: str | None = Field(
        None,
        description="Where error reports go: the DSN of a Sentry; empty means nowhere. Needs the"
        " extra `sentry`.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """An environment is shown by `docker inspect` and inherited by children; files are not."""
        folder = os.environ.get("SITTER_SECRETS_FOLDER")
        files = [SecretsSettingsSource(settings_cls, secrets_dir=folder)] if folder else []
        return (init_settings, env_settings, *files)

    @model_validator(mode="after")
    def _refuse_unsafe_production(self) -> "Env":
        if not self.production:
            return self
        if self.debug:
            raise ValueError("SITTER_DEBUG must be false in production.")
        if len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("SITTER_SECRET_KEY must have 32 characters or more in production.")
        if not self.sandbox_strict and self.role is Role.INTAKE:
            raise ValueError("SITTER_SANDBOX_STRICT must be true for the intake in production.")
        for name in ("webhook_insecure", "webhook_private"):
            if getattr(self, name):
                raise ValueError(f"SITTER_{name.upper()} must be false in production.")
        for name in ("apple_url", "google_url"):
            if not getattr(self, name).startswith("https://"):
                raise ValueError(f"SITTER_{name.upper()} must begin with https:// in production.")
        return self
