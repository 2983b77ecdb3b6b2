"""The accounts app: who the user is."""

from django.apps import AppConfig
from django.contrib.auth.password_validation import get_default_password_validators


class AccountsConfig(AppConfig):
    """A list of passwords that cannot be read is seen at the start; sign-ins are heard of."""

    name = "accounts"

    def ready(self) -> None:
        """Everything is loaded."""
        from accounts import signing_in  # allauth's models are ready only now

        get_default_password_validators()
        signing_in.listen()
