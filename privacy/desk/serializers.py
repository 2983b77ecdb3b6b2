"""The shapes of a request to support. No logic."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.fields import Text
from privacy.models import Case

# A face is reported without an account (createFaceClaim).
ASKABLE = [(kind.value, kind.label) for kind in Case.Kind if kind != Case.Kind.FACE]
# Where a receipt can be looked at.
RECEIPTS = {
    Case.Receipt.EXPORT: "/v1/me/export/{}",
    Case.Receipt.ERASURE: "/v1/erasures/{}",
    Case.Receipt.WITHDRAWAL: "/v1/consents",
}


class NewSupportRequestSerializer(serializers.Serializer[Any]):
    """What is asked for, and in which language the answer should be."""

    kind = serializers.ChoiceField(choices=ASKABLE)
    words = Text(
        max_length=2000,
        required=False,
        default="",
        allow_blank=True,
        help_text="What we should know. Sealed on arrival. Send no photo and no document.",
    )
    language = serializers.ChoiceField(
        choices=[("en", "en"), ("de", "de")], help_text="In which you would like the answer."
    )


class SupportRequestSerializer(serializers.ModelSerializer[Case]):
    """How far a request is; nothing of what was written.

    `first_answer_by` is our promise, `due_at` the law's date where you live, later where the answer
    says so. `identity` is `proven` once you have confirmed who you are.
    """

    first_answer_by = serializers.DateTimeField(source="first_due_at")
    outcome = serializers.SerializerMethodField(help_text="How it was closed, once it is.")
    receipt = serializers.SerializerMethodField(
        help_text="Where what was done can be looked at, once something was."
    )

    class Meta:
        model = Case
        fields = (
            "id",
            "kind",
            "state",
            "identity",
            "outcome",
            "received_at",
            "first_answer_by",
            "due_at",
            "answered_at",
            "closed_at",
            "receipt",
        )

    @extend_schema_field(serializers.ChoiceField(choices=Case.Outcome.choices, allow_null=True))
    def get_outcome(self, case: Case) -> str | None:
        """Its name."""
        return case.outcome or None

    def get_receipt(self, case: Case) -> str | None:
        """An address of this API."""
        known = RECEIPTS.get(Case.Receipt(case.receipt)) if case.receipt else None
        return known.format(case.receipt_id) if known else None
