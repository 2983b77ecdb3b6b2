"""The shapes of signing up and in. allauth checks what is sent; these say what that is."""

from typing import Any

from rest_framework import serializers

from accounts.models import Region

# As long as Django's own field; allauth and the database refuse more.
EMAIL = 254


class CredentialsSerializer(serializers.Serializer[Any]):
    """An address and a password."""

    email = serializers.EmailField(max_length=EMAIL)
    password = serializers.CharField(write_only=True)


class SignUpSerializer(CredentialsSerializer):
    """A new account."""

    region = serializers.ChoiceField(
        choices=Region.choices, help_text="Where the person lives: it decides the consent's text."
    )
    is_adult = serializers.BooleanField(help_text="That they are 18 or older.")


class PasswordSerializer(serializers.Serializer[Any]):
    """The password of the person who is signed in."""

    password = serializers.CharField(write_only=True)


class ChangePasswordSerializer(serializers.Serializer[Any]):
    """The old one and the new one."""

    current_password = serializers.CharField(
        write_only=True, required=False, help_text="Left out by who has none yet."
    )
    new_password = serializers.CharField(write_only=True)


class AddressSerializer(serializers.Serializer[Any]):
    """An address that a code is sent to."""

    email = serializers.EmailField(max_length=EMAIL)


class CodeSerializer(serializers.Serializer[Any]):
    """A code that came by mail."""

    key = serializers.CharField(help_text="The code.")


class NewPasswordSerializer(CodeSerializer):
    """A code that came by mail, and the password that holds from now on."""

    password = serializers.CharField(write_only=True)


class PersonSerializer(serializers.Serializer[Any]):
    """Who is signed in."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    display = serializers.CharField()
    has_usable_password = serializers.BooleanField()


class FlowSerializer(serializers.Serializer[Any]):
    """A step that can be taken, or that is waited for."""

    id = serializers.CharField(help_text="`verify_email`, `password_reset_by_code`, `login` …")
    is_pending = serializers.BooleanField(required=False, help_text="This one is waited for.")
    types = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Of `mfa_authenticate`: what the person has, `totp`, `webauthn` …",
    )
    providers = serializers.ListField(child=serializers.CharField(), required=False)


class _SignedInData(serializers.Serializer[Any]):
    user = PersonSerializer()
    methods = serializers.ListField(
        child=serializers.DictField(), help_text="How and when they have proved who they are."
    )


class _Meta(serializers.Serializer[Any]):
    is_authenticated = serializers.BooleanField()
    session_token = serializers.CharField(
        required=False,
        help_text="Keep it in the device's key store; send it as X-Session-Token. Sent only when"
        " it is new, so replace the one you have.",
    )


class SignedInSerializer(serializers.Serializer[Any]):
    """A session that lives."""

    status = serializers.IntegerField()
    data = _SignedInData()  # type: ignore[assignment]
    meta = _Meta()


class _PendingData(serializers.Serializer[Any]):
    flows = FlowSerializer(many=True)


class PendingSerializer(serializers.Serializer[Any]):
    """One step more: the flow with `is_pending`. Send the session_token along with it."""

    status = serializers.IntegerField()
    data = _PendingData()  # type: ignore[assignment]
    meta = _Meta()


class DoneSerializer(serializers.Serializer[Any]):
    """Nothing more to say."""

    status = serializers.IntegerField()


class SessionSerializer(serializers.Serializer[Any]):
    """A device that is signed in. What kind of device it is, is not stored."""

    id = serializers.CharField(help_text="Names the session; it is not its token.")
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="To the hour.")
    expires_at = serializers.DateTimeField()
    current = serializers.BooleanField(help_text="The one that asks.")
