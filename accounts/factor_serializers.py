"""The shapes of passkeys and codes. What a passkey takes and gives is WebAuthn's own JSON."""

from typing import Any

from rest_framework import serializers

from accounts.factors import NAME
from accounts.serializers import _Meta


class FactorCodeSerializer(serializers.Serializer[Any]):
    """A code of the authenticator app, or a recovery code."""

    code = serializers.CharField(help_text="Six digits, or one of the recovery codes.")


class CredentialSerializer(serializers.Serializer[Any]):
    """What the passkey has said."""

    credential = serializers.DictField(
        help_text="The device's answer as WebAuthn's JSON: `toJSON()` of a PublicKeyCredential."
    )


class NewPasskeySerializer(CredentialSerializer):
    """A passkey to be registered."""

    name = serializers.CharField(
        max_length=NAME, required=False, help_text="What the person calls it. Stored as it is."
    )


class PasskeyNameSerializer(serializers.Serializer[Any]):
    """Another name."""

    name = serializers.CharField(max_length=NAME)


class FactorSerializer(serializers.Serializer[Any]):
    """Something beside the password that proves who somebody is."""

    type = serializers.ChoiceField(choices=["totp", "webauthn", "recovery_codes"])
    created_at = serializers.FloatField(help_text="Seconds since 1970.")
    last_used_at = serializers.FloatField(allow_null=True)
    id = serializers.IntegerField(required=False, help_text="Of a passkey: names it in addresses.")
    name = serializers.CharField(required=False)
    is_passwordless = serializers.BooleanField(
        required=False, help_text="It signs in by itself, without a password."
    )
    total_code_count = serializers.IntegerField(required=False)
    unused_code_count = serializers.IntegerField(required=False)


class FactorsSerializer(serializers.Serializer[Any]):
    """Everything of that kind that a person has."""

    status = serializers.IntegerField()
    data = FactorSerializer(many=True)  # type: ignore[assignment]


class OneFactorSerializer(serializers.Serializer[Any]):
    """One of them."""

    status = serializers.IntegerField()
    data = FactorSerializer()  # type: ignore[assignment]


class _Made(_Meta):
    is_authenticated = None  # type: ignore[assignment]
    recovery_codes_generated = serializers.BooleanField(
        help_text="There are recovery codes now; show them to the person."
    )


class MadePasskeySerializer(OneFactorSerializer):
    """A passkey that is registered."""

    meta = _Made()


class _Creation(serializers.Serializer[Any]):
    creation_options = serializers.DictField(help_text="`publicKey` is what the device takes.")


class CreationSerializer(serializers.Serializer[Any]):
    """What a device needs to make a passkey."""

    status = serializers.IntegerField()
    data = _Creation()  # type: ignore[assignment]


class _Request(serializers.Serializer[Any]):
    request_options = serializers.DictField(help_text="`publicKey` is what the device takes.")


class _Token(serializers.Serializer[Any]):
    session_token = serializers.CharField(
        required=False, help_text="Send it along with the passkey's answer."
    )


class RequestSerializer(serializers.Serializer[Any]):
    """What a device needs to speak to a passkey."""

    status = serializers.IntegerField()
    data = _Request()  # type: ignore[assignment]
    meta = _Token(required=False)


class _Secret(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="For typing it into an authenticator app.")
    totp_url = serializers.CharField(help_text="For a QR code, or for opening the app.")


class TotpSerializer(serializers.Serializer[Any]):
    """The authenticator app that is set up, in `data`; or in `meta` what sets one up."""

    status = serializers.IntegerField()
    data = FactorSerializer(required=False)  # type: ignore[assignment]
    meta = _Secret(required=False)


class _Codes(FactorSerializer):
    unused_codes = serializers.ListField(child=serializers.CharField())


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """Codes for the day on which the phone is lost, each good for once."""

    status = serializers.IntegerField()
    data = _Codes()  # type: ignore[assignment]
