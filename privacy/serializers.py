"""The shapes of the privacy API. No logic."""

from typing import Any

from rest_framework import serializers

from privacy.models import Blob, Consent, ConsentDocument, Erasure


class DocumentSerializer(serializers.ModelSerializer[ConsentDocument]):
    """A consent text, whole, with the hash of exactly these words."""

    class Meta:
        model = ConsentDocument
        fields = ("id", "purpose", "language", "version", "text", "sha256", "published_at")


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    """One line of the ledger. The typed name is not here; it lies sealed, apart."""

    purpose = serializers.CharField(source="document.purpose")
    document_sha256 = serializers.CharField(source="document.sha256")

    class Meta:
        model = Consent
        fields = ("id", "verb", "purpose", "document", "document_sha256", "act", "client", "at")


class GrantSerializer(serializers.Serializer[Any]):
    """Signing a text: an act of its own, with a name typed for this purpose."""

    document = serializers.UUIDField(help_text="Id of the text that was shown.")
    typed_name = serializers.CharField(
        min_length=2, max_length=120, help_text="Your name, typed by you: your signature."
    )
    agree = serializers.BooleanField(help_text="Must be true; nothing is pre-ticked.")
    client = serializers.RegexField(
        r"^[A-Za-z0-9._/ -]{1,40}$", default="api", help_text="App and version, e.g. ios/1.4.2."
    )

    def validate_agree(self, value: bool) -> bool:
        """Only an explicit yes is a consent."""
        if value is not True:
            raise serializers.ValidationError(
                "Say yes explicitly (agree: true), or do not send this.", code="not_agreed"
            )
        return value


class WithdrawSerializer(serializers.Serializer[Any]):
    """Taking it back: as easy as giving it, and no reason asked."""

    purpose = serializers.ChoiceField(
        choices=ConsentDocument.Purpose.choices, default=ConsentDocument.Purpose.GENERATION
    )
    portraits = serializers.ChoiceField(
        choices=[("keep", "keep"), ("erase", "erase")],
        help_text="What happens to portraits that are finished.",
    )
    client = serializers.RegexField(r"^[A-Za-z0-9._/ -]{1,40}$", default="api")


class HoldingSerializer(serializers.ModelSerializer[Blob]):
    """One sealed thing that we hold, and when it ends."""

    kind = serializers.SerializerMethodField()
    bytes = serializers.IntegerField(source="length", allow_null=True)

    class Meta:
        model = Blob
        fields = ("id", "kind", "bytes", "created_at", "expires_at")

    def get_kind(self, row: Blob) -> str:
        """The kind's name."""
        return Blob.Kind(row.kind).name.lower()


class AccountSerializer(serializers.Serializer[Any]):
    """What the account itself says."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    region = serializers.CharField()
    is_adult = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()


class TableSerializer(serializers.Serializer[Any]):
    """One table that has rows about the person."""

    holds = serializers.CharField()
    rows = serializers.IntegerField()
    keep = serializers.CharField()
    ends = serializers.CharField()


class HoldingsSerializer(serializers.Serializer[Any]):
    """Everything that we hold on the person who asks."""

    account = AccountSerializer()
    sealed = HoldingSerializer(many=True)
    consents = ConsentSerializer(many=True)
    tables = TableSerializer(many=True)


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """How far an erasure is; the receipt when it is proved."""

    receipt = serializers.JSONField(allow_null=True)

    class Meta:
        model = Erasure
        fields = ("id", "stage", "requested_at", "proved_at", "receipt")
