"""Mail servers as they can be."""

import time
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend


class Slow(BaseEmailBackend):
    """Takes its time."""

    def send_messages(self, email_messages: Any) -> int:
        time.sleep(1.5)
        return len(email_messages)


class Broken(BaseEmailBackend):
    """Is away, and quotes whom it was to write to."""

    def send_messages(self, email_messages: Any) -> int:
        raise OSError(f"no route to {email_messages[0].to}")
