"""What signing up asks beside e-mail and password. allauth's headless API reads this form."""

from typing import Any

from django import forms

from accounts.models import Region, User


class SignupForm(forms.Form):
    """Region and the 18+ attestation; a birth date is not asked for, so it cannot leak."""

    region = forms.ChoiceField(choices=Region.choices)
    is_adult = forms.BooleanField(
        error_messages={"required": "Sitter is for people of 18 and older. Confirm your age."}
    )

    def signup(self, request: Any, user: User) -> None:
        """Called by allauth with the new user, before anything else happens to it."""
        user.region = self.cleaned_data["region"]
        user.is_adult = self.cleaned_data["is_adult"]
        user.save(update_fields=["region", "is_adult"])
