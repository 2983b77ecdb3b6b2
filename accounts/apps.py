"""The accounts app: who the user is."""

from django.apps import AppConfig
from django.contrib.auth.password_validation import get_default_password_validators


class AccountsConfig(AppConfig):
    """Registers the app; a list of passwords that cannot be read is seen at the start."""

    name = "accounts"

    def ready(self) -> None:
        """Everything is loaded."""
        get_default_password_validators()
