"""What staff type to come in: a password, and codes."""

from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp.internal.auth import validate_totp_code
from django import forms
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

EITHER: Final = "From your authenticator app, or one of your recovery codes."


class PasswordForm(forms.Form):
    """The first step."""

    email = forms.EmailField(
        label="E-mail",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password"}),
    )


def code_field(help_text: str) -> forms.CharField:
    """Where a code is typed."""
    attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
    widget = UnfoldAdminTextInputWidget(attributes)
    return forms.CharField(label="Code", max_length=20, help_text=help_text, widget=widget)


class CodeForm(AuthenticateForm):
    """The second step."""

    code = code_field(EITHER)


class ProofForm(ReauthenticateForm):
    """The second factor once more."""

    code = code_field(EITHER)


class FirstCodeForm(forms.Form):
    """A code of the secret that is shown. `user`: whose guesses are counted."""

    code = code_field("The six digits that the app shows now.")

    def __init__(self, *args: Any, user: Any, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.secret = user, secret

    def clean_code(self) -> str:
        """Raises ValidationError: wrong, or tried too often."""
        code: str = self.cleaned_data["code"]
        forget = check_rate_limit(self.user)
        if not validate_totp_code(self.secret, code):
            raise get_adapter().validation_error("incorrect_code")
        forget()
        return code
