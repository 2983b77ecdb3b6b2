"""Somebody who orders, for the calibration: submits jobs as the web does, each as a new person.

A line in is how many portraits of a style that takes no photo; a line out is that it was taken.
Started as a program beside an embedded stack, with the web's settings.
"""

import sys
import uuid

STYLE = "calibration"


def main() -> None:
    """Until its input ends."""
    import django

    django.setup()
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
    main()
