"""Setting up the second factor: an authenticator app or a passkey, and ten recovery codes.

Who signs in without one comes here first and cannot go anywhere else. Who has one comes here by the
link behind their name, with a fresh proof, and gets a new one: an app in place of the old app, a
passkey beside what there is. After a phone was lost, say, with a recovery code.
"""

from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn
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
from deploy.staff import passkeys, qr, signin
from deploy.staff.forms import FirstCodeForm
from privacy import staff

# Where the new secret waits for its first code, sealed to its owner.
WAITING: Final = "staff_secret"
CODES: Final = Authenticator.Type.RECOVERY_CODES
APP: Final = Authenticator.Type.TOTP


@csrf_protect
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The secret and the offer of a passkey; behind either, the recovery codes."""
    if session.of_staff(request.session):
        if not fresh(request):
            return to_proof(request, keep=False)
    elif not session.enrolling(request.session) or _has_factor(request.user):
        return redirect(reverse("admin:login"))
    secret = _secret(request)
    if request.method != "POST":
        return _show(request, FirstCodeForm(user=request.user, secret=secret), secret)
    by_passkey = bool(request.POST.get("credential"))
    try:
        codes, refusal = (_by_passkey if by_passkey else _by_code)(request, secret)
    except RedisError:
        return signin.away(request)
    if refusal:
        return refusal
    request.session.pop(WAITING, None)
    session.begin(request.session, timezone.now())
    user: Any = request.user
    staff.note(staff.ENROLLED, user.pk)
    return _page(request, "staff/codes.html", {"title": "You are set up", "codes": codes})


Done = tuple[list[str], HttpResponse | None]


def _by_code(request: HttpRequest, secret: str) -> Done:
    user: Any = request.user
    form = FirstCodeForm(request.POST, user=user, secret=secret)
    if not form.is_valid():
        return [], _show(request, form, secret, status=403)
    with transaction.atomic():
        _alone(request)
        Authenticator.objects.filter(user=user, type__in=(APP, CODES)).delete()
        # The code has been used; allauth takes each once.
        TOTP.activate(user, secret).validate_code(form.cleaned_data["code"])
        return RecoveryCodes.activate(user).get_unused_codes(), None


def _by_passkey(request: HttpRequest, secret: str) -> Done:
    user: Any = request.user
    form = passkeys.NewForm(request.POST, user=user)
    if not form.is_valid():
        again = FirstCodeForm(user=user, secret=secret)
        return [], _show(request, again, secret, said=passkeys.NOT_HERE, status=403)
    with transaction.atomic():
        _alone(request)
        WebAuthn.add(user, form.cleaned_data["name"], form.cleaned_data["credential"])
        had = Authenticator.objects.filter(user=user, type=CODES).exists()
        return [] if had else RecoveryCodes.activate(user).get_unused_codes(), None


def _has_factor(user: Any) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def _alone(request: HttpRequest) -> None:
    """A password alone sets up the first factor only, and of two who do so at once only one."""
    user: Any = request.user
    User.objects.select_for_update().get(pk=user.pk)
    if not session.of_staff(request.session) and _has_factor(user):
        raise PermissionDenied


def _secret(request: HttpRequest) -> str:
    waiting = request.session.get(WAITING)
    if waiting:
        known: str = decrypt(waiting)
        return known
    secret: str = generate_totp_secret()
    request.session[WAITING] = encrypt(secret)
    return secret


def _show(
    request: HttpRequest, form: forms.Form, secret: str, *, said: str = "", status: int = 200
) -> HttpResponse:
    link = get_adapter().build_totp_url(request.user, secret)
    context = {
        "title": "Set up your second factor",
        "form": form,
        "said": said,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "link": link,
        "square": qr.square(link),
        "passkey": passkeys.proposal(request.user),
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
