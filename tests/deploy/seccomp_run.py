"""Runs a program under a Docker seccomp profile, as a container runtime would: PROFILE PROGRAM …

The kernel gets the filter from libseccomp, which runc uses too. Loads nothing of ours.
"""

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

LIBRARY: Final = "libseccomp.so.2"
PR_SET_NO_NEW_PRIVS: Final = 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
OPERATORS: Final = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}


class Compared(ctypes.Structure):
    """libseccomp's scmp_arg_cmp."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    ]


def load(profile: dict[str, Any]) -> None:
    """From here on this process and its children live under it."""
    library = ctypes.CDLL(LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    default = ERRNO | profile["defaultErrnoRet"]
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(default)))
    for rule in profile["syscalls"]:
        allowed = rule["action"] == "SCMP_ACT_ALLOW"
        action = ctypes.c_uint32(ALLOW if allowed else ERRNO | rule["errnoRet"])
        compared = [
            Compared(one["index"], OPERATORS[one["op"]], one["value"], one.get("valueTwo", 0))
            for one in rule.get("args", [])
        ]
        array = (Compared * len(compared))(*compared)
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            # Some calls exist on one machine and not on another; a runtime leaves those out too.
            if number >= 0:
                added = library.seccomp_rule_add_array(
                    context, action, number, len(compared), array
                )
                assert added == 0, (name, added)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    load(json.loads(Path(sys.argv[1]).read_text()))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - what a container runtime does
