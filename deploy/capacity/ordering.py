"""Somebody who orders, for the calibration: submits jobs as the web does, each as a new person.

A line in is how many portraits of a style that takes no photo; a line out is that it was taken.
Started as a program beside an embedded stack, with the web's settings; and once before, with the
name of an engine and the migrator's settings, to publish that style.
"""

import sys
import uuid
from collections.abc import Sequence
from typing import Final

STYLE: Final = "calibration"
SIDE: Final = 1024


def main(arguments: Sequence[str]) -> None:
    """Publish for an engine, or order until the input ends."""
    import django

    django.setup()
    if arguments:
        publish(*arguments)
    else:
        order()


def publish(engine: str) -> None:
    """A style that takes no photo, painted by this engine."""
    from portraits.models import Style
    from portraits.recipes import Recipe

    recipe = Recipe(STYLE, SIDE, SIDE, references=0, face_gate="off")
    Style.objects.create(slug=STYLE, name=STYLE, engine=engine, recipe=recipe.as_json())


def order() -> None:
    """Each line, as it comes."""
    from django.utils import timezone

    from accounts.models import User
    from portraits import jobs

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        email = f"{uuid.uuid4().hex}@example.org"
        who = User.objects.create(email=email, password="!", is_adult=True)  # noqa: S106
        orders = [jobs.Order(STYLE)] * int(line)
        jobs.submit(who.pk, None, orders, uuid.uuid4().hex, timezone.now())
        sys.stdout.write("taken\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
