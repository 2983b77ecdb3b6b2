"""One of manage.py's commands beside a running stack, with a role's own environment.

What the commands of the documentation need on a desk: each says as which role it is run, and a
role's login and key folders are known to the supervisor alone.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from typing import cast

from deploy.env import ROOT, Role
from deploy.stack import compartments, credentials, managed, roles, state
from deploy.stack.errors import StackError
from deploy.stack.folders import Folders
from deploy.stack.ports import Ports
from deploy.stack.services import Services


def environment(folders: Folders, role: Role) -> dict[str, str]:
    """What a process of this role has. Raises StackError where no stack runs."""
    running = state.read(folders)
    if running is None:
        raise StackError(f"No stack runs on {folders.data}; start one with `make up`.")
    # As they were written: the class itself would look for ports that are free.
    ports = cast(Ports, json.loads((folders.data / "ports.json").read_text("utf-8")))
    known = credentials.load(folders)
    services = Services(folders, ports, known, managed.read(os.environ))
    return compartments.environment(
        role,
        addresses=services.addresses,
        folders=folders,
        credentials=known,
        web=running["web"],
        flower=running["flower"],
        inherited=os.environ,
    )


def manage(folders: Folders, role: Role, argv: Sequence[str]) -> int:
    """Run the command; its status is the command's."""
    command = [roles.PYTHON, "manage.py", *argv]
    env = environment(folders, role)
    return subprocess.run(command, env=env, cwd=ROOT, check=False).returncode
