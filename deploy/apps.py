"""The deploy app: management commands only."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    """Has no models."""

    name = "deploy"
