"""The stack's own passwords: made at the first start, kept in one file of mode 600.

It refuses to make new ones beside a database that was sealed with older ones.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.env import Role
from deploy.stack.confinement import own_folder
from deploy.stack.errors import StackError
from deploy.stack.folders import Folders, write_private

# The member of staff that the stack makes, for the admin.
STAFF = "staff@sitter.example"
NAMES = (
    *("postgres", "migrator", "web", "intake", "gpu", "upkeep", "keeper", "courier"),
    *("broker", "s3_access_key", "s3_secret_key", "s3_internal"),
    *("secret_key", "flower", "admin"),
)


@dataclass(frozen=True, repr=False)
class Credentials:
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def __repr__(self) -> str:
        return "Credentials(<redacted>)"

    def secret_key(self, role: Role) -> str:
        """A signing key of the role's own, so that no worker can sign in the web's name."""
        return hmac.digest(self["secret_key"].encode(), role.encode(), hashlib.sha256).hex()


def load(folders: Folders) -> Credentials:
    path = folders.credentials
    homes = (folders.postgres, own_folder(folders.postgres))
    if path.exists():
        known: dict[str, str] = json.loads(path.read_text("utf-8"))
    elif any((place / "data").exists() for place in homes):
        raise StackError(
            f"{path} is missing, and the database beside it was made with its passwords; "
            "bring it back, or start again with --fresh."
        )
    else:
        known = {}
    values = {name: known.get(name) or secrets.token_urlsafe(30) for name in NAMES}
    if values != known:
        write_private(path, json.dumps(values, indent=1))
    path.chmod(0o600)
    return Credentials(values)
