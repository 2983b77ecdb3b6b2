#!/usr/bin/env python
"""Django's command line for Sitter."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    if sys.argv[1:2] == ["doctor"]:
        from deploy.doctor import entry  # it tells even what keeps Django from starting

        entry.run(sys.argv)
    else:
        execute_from_command_line(sys.argv)
