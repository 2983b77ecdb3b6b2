"""The shapes of signing in with Apple and Google."""

from typing import Any

from rest_framework import serializers

from accounts.by_token import CODE, NONCE, PROVIDERS, TOKEN
from accounts.models import Region


class ProviderTokenSerializer(serializers.Serializer[Any]):
    """An identity token, as the device's own kit gives it to the app."""

    provider = serializers.ChoiceField(choices=PROVIDERS)
    id_token = serializers.CharField(
        max_length=TOKEN, write_only=True, help_text="Good for once, and for no other app."
    )
    nonce = serializers.CharField(
        max_length=NONCE,
        required=False,
        write_only=True,
        help_text="What the app made up for this sign-in; the token holds it or its SHA-256.",
    )
    authorization_code = serializers.CharField(
        max_length=CODE,
        required=False,
        write_only=True,
        help_text="Apple's. With it, Apple is told when the account is erased.",
    )


class ProviderSignInSerializer(ProviderTokenSerializer):
    """A token, and what a first sign-in needs beside it."""

    region = serializers.ChoiceField(
        choices=Region.choices, required=False, help_text="Where a newcomer lives."
    )
    is_adult = serializers.BooleanField(
        required=False, help_text="A newcomer is 18 or older. Both are ignored of who is known."
    )


class _Provider(serializers.Serializer[Any]):
    id = serializers.ChoiceField(choices=PROVIDERS)
    name = serializers.CharField()


class IdentitySerializer(serializers.Serializer[Any]):
    """A provider that the person signs in by."""

    uid = serializers.CharField(help_text="A digest; names it in addresses.")
    provider = _Provider()
    display = serializers.CharField()


class IdentitiesSerializer(serializers.Serializer[Any]):
    """All of them."""

    status = serializers.IntegerField()
    data = IdentitySerializer(many=True)  # type: ignore[assignment]
