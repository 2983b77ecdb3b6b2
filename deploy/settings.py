"""Django's settings, all from `deploy.env.Env`; what is not obvious says what it prevents."""

import gc
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config

from deploy import database, logs
from deploy.env import ROOT, Env, Role
from privacy.retention import Term, term

# Starting makes some hundred thousand objects that stay. Looking through all of them again and
# again, and once more at the end, takes longer than making them; so nobody looks until the apps
# are loaded, and then they are set aside (deploy/apps.py).
gc.disable()

ENV = Env()
ROLE = ENV.role

SECRET_KEY = ENV.secret_key.get_secret_value()
DEBUG = ENV.debug
PRODUCTION = ENV.production
ADMIN_HOST = ENV.admin_host
ALLOWED_HOSTS = [*ENV.allowed_hosts, *([ADMIN_HOST] if ADMIN_HOST else [])]
ROOT_URLCONF = "deploy.urls"
ASGI_APPLICATION = "deploy.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
# What people are told is told in these; the sentences of ours are in deploy/locale.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROOT / "deploy" / "locale"]
LOGGING_CONFIG = None
logs.configure(ENV.log_level)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "deploy.staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.socialaccount",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "pgtrigger",
    "accounts",
    "privacy",
    "portraits",
    "deploy",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "deploy.http.PrivateResponses",
    "deploy.staff.hosts.AdminHost",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "deploy.http.RequestId",
    "deploy.versions.Versions",
    "deploy.gate.AfterReplay",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the apps' own: the admin's first page is ours, the rest Unfold's.
        "DIRS": [ROOT / "deploy" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- PostgreSQL ------------------------------------------------------------------------------


DATABASES = {
    "default": database.settings(ENV.database_url.get_secret_value(), ROLE, ENV.database_pool)
}

# --- The broker ------------------------------------------------------------------------------

BROKER_URL = ENV.broker_url.get_secret_value()

# --- S3 --------------------------------------------------------------------------------------


def _bucket(name: str, **options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": ENV.s3_endpoint_url,
            "region_name": ENV.s3_region,
            "access_key": ENV.s3_access_key and ENV.s3_access_key.get_secret_value(),
            "secret_key": ENV.s3_secret_key and ENV.s3_secret_key.get_secret_value(),
            "addressing_style": "path" if ENV.s3_endpoint_url else "auto",
            "querystring_auth": False,
            "default_acl": None,
            "file_overwrite": True,
            **options,
        },
    }


# A request waits for the ledger, so it answers soon or is taken for down.
SOON = Config(
    connect_timeout=2,
    read_timeout=3,
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path" if ENV.s3_endpoint_url else "auto"},
)


# A worker's lease is renewed meanwhile, so it may wait longer; but nothing waits without end.
PATIENT = Config(
    connect_timeout=3,
    read_timeout=10,
    # Standard mode tries again with growing, random pauses: one failure in three is hardly seen.
    retries={"mode": "standard", "total_max_attempts": 3},
    # Bodies are sealed and their sums kept beside their capsules: a checksum in the request proves
    # nothing more. The one module that calls the bucket needs no check of its parameters.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    parameter_validation=False,
    # A name of our own: the library's is put together anew, twice a request, and tells the bucket
    # which system and which Python it runs on.
    user_agent="Sitter",
    s3={
        "addressing_style": "path" if ENV.s3_endpoint_url else "auto",
        # For the same reason the body is not hashed for the signature: TLS keeps it on its way, and
        # whoever reads it has its sum.
        "payload_signing_enabled": False,
    },
)


STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
    "sealed": _bucket(ENV.s3_bucket, client_config=PATIENT),
    "ledger": _bucket(ENV.ledger_bucket, client_config=SOON),
}

# --- Uploads never touch a disk in clear ------------------------------------------------------

UPLOAD_MAX_BYTES = 15_000_000
UPLOAD_WAIT_SECONDS = ENV.upload_wait_seconds
# Django's ASGI handler spools a body to a temporary file once it outgrows this number, so the
# number lies above the largest body that deploy/asgi.py lets in.
BODY_MAX_BYTES = UPLOAD_MAX_BYTES + 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = BODY_MAX_BYTES + 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 256_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- Keys: a role gets what its compartment allows, as a folder or under KMS, and no other ------

S3_REGION = ENV.s3_region
KMS_ENDPOINT_URL = ENV.kms_endpoint_url
ROOT_KEYS: str | None = ENV.root_keys
FLEET_KEYS: str | None = ENV.fleet_keys
EVIDENCE_KEYS: str | None = ENV.evidence_keys
RECEIPT_KEYS: str | None = ENV.receipt_keys
GRANT_KEYS: str | None = ENV.grant_keys

# --- The daily proof and the receipts ----------------------------------------------------------

VERSION = "0.2.0"
BUILD = ENV.build
WEB_URL = ENV.web_url
COMPACT_EVERY = timedelta(hours=ENV.compact_hours)
PROCESSORS = ENV.processors
CONTACT = ENV.contact

# --- Workers ---------------------------------------------------------------------------------

ENGINES = ENV.engines
WEIGHTS = ENV.weights
ALLOW_NONCOMMERCIAL = ENV.allow_noncommercial
COMPILED = ENV.compiled
SANDBOX_STRICT = ENV.sandbox_strict
JOB_START_LIMIT = timedelta(hours=ENV.job_start_hours)
JOB_END_LIMIT = timedelta(hours=ENV.job_end_hours)
ITEM_LIMIT = timedelta(seconds=ENV.item_limit_seconds)
ENGINES_LOADED = ENV.engines_loaded
ENGINE_MEMORY = ENV.engine_memory_gb * 1e9
PORTRAIT_FORMAT = str(ENV.portrait_format)
WATERMARK_KEY = ENV.watermark_key
C2PA = ENV.c2pa
C2PA_KEYS = ENV.c2pa_keys
C2PA_KMS = ENV.c2pa_kms
C2PA_TIMESTAMPS = ENV.c2pa_timestamps
DRAIN_LIMIT = timedelta(seconds=ENV.drain_seconds)
REQUESTS_A_MINUTE = ENV.requests_a_minute
OPEN_ITEMS = ENV.open_items
QUEUE_LIMIT = ENV.queue_limit
UPLOAD_QUEUE_LIMIT = ENV.upload_queue_limit
DAILY_PORTRAITS = ENV.daily_portraits
MONTHLY_PORTRAITS = ENV.monthly_portraits
WEBHOOK_URL = ENV.webhook_url
WEBHOOK_KEYS = [key.get_secret_value() for key in ENV.webhook_keys]
WEBHOOK_INSECURE = ENV.webhook_insecure
WEBHOOK_PRIVATE = ENV.webhook_private

# --- Metrics -----------------------------------------------------------------------------------

METRICS_TOKEN = ENV.metrics_token.get_secret_value() if ENV.metrics_token else None

# --- Traces and error reports, both made from log lines ----------------------------------------

OTLP_ENDPOINT = ENV.otlp_endpoint
SENTRY_DSN = ENV.sentry_dsn

# --- Accounts --------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "django.contrib.auth.password_validation.MinimumLengthValidator",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
        "accounts.passwords.ProductWordsValidator",
    )
]
if ENV.breached_passwords:
    AUTH_PASSWORD_VALIDATORS.append(
        {
            "NAME": "accounts.passwords.BreachedPasswordValidator",
            "OPTIONS": {"file": ENV.breached_passwords},
        }
    )
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = int(term(Term.SESSION).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
# Only the admin has cookies. A browser takes a name that begins so over TLS alone, and gives it to
# no other host.
SESSION_COOKIE_NAME = "__Host-session" if PRODUCTION else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
HEADLESS_SERVE_SPECIFICATION = False
# Where letters send people who have no app at hand; codes are typed, so no address holds one.
HEADLESS_FRONTEND_URLS = {"account_reset_password": "/try/", "account_signup": "/try/"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
SESSION_IDLE = timedelta(days=ENV.session_idle_days)
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if ENV.verify_email else "none"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ENV.verify_email
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
MFA_ADAPTER = "privacy.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Sitter"
# allauth remembers a used code for 30 seconds only, so one may be good for no longer.
MFA_TOTP_TOLERANCE = 0
# Where addresses are verified, nobody gets as far as this without having done so.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Not unchecked: accounts/factors.py looks at origins, because allauth knows no apps.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
STAFF_IDLE = timedelta(minutes=ENV.staff_idle_minutes)
STAFF_AGE = timedelta(hours=ENV.staff_hours)
FLOWER_ADDRESS = ENV.flower_address
FLOWER_LOGIN = ENV.flower_login.get_secret_value() if ENV.flower_login else ""
PASSKEY_DOMAIN = ENV.passkey_domain
PASSKEY_ORIGINS = ENV.passkey_origins
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
PROVIDERS = {"apple": ENV.apple_clients, "google": ENV.google_clients}
APPLE_URL = ENV.apple_url
GOOGLE_URL = ENV.google_url
APPLE_TEAM = ENV.apple_team
APPLE_KEY_ID = ENV.apple_key_id
APPLE_KEY = ENV.apple_key.get_secret_value() if ENV.apple_key else ""
# allauth's limiter counts in the cache, by address: with a cache per process it would promise
# more than it holds, so the cache is shared.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": BROKER_URL,
        "KEY_PREFIX": "cache",
    }
}
EMAIL_BACKEND = (
    "django.core.mail.backends.filebased.EmailBackend"
    if ENV.mail_folder
    else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_FILE_PATH = ENV.mail_folder
DEFAULT_FROM_EMAIL = ENV.mail_from
# A mail server that hangs must not hold up the sweeps.
EMAIL_TIMEOUT = 10
if ENV.mail_url:
    _mail = urlsplit(ENV.mail_url.get_secret_value())
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.username or "", _mail.password or ""
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp"

# --- The API ---------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SessionTokenAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["privacy.api.throttle.Throttle"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "deploy.http.Page",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "deploy.http.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Sitter",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "AI portraits in which your face is a guest, never a resident.",
    "SERVE_PUBLIC": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        # Items have the same states, and one set of choices can have one name only.
        "JobState": "portraits.models.Job.State",
        "PhotoState": "portraits.models.Photo.State",
        "ErasureStage": "privacy.models.Erasure.Stage",
        "ErasureScope": "privacy.models.Erasure.Scope",
        "ErasureWhole": "privacy.serializers.WHOLE",
        "Provider": "accounts.by_token.PROVIDERS",
        "BlobKind": "privacy.models.Blob.Kind",
        "Shape": "portraits.serializers.SHAPES",
        "Purpose": "privacy.models.ConsentDocument.Purpose",
        "FaceClaimState": "privacy.models.FaceClaim.State",
        "OutcomeEnum": "portraits.outcomes.OUTCOMES",
        "RequestKind": "privacy.models.Case.Kind",
        "RequestAskable": "privacy.desk.serializers.ASKABLE",
        "RequestIdentity": "privacy.models.Case.Identity",
        "RequestOutcome": "privacy.models.Case.Outcome",
        "RenditionName": "portraits.list_serializers.SIZES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "deploy.openapi.add_errors",
        "deploy.contract.document.complete",
    ],
}

# --- Pages -----------------------------------------------------------------------------------

STATIC_URL = "/static/"
# A folder for collectstatic in production; elsewhere files are served from where they lie.
STATIC_ROOT = ROOT / "var" / "static" if PRODUCTION else None
WHITENOISE_USE_FINDERS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "no-referrer"
X_FRAME_OPTIONS = "DENY"
UNFOLD = {
    "SITE_TITLE": "Sitter",
    "SITE_HEADER": "Sitter",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "deploy.staff.dashboard.context",
    "SIDEBAR": {"navigation": "deploy.staff.navigation.sidebar"},
    "ACCOUNT": {"navigation": "deploy.staff.navigation.account"},
}

if ROLE is Role.WEB and PRODUCTION:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
