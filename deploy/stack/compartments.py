"""What each role is given: the compartments of the promise, as one table.

On one machine under one uid the roles are kept apart by their environment alone; a role that was
not given a key, a login or a password cannot lose it. Nothing secret of the user's own environment
is passed on, the administrators' addresses of managed services least of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from pydantic import SecretStr

from deploy.env import Env, Role
from deploy.stack import logins
from deploy.stack.credentials import Credentials
from deploy.stack.folders import Folders

BASE = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")
# What the courier alone is given of the user's own secrets.
COURIERS = ("SITTER_WEBHOOK_KEYS", "SITTER_APPLE_KEY")
METRICS = "SITTER_METRICS_TOKEN"
GPU_MACHINE = ("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "LD_LIBRARY_PATH")
# The stack decides these; a value of the user's own would point a role past its compartment.
DECIDED = frozenset(
    {
        *("role", "production", "mail_folder", "secrets_folder"),
        *("s3_endpoint_url", "s3_bucket", "ledger_bucket", "s3_region", "flower_address"),
    }
)
# They are nobody's password: who sends is proved by a signature, whose keys the courier alone has;
# and every copy of a portrait carries what the watermark's key decides.
OPEN = frozenset({"webhook_url", "watermark_key", "apple_url", "google_url"})
SECRET_ENDINGS = ("key", "keys", "secret", "secrets", "password", "token", "url")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# No library may tell its maker that it is used.
SILENT = {"ORT_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
# Python and glibc keep short pieces of freed memory in lists of their own, where nothing overwrites
# them (privacy/memory.py). Without these lists, a name or an address goes like a picture.
FORGETFUL = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
# The gpu role reads weights from its folder alone; the libraries are told not to look elsewhere.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Spinning threads of torch would starve the services that share the cores.
    "OMP_WAIT_POLICY": "PASSIVE",
}


@dataclass(frozen=True)
class Compartment:
    database: bool = False
    broker: bool = True
    s3: bool = False
    mail: bool = False
    web: bool = False
    outside: bool = False
    metrics: bool = False
    flower: bool = False
    keys: tuple[str, ...] = ()


COMPARTMENTS: Mapping[Role, Compartment] = {
    Role.WEB: Compartment(
        database=True, s3=True, mail=True, metrics=True, flower=True, keys=("root",)
    ),
    Role.INTAKE: Compartment(database=True, s3=True, keys=("fleet",)),
    Role.GPU: Compartment(database=True, s3=True, keys=("fleet", "c2pa")),
    Role.UPKEEP: Compartment(database=True, s3=True, mail=True, web=True, keys=("receipt",)),
    Role.KEEPER: Compartment(database=True, s3=True, keys=("root", "evidence")),
    Role.COURIER: Compartment(database=True, outside=True, keys=("grant",)),
    Role.BEAT: Compartment(),
    Role.FLOWER: Compartment(),
    Role.MIGRATOR: Compartment(database=True, broker=False),
}


@dataclass(frozen=True)
class Addresses:
    """Where the three services are, whoever runs them."""

    postgres_admin: str
    broker: str
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    s3_bucket: str
    ledger_bucket: str
    s3_region: str


def environment(
    role: Role,
    *,
    addresses: Addresses,
    folders: Folders,
    credentials: Credentials,
    web: str,
    flower: str,
    inherited: Mapping[str, str],
) -> dict[str, str]:
    allowed = COMPARTMENTS[role]
    env = {name: inherited[name] for name in _passed_on(role) if name in inherited}
    env |= {
        "DJANGO_SETTINGS_MODULE": "deploy.settings",
        "PYTHONUNBUFFERED": "1",
        "SITTER_ROLE": str(role),
        "SITTER_SECRET_KEY": credentials.secret_key(role),
    }
    env |= SILENT | FORGETFUL | (OFFLINE if role is Role.GPU else ONE_THREAD)
    if allowed.database:
        admin = addresses.postgres_admin
        env["SITTER_DATABASE_URL"] = logins.url(admin, role, credentials)
    if allowed.broker:
        env["SITTER_BROKER_URL"] = addresses.broker
    if allowed.s3:
        env |= {
            "SITTER_S3_ENDPOINT_URL": addresses.s3_endpoint,
            "SITTER_S3_ACCESS_KEY": addresses.s3_access_key,
            "SITTER_S3_SECRET_KEY": addresses.s3_secret_key,
            "SITTER_S3_BUCKET": addresses.s3_bucket,
            "SITTER_LEDGER_BUCKET": addresses.ledger_bucket,
            "SITTER_S3_REGION": addresses.s3_region,
        }
    if allowed.mail:
        # The mailbox folder is what stands in for a mail server of the user's own.
        server = inherited.get("SITTER_MAIL_URL")
        name, value = ("MAIL_URL", server) if server else ("MAIL_FOLDER", str(folders.mail))
        env[f"SITTER_{name}"] = value
    if allowed.web:
        env["SITTER_WEB_URL"] = web
    if allowed.outside:
        env |= {name: inherited[name] for name in COURIERS if name in inherited}
    if allowed.metrics and METRICS in inherited:
        env[METRICS] = inherited[METRICS]
    login = f"sitter:{credentials['flower']}"
    if role is Role.FLOWER:
        env["FLOWER_BASIC_AUTH"] = login
    if allowed.flower:
        env |= {"SITTER_FLOWER_ADDRESS": flower, "SITTER_FLOWER_LOGIN": login}
    for name in allowed.keys:
        env[f"SITTER_{name.upper()}_KEYS"] = str(folders.keys(name))
    return env


def _passed_on(role: Role) -> tuple[str, ...]:
    """The user's own settings that any role may see: those that the settings class calls open."""
    return (
        *BASE,
        *(GPU_MACHINE if role is Role.GPU else ()),
        *(f"SITTER_{name.upper()}" for name in Env.model_fields if _is_open(name)),
    )


def _is_open(name: str) -> bool:
    kind = Env.model_fields[name].annotation
    secret = kind is SecretStr or SecretStr in get_args(kind)
    closed = secret or name in DECIDED or name.endswith(SECRET_ENDINGS)
    return name in OPEN or not closed
