"""Setting up the second factor: a secret that is shown once, a first code, ten recovery codes.

Who signs in without one comes here first and cannot go anywhere else. Who has one comes here by the
link behind their name, with a fresh proof, and gets a new one in place of the old: after a phone
was lost, say, with a recovery code.
"""

from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import decrypt, encrypt
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from redis import RedisError

from accounts.models import User
from accounts.staff import session
from accounts.staff.pages import fresh, to_proof
from deploy.staff import signin
from privacy import staff

# Where the new secret waits for its first code, sealed to its owner.
WAITING: Final = "staff_secret"


class FirstCodeForm(forms.Form):
    """A code of the secret that is shown. `user`: whose guesses are counted."""

    code = signin.code_field("The six digits that the app shows now.")

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


@csrf_protect
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The secret, and behind its first code the recovery codes."""
    if session.of_staff(request.session):
        if not fresh(request):
            return to_proof(request)
    elif not session.enrolling(request.session) or _has_factor(request.user):
        return redirect(reverse("admin:login"))
    user: Any = request.user
    secret = _secret(request)
    if request.method != "POST":
        return _show(request, FirstCodeForm(user=user, secret=secret), secret)
    form = FirstCodeForm(request.POST, user=user, secret=secret)
    try:
        if not form.is_valid():
            return _show(request, form, secret, 403)
        first = session.enrolling(request.session)
        codes = _set_up(user, secret, form.cleaned_data["code"], first=first)
    except RedisError:
        return signin.away(request)
    del request.session[WAITING]
    session.begin(request.session, timezone.now())
    staff.note(staff.ENROLLED, user.pk)
    context = {"title": "Keep your recovery codes", "codes": codes}
    return _page(request, "staff/codes.html", context)


def _secret(request: HttpRequest) -> str:
    waiting = request.session.get(WAITING)
    if waiting:
        return decrypt(waiting)
    secret: str = generate_totp_secret()
    request.session[WAITING] = encrypt(secret)
    return secret


def _has_factor(user: Any) -> bool:
    return Authenticator.objects.filter(user=user).exists()


@transaction.atomic
def _set_up(user: Any, secret: str, code: str, *, first: bool) -> list[str]:
    """The new factor in place of what codes there were; passkeys stay.

    A password alone sets up the first factor only, and of two who do so at once only one.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if first and _has_factor(user):
        raise PermissionDenied
    old = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    Authenticator.objects.filter(user=user, type__in=old).delete()
    # The code has been used; allauth takes each once.
    TOTP.activate(user, secret).validate_code(code)
    return RecoveryCodes.activate(user).get_unused_codes()


def _show(request: HttpRequest, form: forms.Form, secret: str, status: int = 200) -> HttpResponse:
    adapter = get_adapter()
    context = {
        "title": "Set up your second factor",
        "form": form,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "link": adapter.build_totp_url(request.user, secret),
        "replaces": session.of_staff(request.session),
    }
    return _page(request, "staff/enrol.html", context, status)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "next": signin.wanted(request),
        "index": reverse("admin:index"),
        **context,
    }
    return TemplateResponse(request, template, context, status=status)
