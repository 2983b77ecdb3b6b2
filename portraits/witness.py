"""What portraits say to the daily proof: each one names the consent that it was painted under."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from portraits.models import Portrait, Style
from portraits.recipes import Recipe
from privacy.models import Consent
from privacy.witnesses import Seen


def unconsented() -> QuerySet[Portrait]:
    """Portraits whose job names no signature of their owner's, though its style takes a photo."""
    takes_photo = [row.pk for row in Style.objects.all() if Recipe.from_json(row.recipe).references]
    signed = Consent.objects.filter(
        pk=OuterRef("item__job__consent_id"),
        subject_id=OuterRef("owner_id"),
        verb=Consent.Verb.GRANTED,
        at__lte=OuterRef("created_at"),
    )
    named = Q(item__job__consent_id__isnull=False) | Q(item__style__in=takes_photo)
    return Portrait.objects.filter(named & ~Exists(signed))


def look(now: datetime) -> Seen:
    """All portraits that exist."""
    return Seen(Portrait.objects.count(), unconsented().count())
