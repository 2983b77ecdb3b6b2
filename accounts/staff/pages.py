"""What the admin's pages are made of: nothing is edited by hand, and an act asks before it acts.

An act takes a permission of its own, a proof of who one is from the last ten minutes, and leaves
its note. One on a single thing is asked for by a link and done by a button, so that nothing happens
by following an address. What is sent with a proof that is too old is not done, and is not lost
either: it is offered once more behind the code.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.enums import ActionVariant

from accounts.models import User
from accounts.staff import acts, session

PERMISSION: Final = "permission"
# Nothing has this id.
NOBODY: Final = "nobody"


def to_proof(request: HttpRequest, *, what: str = "", keep: bool = True) -> HttpResponse:
    """Ask for a code anew, then lead back here.

    A form goes along: the browser sends it on to the page that asks (a redirect by 307), which
    offers it once more, by the name `what`, when the code was right. `keep=False` drops it: a form
    with a password is typed again.
    """
    goes_along = keep and request.method == "POST"
    said = {"next": request.get_full_path()} | ({"what": what} if goes_along and what else {})
    return redirect(f"{reverse('admin:prove')}?{urlencode(said)}", preserve_request=goes_along)


def fresh(request: HttpRequest) -> bool:
    """Whether who asks has shown within the last minutes who they are."""
    return session.fresh(request.session, timezone.now())


def stepped_up(
    view: Callable[..., HttpResponse], *, what: str = "", keep: bool = True
) -> Callable[..., HttpResponse]:
    """For a view of one's own, `view(request, …)`: only behind a fresh proof (see `to_proof`)."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not fresh(request):
            return to_proof(request, what=what, keep=keep)
        return view(request, *args, **kwargs)

    return inner


def act(
    permission: str,
    *,
    description: str,
    says: str = "",
    step_up: bool = True,
    icon: str | None = None,
    danger: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A method of a page: `(self, request, queryset)` in `actions`, `(self, request, object_id)` in
    `actions_detail` and `actions_row`, `(self, request)` in `actions_list`.

    `permission`: "<app>.<verb>_<model>". `says`: what it will do, for the page that asks. What is
    returned is the answer; None leads back.
    """
    verb = permission.partition(".")[2]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def inner(page: Any, request: HttpRequest, queryset: Any = None, **where: str) -> Any:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if step_up and not fresh(request):
                return to_proof(request, what=description)
            if queryset is not None:
                return _do_many(page, request, function, inner, queryset)
            return _do_one(page, request, function, inner, where.get("object_id"))

        # What Django and Unfold look for on an action.
        vars(inner).update(
            {
                PERMISSION: permission,
                "allowed_permissions": [verb],
                "short_description": description,
                "says": says,
                "attrs": {},
                "icon": icon,
                "danger": danger,
                "variant": ActionVariant.DANGER if danger else ActionVariant.DEFAULT,
                "original_function_name": function.__name__,
            }
        )
        return inner

    return decorate


def _do_many(page: Any, request: HttpRequest, function: Any, doing: Any, queryset: Any) -> Any:
    """What was chosen in a list, and its button was pressed."""
    ids = list(queryset.values_list("pk", flat=True))
    if not ids:
        return None
    acts.note(request, doing.permission, object_ids=ids)
    return function(page, request, queryset)


def _do_one(
    page: Any, request: HttpRequest, function: Any, doing: Any, object_id: str | None
) -> Any:
    """One thing, or none in particular: asked first, because a link must do nothing."""
    thing = None if object_id is None else page.get_object(request, unquote(object_id))
    if object_id is not None and thing is None:
        raise Http404
    if request.method != "POST":
        return _ask(page, request, thing, doing)
    ids = () if thing is None else (str(thing.pk),)
    acts.note(request, doing.permission, object_ids=ids)
    return function(page, request, *ids) or redirect(page.address_of(thing))


def _ask(page: Any, request: HttpRequest, thing: Any, doing: Any) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": doing.short_description,
        "thing": thing,
        "says": doing.says,
        "opts": page.opts,
        "danger": doing.danger,
        "back": page.address_of(thing),
    }
    return TemplateResponse(request, "staff/confirm.html", context)


def _asks(permission: str) -> Callable[..., bool]:
    def has_permission(page: Any, request: HttpRequest, thing: object = None) -> bool:
        return bool(request.user.has_perm(permission))

    return has_permission


class Page(ModelAdmin):
    """Of one model. Nothing is added or deleted; who may look at it, the role table says."""

    list_per_page = 50
    # Counting every row of a large table takes longer than showing a page of it.
    show_full_result_count = False
    # Whether its search takes somebody's whole address for their id.
    finds_people = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Django asks a page `has_<verb>_permission` of each act; here every act has one."""
        super().__init_subclass__(**kwargs)
        for name in dir(cls):
            permission = getattr(getattr(cls, name, None), PERMISSION, None)
            if isinstance(permission, str):
                verb = permission.partition(".")[2]
                setattr(cls, f"has_{verb}_permission", _asks(permission))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The list. Django lets an act that somebody may not do pass for none; here it is a 403."""
        if request.method == "POST" and SEARCH_VAR in request.POST:
            return self._search(request)
        wanted = {name for name in request.POST.getlist("action") if name}
        if wanted - self.get_actions(request).keys():
            raise PermissionDenied
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(chosen)
            except ValidationError:
                raise BadRequest from None
        return super().changelist_view(request, extra_context)

    def _search(self, request: HttpRequest) -> HttpResponse:
        """To the list of what was found, with an id where somebody's address was typed.

        An address that is opened is kept by browsers and by the logs of whatever stands before us.
        """
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        shown, said = request.POST.copy(), str(request.POST[SEARCH_VAR])
        shown.pop("csrfmiddlewaretoken", None)
        if "@" in said:
            shown[SEARCH_VAR] = self._person(request, said.strip().lower())
        return redirect(f"{request.path}?{shown.urlencode()}")

    def _person(self, request: HttpRequest, email: str) -> str:
        """The id of the account with this address."""
        if not self.finds_people:
            messages.info(request, "Nothing here is found by an address. Accounts says the id.")
            return NOBODY
        found = User.objects.filter(email=email).values_list("pk", flat=True).first()
        if found is None:
            messages.info(request, "No account has this address.")
        return str(found or NOBODY)

    def address_of(self, thing: Any) -> str:
        """Its own page, or the list."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if thing is None:
            return reverse(f"{name}_changelist")
        return reverse(f"{name}_change", args=[thing.pk])

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nothing is made by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """`delete()` is no erasure; sweeps and the erasure's own machine are."""
        return False


class ReadOnly(Page):
    """Looked at; what may be done is an act."""

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nothing is edited."""
        return False


class Editable(Page):
    """Its fields may be changed by who has the permission, behind a fresh proof."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The page and its saving."""
        if request.method == "POST" and not fresh(request):
            return to_proof(request, what="Save")
        return super().changeform_view(request, object_id, form_url, extra_context)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """By id, and not what was written."""
        self._note(request, "change", obj)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The same, where something may be begun."""
        self._note(request, "add", obj)

    def _note(self, request: HttpRequest, verb: str, obj: Any) -> None:
        permission = f"{self.opts.app_label}.{verb}_{self.opts.model_name}"
        acts.note(request, permission, object_ids=[obj.pk])


class Inline(TabularInline):
    """Rows of a thing, shown beneath it."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nothing is made by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nothing is edited."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may look at the thing may look at its rows."""
        return True
