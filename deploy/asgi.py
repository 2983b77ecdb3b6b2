"""The web process: Django behind bounds on every body and every wait (deploy/bounds.py).

Django's ASGI handler spools a body to a temporary file once it outgrows a setting; the bound
lies below that setting, so that no byte of an upload ever touches a disk in clear.
"""

import os
import resource
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from deploy.bounds import Bounded
from deploy.forgetting import Forgetting
from privacy import memory

# A core file would hold opened keys and pictures.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
memory.overwrite_freed()

_django: Any = get_asgi_application()
# An answer lies in memory whole, so it goes to the server whole: cut into pieces of 64 kB, it would
# be copied once more.
_django.chunk_size = settings.BODY_MAX_BYTES

from deploy import quick, start  # noqa: E402 - what they look at exists only now

start.with_keys()
start.warm()
application = Forgetting(Bounded(quick.Quick(_django), settings.BODY_MAX_BYTES))
# Who runs it (deploy/server.py) calls this before it ends.
application.send_off = quick.send_off
memory.settle()
