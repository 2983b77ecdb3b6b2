"""The doctor's door: what keeps Django itself from starting is a finding too.

Settings that are refused, and compartments that are crossed, stop every process of a role before
any command runs; the doctor says which, instead of a traceback.
"""

import json
import sys
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from pydantic import ValidationError

from deploy.doctor.findings import refused, worst
from deploy.doctor.page import lines


def run(arguments: Sequence[str]) -> None:
    """`manage.py doctor …`; raises SystemExit with the status."""
    try:
        execute_from_command_line([*arguments])
    except ValidationError as error:
        # `hide_input_in_errors` keeps the values out of the messages.
        _say([_sentence(fault["loc"], fault["msg"]) for fault in error.errors()], arguments)
    except ImproperlyConfigured as error:
        _say([str(error)], arguments)


def _sentence(place: tuple[int | str, ...], said: str) -> str:
    name = ".".join(str(part) for part in place)
    return f"SITTER_{name.upper()}: {said}." if name else said.removeprefix("Value error, ")


def _say(sentences: Sequence[str], arguments: Sequence[str]) -> None:
    found = list(refused(sentences))
    if "--json" in arguments:
        text = json.dumps({"healthy": False, "findings": [each.as_json() for each in found]})
    else:
        text = "\n".join(lines(found))
    sys.stdout.write(f"{text}\n")
    raise SystemExit(worst(found))
