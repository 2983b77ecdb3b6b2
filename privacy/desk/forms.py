"""What staff fill in at the desk. Bounded, and no field takes a file."""

from datetime import datetime, time
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Region
from privacy.desk.answers import Ending
from privacy.desk.verbs import VERBS
from privacy.models import Case
from privacy.parts import Scope

LONGEST: Final = 2000
LANGUAGES: Final = [("en", "English"), ("de", "German")]
_DONE: Final = {
    Case.Kind.ACCESS: "Make the copy and tell the person",
    Case.Kind.DELETION: "Tell the person and delete",
    Case.Kind.CORRECTION: "Correct it and tell the person",
    Case.Kind.OBJECTION: "Stop processing and tell the person",
    Case.Kind.FACE: "Tell the person what you found",
    Case.Kind.ABUSE: "Tell the person what you found",
}
_SCOPES: Final = [
    (Scope.ACCOUNT.value, "the account and everything in it"),
    (Scope.BIOMETRIC.value, "every photo and portrait; the account stays"),
]


def _text(label: str, *, required: bool, about: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST,
        help_text=about,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


class NewCaseForm(forms.Form):
    """What came by mail or letter."""

    kind = forms.ChoiceField(
        label="What is asked for", choices=Case.Kind.choices, widget=UnfoldAdminSelectWidget
    )
    language = forms.ChoiceField(
        label="Language of the answer", choices=LANGUAGES, widget=UnfoldAdminSelectWidget
    )
    who = forms.CharField(
        label="Account",
        required=False,
        max_length=254,
        help_text="The exact e-mail address or the id of the account. Leave it empty where there"
        " is none, as for a report about a face.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    contact = forms.EmailField(
        label="Where to answer",
        required=False,
        max_length=254,
        help_text="Only where there is no account; kept sealed.",
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )
    region = forms.ChoiceField(
        label="Where the person lives",
        choices=Region.choices,
        initial=Region.OTHER,
        help_text="Decides by when we must answer. An account's own region counts instead.",
        widget=UnfoldAdminSelectWidget,
    )
    received = forms.DateField(
        label="Received on",
        help_text="The day on which it came, as 2026-11-29; the clock runs from then.",
        widget=UnfoldAdminTextInputWidget,
    )
    words = _text("What was asked", required=True, about="Kept sealed. No copies of documents.")

    def clean_received(self) -> datetime:
        """The beginning of that day, or now."""
        day = self.cleaned_data["received"]
        now = timezone.now()
        if day > now.date():
            raise ValidationError("This day has not come yet.")
        return datetime.combine(day, time.min, tzinfo=now.tzinfo)

    def clean(self) -> dict[str, Any]:
        """Somebody has to be there to be answered."""
        said = cast(dict[str, Any], super().clean())
        if not said.get("who") and not said.get("contact"):
            raise ValidationError("Name the account, or say where to answer.")
        return said


class WordsForm(forms.Form):
    """A note, or the reason for a later date."""

    words = _text("Words", required=True)

    def __init__(self, *args: Any, **options: Any) -> None:
        # It stands on one page with the other form's words, and each label leads to its own field.
        options.setdefault("auto_id", "id_note_%s")
        super().__init__(*args, **options)


class FinishForm(forms.Form):
    """How a request ends."""

    ending = forms.ChoiceField(label="How it ends", widget=UnfoldAdminSelectWidget)
    scope = forms.ChoiceField(label="What goes", choices=_SCOPES, widget=UnfoldAdminSelectWidget)
    region = forms.ChoiceField(
        label="Where the person lives", choices=Region.choices, widget=UnfoldAdminSelectWidget
    )
    words = _text(
        "What you write to the person",
        required=False,
        about="Stands in the letter. Needed when you say what you found or why you refuse.",
    )

    def __init__(self, case: Case, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kind = Case.Kind(case.kind)
        endings = [
            (Ending.DO.value, _DONE[kind]),
            (Ending.NOTHING.value, "Say that we hold nothing of it"),
            (Ending.REFUSE.value, "Refuse, and say why"),
            (Ending.TAKEN_BACK.value, "The person took it back; no letter"),
            (Ending.UNREACHABLE.value, "The sender cannot be reached; no letter"),
        ]
        cast(forms.ChoiceField, self.fields["ending"]).choices = endings
        if kind != Case.Kind.DELETION:
            del self.fields["scope"]
        if kind != Case.Kind.CORRECTION:
            del self.fields["region"]
        self.needs_proof = kind in VERBS
