"""Flower with what shows something and nothing that does something: `python -m deploy.flower …`.

Flower gives `/metrics` and `/healthcheck` to whoever asks, whatever its password, and its API
stops workers and revokes tasks. Here these addresses do not exist. It lives under /admin/flower/,
where the web passes on what staff with the operator's role ask for (deploy/staff/flower.py).
The arguments are Flower's own.
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import flower.urls
from celery.bin.celery import main as celery

PREFIX: Final = "admin/flower"
# The addresses that are left, as Flower writes them; the last says that there is nothing.
SHOWN: Final = (
    "/", "/workers", "/worker/(.+)", "/task/(.+)", "/tasks", "/tasks/datatable", "/broker",
    "/static/(.*)", ".*",
)  # fmt: skip
# Nothing is kept on a disk, and what is remembered is bounded.
OPTIONS: Final = (
    f"--url_prefix={PREFIX}", "--read_only=True", "--persistent=False", "--max-tasks=5000",
)  # fmt: skip


def pattern(handler: Any) -> str:
    """The address of one of Flower's handlers; some are tuples, some URLSpecs."""
    if isinstance(handler, tuple):
        return str(handler[0])
    return str(handler.regex.pattern).removesuffix("$")


def close_the_rest() -> None:
    """Raises RuntimeError where a newer Flower has moved something that is to be shown."""
    kept = [each for each in flower.urls.handlers if pattern(each) in SHOWN]
    if {pattern(each) for each in kept} != set(SHOWN):
        raise RuntimeError("Flower's addresses have changed; look at deploy/flower.py.")
    # In place: Flower's application reads this very list.
    flower.urls.handlers[:] = kept


def main(arguments: Sequence[str]) -> None:
    """Never comes back."""
    close_the_rest()
    sys.argv = ["celery", "-A", "workers.app", "flower", *OPTIONS, *arguments]
    sys.exit(celery())


if __name__ == "__main__":
    main(sys.argv[1:])
