"""The shapes of the privacy API. No logic."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts.fields import Flag, Pattern, Text
from privacy import retention
from privacy.models import Blob, Consent, ConsentDocument, Erasure, Export, FaceClaim

# What can be asked for as a whole; a photo, a portrait and a set have addresses of their own.
WHOLE = [(scope.value, scope.label) for scope in (Erasure.Scope.ACCOUNT, Erasure.Scope.BIOMETRIC)]


class DocumentSerializer(serializers.ModelSerializer[ConsentDocument]):
    """A consent text, whole, with the hash of exactly these words."""

    class Meta:
        model = ConsentDocument
        fields = (
            "id",
            "purpose",
            "region",
            "language",
            "version",
            "text",
            "sha256",
            "valid_days",
            "published_at",
        )


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    """One line of the ledger. The typed name is not here; it lies sealed, apart."""

    purpose = serializers.CharField(source="document.purpose")
    document_sha256 = serializers.CharField(source="document.sha256")

    class Meta:
        model = Consent
        fields = (
            "id",
            "verb",
            "purpose",
            "document",
            "document_sha256",
            "act",
            "client",
            "shown_at",
            "at",
            "expires_at",
        )


class GrantSerializer(serializers.Serializer[Any]):
    """Signing one text. The typed name and the explicit yes together are the act, with intent."""

    document = serializers.UUIDField(
        help_text="Id of the text that was shown: fetched before, with this session."
    )
    typed_name = Text(
        min_length=2, max_length=120, help_text="Your name, typed by you: your signature."
    )
    agree = Flag(
        help_text="Must be true, said for this text alone: I sign this. Nothing is pre-ticked."
    )
    client = Pattern(
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
        required=False,
        help_text="What happens to portraits that are finished. Must be said, except where only "
        "the consent to keeping references is taken back: they stay then.",
    )
    client = Pattern(r"^[A-Za-z0-9._/ -]{1,40}$", default="api")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody decides about the portraits for the person."""
        if attrs["purpose"] == ConsentDocument.Purpose.GENERATION and "portraits" not in attrs:
            raise serializers.ValidationError(
                {"portraits": [serializers.Field.default_error_messages["required"]]},
                code="required",
            )
        return attrs


class HoldingSerializer(serializers.ModelSerializer[Blob]):
    """One sealed thing that we hold, and when it ends."""

    kind = serializers.SerializerMethodField()
    bytes = serializers.IntegerField(source="length", allow_null=True)
    expires_soon = serializers.SerializerMethodField()

    class Meta:
        model = Blob
        fields = ("id", "kind", "bytes", "created_at", "expires_at", "expires_soon")

    def get_expires_soon(self, row: Blob) -> bool:
        """Whether it is destroyed within three days."""
        return retention.is_near(row.expires_at, timezone.now())

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


class ReceiptSerializer(serializers.Serializer[Any]):
    """What was destroyed, signed; deploy/docs/verify_receipt.py checks it."""

    statement = serializers.DictField()
    signature = serializers.CharField()


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """How far an erasure is; the receipt when it is proved."""

    receipt = ReceiptSerializer(allow_null=True)

    class Meta:
        model = Erasure
        fields = ("id", "scope", "stage", "requested_at", "proved_at", "receipt")


class EraseMeSerializer(serializers.Serializer[Any]):
    """How much of it: the account with everything, or every photo and portrait."""

    scope = serializers.ChoiceField(
        choices=WHOLE,
        default=Erasure.Scope.ACCOUNT,
        help_text="biometric: every photo and portrait goes, consents are taken back, and the"
        " account stays.",
    )


class ExportSerializer(serializers.ModelSerializer[Export]):
    """How far an export is, and until when it can be fetched."""

    class Meta:
        model = Export
        fields = ("id", "state", "requested_at", "ready_at", "fetched_at", "expires_at")


class NewFaceClaimSerializer(serializers.Serializer[Any]):
    """What a report says: where to answer, and what happened."""

    contact = serializers.EmailField(max_length=254, help_text="Where to answer you.")
    words = Text(
        max_length=2000, help_text="What happened, in your words. Send no photo and no link to one."
    )
    language = serializers.ChoiceField(
        choices=[("en", "en"), ("de", "de")], help_text="In which you would like the answer."
    )


class FaceClaimSerializer(serializers.ModelSerializer[FaceClaim]):
    """How far a report is; nothing of what was written."""

    class Meta:
        model = FaceClaim
        fields = ("id", "state", "due_at")
