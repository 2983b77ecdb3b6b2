"""`python -m deploy.capacity`: sets Django up, because the queue's numbers lie in its modules."""

import os
import sys


def main() -> int:
    """See cli.py."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    # Nothing is signed here, and no database is asked.
    os.environ.setdefault("SITTER_SECRET_KEY", "unused")
    import django

    django.setup()
    from deploy.capacity import cli  # models are ready only now

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
