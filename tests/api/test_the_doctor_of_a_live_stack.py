"""The doctor finds nothing wrong with a stack that runs, and says no secret of it."""

import json
import re

import pytest

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.deploy.doctoring import doctor

SECRETS = re.compile("url|secret|password|access_key|secret_key", re.IGNORECASE)


@pytest.mark.slow
def test_it_is_healthy_in_the_eyes_of_each_role(live: Stack) -> None:
    # Each costs a start of Django; the others are looked at in tests/deploy.
    roles = [Role.WEB, Role.UPKEEP]
    running = {role: doctor(live.env(role)) for role in roles}
    for role, process in running.items():
        said, complaints = process.communicate(timeout=120)
        report = json.loads(said)
        bad = [each for each in report["findings"] if each["severity"] != "note"]
        assert (str(role), bad, process.returncode) == (str(role), [], 0), complaints[-500:]
        assert report["healthy"] is True
        for secret in secrets(live.env(role)):
            assert secret not in said + complaints


def secrets(env: dict[str, str]) -> list[str]:
    values = [value for name, value in env.items() if SECRETS.search(name) and "://" not in value]
    passwords = [re.findall(r"//[^:/]*:([^@]+)@", value) for value in env.values()]
    return [*values, *(password for found in passwords for password in found)]
