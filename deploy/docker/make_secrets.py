"""Makes each secret of the compose file, once: `sudo python3 deploy/docker/make_secrets.py FOLDER`.

One folder a service, which is mounted into that service alone: what a role was not given it cannot
lose. It needs Python and openssl, and nothing of ours. It refuses a folder that holds something,
because new passwords would lock out what was made with the old ones.
"""

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

# Role → what it is given: (database, broker, S3).
ROLES = {
    "migrator": (True, False, False),
    "web": (True, True, True),
    "intake": (True, True, True),
    "gpu": (True, True, True),
    "upkeep": (True, True, True),
    "keeper": (True, True, True),
    "courier": (True, True, False),
    "beat": (False, True, False),
    "flower": (False, True, False),
}
# The users inside the images: ours, and those of PostgreSQL's and Valkey's.
OURS, POSTGRES, VALKEY = 10001, 999, 999
BUCKETS = ("sitter", "sitter-ledger")
CA = "ca.crt"


def password() -> str:
    """Of letters and digits, so that it needs no quoting in an address."""
    return secrets.token_hex(24)


def write(folder: Path, name: str, text: str, uid: int) -> None:
    """For one user's eyes only."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / name
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as body:
        body.write(text)
    if os.geteuid() == 0:
        os.chown(folder, uid, uid)
        os.chown(file, uid, uid)


def make(root: Path) -> None:
    """Everything, in an empty folder."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(root.iterdir()):
        raise SystemExit(f"{root} holds something already; nothing was changed.")
    logins = {role: password() for role, (database, _, _) in ROLES.items() if database}
    brokers = {role: password() for role, (_, broker, _) in ROLES.items() if broker}
    buckets = {role: (password()[:20], password()) for role, (_, _, s3) in ROLES.items() if s3}
    authority = certificates(root / "postgres")
    write(root / "postgres", "password", password(), POSTGRES)
    write(root / "postgres", "logins.sql", sql(logins), POSTGRES)
    write(root / "valkey", "users.acl", acl(brokers), VALKEY)
    write(root / "s3", "s3.json", json.dumps(identities(buckets), indent=2), OURS)
    write(root / "s3", "security.toml", inner(), OURS)
    flower = f"sitter:{password()}"
    write(root / "flower", "flowerconfig.py", f"basic_auth = ['{flower}']\n", OURS)
    write(root / "web", "sitter_flower_login", flower, OURS)
    for role in ROLES:
        own = root / role
        write(own, "sitter_secret_key", secrets.token_urlsafe(48), OURS)
        if role in logins:
            query = "?sslmode=verify-full&sslrootcert=/run/secrets/sitter/ca.crt"
            url = f"postgresql://sitter_{role}:{logins[role]}@postgres:5432/sitter{query}"
            write(own, "sitter_database_url", url, OURS)
            write(own, CA, authority, OURS)
        if role in brokers:
            write(own, "sitter_broker_url", f"redis://{role}:{brokers[role]}@valkey:6379/0", OURS)
        if role in buckets:
            access, secret = buckets[role]
            write(own, "sitter_s3_access_key", access, OURS)
            write(own, "sitter_s3_secret_key", secret, OURS)


def sql(logins: dict[str, str]) -> str:
    """The logins and the database, as deploy/stack/logins.py makes them."""
    made = [f"CREATE ROLE sitter_{role} LOGIN PASSWORD '{one}';" for role, one in logins.items()]
    entered = ", ".join(f"sitter_{role}" for role in logins)
    return "\n".join(
        [
            *made,
            "CREATE DATABASE sitter OWNER sitter_migrator;",
            "REVOKE ALL ON DATABASE sitter, postgres, template1 FROM PUBLIC;",
            f"GRANT CONNECT ON DATABASE sitter TO {entered};",
            "\\connect sitter",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
            "",
        ]
    )


def acl(brokers: dict[str, str]) -> str:
    """A user a role, and none that is nobody. INFO is for the doctor; nobody empties it."""
    lines = ["user default off"]
    for role, one in brokers.items():
        digest = hashlib.sha256(one.encode()).hexdigest()
        lines.append(f"user {role} on #{digest} ~* &* +@all -@admin -@dangerous +info")
    return "\n".join(lines) + "\n"


def identities(buckets: dict[str, tuple[str, str]]) -> dict[str, object]:
    """An identity a role, for two buckets; nobody anonymous."""
    actions = [f"{verb}:{bucket}" for bucket in BUCKETS for verb in ("Read", "Write", "List")]
    return {
        "identities": [
            {
                "name": role,
                "credentials": [{"accessKey": access, "secretKey": secret}],
                "actions": actions,
            }
            for role, (access, secret) in buckets.items()
        ]
    }


def inner() -> str:
    """With these keys the S3 server's inner ports answer only what it has signed itself."""
    sections = ("signing", "signing.read", "filer_signing", "filer_signing.read")
    key = password()
    return "".join(f'[jwt.{section}]\nkey = "{key}"\n' for section in sections)


def certificates(folder: Path) -> str:
    """PostgreSQL's certificate and its authority, whose private half is forgotten at once."""
    folder.mkdir(mode=0o700)
    authority = folder / "ca.key"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    more = ["-nodes", "-days", "3650"]
    run([*new, *more, "-subj", "/CN=sitter", "-keyout", str(authority), "-out", str(folder / CA)])
    leaf = ["-subj", "/CN=postgres", "-addext", "subjectAltName=DNS:postgres"]
    signed = ["-CA", str(folder / CA), "-CAkey", str(authority)]
    to = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    run([*new, *more, *leaf, *signed, *to])
    authority.unlink()
    for file in folder.iterdir():
        file.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(file, POSTGRES, POSTGRES)
    return (folder / CA).read_text()


def run(command: list[str]) -> None:
    """Quietly, or with what it says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"openssl refused: {done.stderr[-300:]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    make(parser.parse_args().folder)
    if os.geteuid():
        sys.stderr.write("Run as root, it would have given each file to its service's user.\n")
