"""How staff come in: a password, then a code of the authenticator app or a recovery code.

allauth checks both and counts the guesses, as it does for the API, in Valkey; where that is away
nobody comes in, because nothing would count. Between the two steps the browser carries a signed
ticket, and there is no session yet: one whose second factor is missing would be a session of the
API. Who has no second factor is led to setting one up, and opens nothing before.
"""

from typing import Any, Final
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from redis import RedisError
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.errors import RETRY_SECONDS, SignInAway
from accounts.models import User
from accounts.staff import session
from privacy import staff

# Between the password and the code.
TICKET_SECONDS: Final = 300
SALT: Final = "deploy.staff.signin"
WRONG: Final = "The e-mail or the password is wrong, or you are not on staff."
TOO_LATE: Final = "That took too long. Begin again with your password."
# By which allauth refuses a code beyond its limit.
TOO_MANY_CODE: Final = "too_many_login_attempts"
TOO_MANY: Final = "Too many attempts. Wait a few minutes, then try again."
APP_ONLY: Final = (
    "Your account has a passkey and no authenticator app. Set one up in the app first:"
    " signing in here takes its code."
)


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


EITHER: Final = "From your authenticator app, or one of your recovery codes."


class CodeForm(AuthenticateForm):
    """The second step."""

    code = code_field(EITHER)


class ProofForm(ReauthenticateForm):
    """The second factor once more."""

    code = code_field(EITHER)


@csrf_protect
@never_cache
def page(request: HttpRequest, *, here: bool) -> HttpResponse:
    """Both steps, one after the other. `here`: they are signed in already."""
    if here:
        return onwards(request)
    if request.method != "POST":
        return show(request, PasswordForm())
    try:
        return _code(request) if "ticket" in request.POST else _password(request)
    except RedisError:
        return away(request)


def _password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return show(request, form, status=400)
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    try:
        if not ratelimit.consume(request, app="allauth.account", action="login"):
            return show(request, form, TOO_MANY, 429)
        user: Any = get_adapter().authenticate(request, email=email, password=password)
    except ValidationError:
        return show(request, form, TOO_MANY, 429)
    if user is None or not user.is_staff:
        _refused(User.objects.filter(email=email.lower(), is_staff=True).first())
        return show(request, form, WRONG, 403)
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    if Authenticator.Type.TOTP in kinds:
        return show(request, CodeForm(user=user), ticket=_ticket(user))
    if Authenticator.Type.WEBAUTHN in kinds:
        return show(request, form, APP_ONLY, 403)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session.enrol(request.session, timezone.now())
    return redirect(f"{reverse('admin:enrol')}?{urlencode({'next': wanted(request)})}")


def _code(request: HttpRequest) -> HttpResponse:
    user = _holder(request.POST["ticket"])
    if user is None:
        return show(request, PasswordForm(), TOO_LATE, 403)
    form = CodeForm(request.POST, user=user)
    if not form.is_valid():
        return wrong(request, user, form, ticket=request.POST["ticket"])
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    form.save()
    session.begin(request.session, timezone.now())
    staff.note(staff.SIGNED_IN, user.pk)
    return onwards(request)


def prove(request: HttpRequest) -> HttpResponse:
    """A code anew, before what cannot be taken back."""
    user: Any = request.user
    title = "Is it still you?"
    if request.method != "POST":
        return show(request, ProofForm(user=user), title=title)
    form = ProofForm(request.POST, user=user)
    try:
        if not form.is_valid():
            return wrong(request, user, form, title=title)
    except RedisError:
        return away(request)
    form.save()
    session.prove(request.session, timezone.now())
    return onwards(request)


def wrong(request: HttpRequest, user: User, form: forms.Form, **more: Any) -> HttpResponse:
    """A code that does not count, which is noted by id, or one too many."""
    if any(error.code == TOO_MANY_CODE for error in form.errors["code"].as_data()):
        return show(request, form, status=429, **more)
    _refused(user)
    return show(request, form, status=403, **more)


def away(request: HttpRequest) -> HttpResponse:
    """What counts the guesses does not answer."""
    answer = show(request, None, SignInAway.default_detail, 503)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def onwards(request: HttpRequest) -> HttpResponse:
    """To where they wanted to go, if that is a page of ours."""
    return redirect(wanted(request) or reverse("admin:index"))


def wanted(request: HttpRequest) -> str:
    """The page that somebody came from, or nothing."""
    where = request.POST.get("next") or request.GET.get("next") or ""
    fine = url_has_allowed_host_and_scheme(
        where, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return where if fine and where.startswith(reverse("admin:index")) else ""


def _refused(user: User | None) -> None:
    if user is not None:
        staff.note(staff.REFUSED, user.pk)


def _ticket(user: User) -> str:
    """The password was right a moment ago, and is still the same."""
    return signing.dumps([str(user.pk), _password_mark(user)], salt=SALT)


def _password_mark(user: User) -> str:
    return salted_hmac(SALT, user.get_session_auth_hash(), algorithm="sha256").hexdigest()


def _holder(ticket: str) -> User | None:
    try:
        user_id, password = signing.loads(ticket, salt=SALT, max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=user_id, is_staff=True, is_active=True).first()
    return user if user and constant_time_compare(password, _password_mark(user)) else None


def show(
    request: HttpRequest,
    form: forms.Form | None,
    said: str = "",
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Sign in",
        "form": form,
        "said": said,
        "next": wanted(request),
        **more,
    }
    return TemplateResponse(request, "staff/signin.html", context, status=status)
