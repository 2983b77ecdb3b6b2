"""The accounts app: who the user is."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the app; it hooks into nothing."""

    name = "accounts"
