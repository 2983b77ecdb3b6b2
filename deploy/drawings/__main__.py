"""`python -m deploy.drawings`: write every drawing anew and say which files they are."""

import os
import sys


def main() -> int:
    """Django is set up first, because states lie in models."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    # Nothing is signed here, and no database is asked.
    os.environ.setdefault("SITTER_SECRET_KEY", "unused")
    import django

    django.setup()
    from deploy.drawings import files

    for file in files.write():
        sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
