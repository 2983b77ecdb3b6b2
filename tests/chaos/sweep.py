"""The orphan sweep as upkeep runs it, a grace later than now: run once a storm has come to rest."""

from datetime import timedelta


def main() -> None:
    """In the environment of upkeep, with its login and its rights."""
    import django

    django.setup()
    from django.utils import timezone

    from privacy import retention, sweeps

    later = timezone.now() + retention.ORPHAN_GRACE + timedelta(minutes=1)
    sweeps.reap()
    sweeps.reap_orphans(later)


if __name__ == "__main__":
    main()
