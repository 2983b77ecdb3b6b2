"""The orphan sweep as upkeep runs it, a grace later than now: asked for by a line of the input.

One process sweeps behind every storm of a run, each time over new lines to the database.
"""

import sys
from datetime import timedelta


def main() -> None:
    """In the environment of upkeep, with its login and its rights, until the end of the input."""
    import django

    django.setup()
    from django.db import connections
    from django.utils import timezone

    from privacy import retention, sweeps

    for _ in sys.stdin:
        # The database may have died since.
        connections.close_all()
        later = timezone.now() + retention.ORPHAN_GRACE + timedelta(minutes=1)
        sweeps.reap()
        sweeps.reap_orphans(later)
        connections.close_all()
        sys.stdout.write("swept\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
