"""What the daily proof asks here: what was painted, and what is kept, has a consent of its own."""

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from portraits.models import Portrait, ReferenceSet, Style
from portraits.recipes import Recipe
from privacy.consent import Purpose
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


def unkept() -> QuerySet[ReferenceSet]:
    """Kept sets whose owner's newest word on keeping is no grant that covered them."""
    newest = Consent.objects.filter(
        subject_id=OuterRef("owner_id"), document__purpose=Purpose.KEEPING
    ).order_by("-at", "-pk")
    said = ReferenceSet.objects.filter(keep=True).annotate(
        verb=Subquery(newest.values("verb")[:1]), until=Subquery(newest.values("expires_at")[:1])
    )
    covered = said.filter(verb=Consent.Verb.GRANTED, until__gt=F("created_at"))
    return ReferenceSet.objects.filter(keep=True).exclude(pk__in=covered.values("pk"))


def look(now: datetime) -> Seen:
    """All portraits that exist, and all sets that are kept."""
    kept = ReferenceSet.objects.filter(keep=True)
    return Seen(Portrait.objects.count() + kept.count(), unconsented().count() + unkept().count())
