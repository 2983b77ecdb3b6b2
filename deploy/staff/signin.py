"""How staff come in: a password, then a code, a recovery code or a passkey.

allauth checks each and counts the guesses, as it does for the API, in Valkey; where that is away
nobody comes in, because nothing would count. Between the two steps there is no session of anybody:
one whose second factor is missing would be a session of the API. Who has no second factor is led
to setting one up, and opens nothing before.
"""

from typing import Any, Final
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from redis import RedisError

from accounts.errors import RETRY_SECONDS, SignInAway
from accounts.models import User
from accounts.staff import session
from deploy.staff import again, passkeys, ticket
from deploy.staff.forms import CodeForm, PasswordForm, ProofForm
from privacy import staff

WRONG: Final = "The e-mail or the password is wrong, or you are not on staff."
TOO_LATE: Final = "That took too long. Begin again with your password."
TOO_MANY: Final = "Too many attempts. Wait a few minutes, then try again."
# By which allauth refuses a guess beyond its limit.
TOO_MANY_CODE: Final = "too_many_login_attempts"


@csrf_protect
@never_cache
def page(request: HttpRequest, *, here: bool) -> HttpResponse:
    """Both steps, one after the other. `here`: they are signed in already."""
    if here:
        return onwards(request)
    if request.method != "POST":
        return show(request, PasswordForm())
    try:
        return _second_step(request) if "ticket" in request.POST else _first_step(request)
    except RedisError:
        return away(request)


def _first_step(request: HttpRequest) -> HttpResponse:
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
    if user is None or not (user.is_staff and user.is_active):
        _refused(User.objects.filter(email=email.lower(), is_staff=True).first())
        return show(request, form, WRONG, 403)
    if Authenticator.objects.filter(user=user).exists():
        return _ask(request, user, CodeForm(user=user), ticket=ticket.issue(user))
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session.enrol(request.session, timezone.now())
    return redirect(f"{reverse('admin:enrol')}?{urlencode({'next': wanted(request)})}")


def _second_step(request: HttpRequest) -> HttpResponse:
    user = ticket.holder(request.POST["ticket"])
    if user is None:
        return show(request, PasswordForm(), TOO_LATE, 403)
    form, refusal = _answered(request, user, CodeForm, ticket=request.POST["ticket"])
    if refusal:
        return refusal
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    form.save()
    session.begin(request.session, timezone.now())
    staff.note(staff.SIGNED_IN, user.pk)
    return onwards(request)


def prove(request: HttpRequest) -> HttpResponse:
    """The second factor anew, before what cannot be taken back.

    A form that came along (accounts.staff.pages.to_proof) is offered again behind it.
    """
    user: Any = request.user
    held = again.held(request)
    more = {"title": "Is it still you?", "held": held}
    if request.method != "POST" or again.arrives(request):
        return _ask(request, user, ProofForm(user=user), **more)
    try:
        form, refusal = _answered(request, user, ProofForm, **more)
    except RedisError:
        return away(request)
    if refusal:
        return refusal
    form.save()
    session.prove(request.session, timezone.now())
    return _offer(request, held) if held and wanted(request) else onwards(request)


def _offer(request: HttpRequest, held: str) -> HttpResponse:
    """What they were about to do, with one button."""
    context = {
        **admin.site.each_context(request),
        "title": "You are still you",
        "next": wanted(request),
        "what": request.GET.get("what") or "Go on",
        "fields": again.fields(held),
    }
    return TemplateResponse(request, "staff/again.html", context)


def _answered(
    request: HttpRequest, user: User, codes: type[Any], **more: Any
) -> tuple[Any, HttpResponse | None]:
    """The form whose `save` notes what was used; or what to say to an answer that does not count.

    A wrong one is noted by id.
    """
    by_passkey = bool(request.POST.get("credential"))
    again = codes is ProofForm
    form: Any = (
        passkeys.AnswerForm(request.POST, user=user, again=again)
        if by_passkey
        else codes(request.POST, user=user)
    )
    if form.is_valid():
        return form, None
    errors = [error for field in form.errors.as_data().values() for error in field]
    too_many = any(error.code == TOO_MANY_CODE for error in errors)
    if not too_many:
        _refused(user)
    said = TOO_MANY if too_many else passkeys.NOT_HERE if by_passkey else ""
    shown = codes(user=user) if by_passkey else form
    status = 429 if too_many else 403
    return form, _ask(request, user, shown, said=said, status=status, **more)


def _ask(request: HttpRequest, user: User, form: forms.Form, **more: Any) -> HttpResponse:
    """For the second factor: a code, or one of their passkeys."""
    return show(request, form, passkey=passkeys.question(user), **more)


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


def show(
    request: HttpRequest,
    form: forms.Form | None,
    said: str = "",
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The page of signing in."""
    context = {
        **admin.site.each_context(request),
        "title": "Sign in",
        "form": form,
        "said": said,
        "next": wanted(request),
        **more,
    }
    return TemplateResponse(request, "staff/signin.html", context, status=status)
