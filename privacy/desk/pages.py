"""The desk in the admin: a list with clocks, a page a request, a form for what came by mail.

Staff see states and times. What was written is opened on demand, on record, and shown once; an
e-mail address is typed in and never shown. Refuses whatever the desk's own functions refuse, in
their sentence.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.staff.pages import ReadOnly, stepped_up
from privacy.desk import answers, cases, gate, incoming, shown
from privacy.desk.answers import Answer, Ending
from privacy.desk.errors import CaseUnknown
from privacy.desk.forms import FinishForm, NewCaseForm, WordsForm
from privacy.desk.verbs import Choice
from privacy.errors import PrivacyError
from privacy.models import Case
from privacy.parts import Scope

LIST: Final = "admin:privacy_case_changelist"
PAGE: Final = "admin:privacy_case_change"


@admin.register(Case)
class CaseAdmin(ReadOnly):
    """Requests to support, the one that is due first on top."""

    list_display = (
        *("reference", "kind", "state", "identity", "answer_by", "due_at", "taken_by", "group"),
    )
    list_filter = ("state", "kind", "identity", "region")
    search_fields = ("=id", "=subject_id")
    finds_people = True
    search_help_text = "The number of a request or a report, or an account's id or exact e-mail"

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever notes what came by mail."""
        return gate.may(request, "note")

    # --- The list -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """With the size of each group."""
        rows: QuerySet[Case] = super().get_queryset(request)
        return rows.annotate(more=Count("duplicates"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Case], search_term: str
    ) -> tuple[QuerySet[Case], bool]:
        """By number or id."""
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return (queryset.none() if search_term else queryset), False
        # Whoever reported their face was told the number of the report, and no other.
        mine = Q(pk=wanted) | Q(subject_id=wanted) | Q(claim_id=wanted)
        return queryset.filter(mine), False

    @admin.display(description="Request")
    def reference(self, case: Case) -> str:
        """The beginning of its number."""
        return str(case.pk)[:8]

    @admin.display(description="First answer by", ordering="first_due_at")
    def answer_by(self, case: Case) -> str:
        """Or that there was one."""
        return "answered" if case.answered_at else f"{case.first_due_at:%Y-%m-%d %H:%M}"

    @admin.display(description="Taken by")
    def taken_by(self, case: Case) -> str:
        """The end of a colleague's id."""
        return shown.short(case.officer_id) if case.officer_id else "nobody"

    @admin.display(description="Group")
    def group(self, case: Case) -> str:
        """How many more the same person has sent, or that it is one of them."""
        more: int = getattr(case, "more", 0)
        return "goes with the first" if case.lead_id else f"{more} more" * bool(more)

    # --- One request --------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        """The two addresses that take what staff do."""
        acts = self.admin_site.admin_view(self.act_view)
        finish = self.admin_site.admin_view(stepped_up(self.finish_view, what="Answer and close"))
        return [
            path("<uuid:pk>/act/", acts, name="privacy_case_act"),
            path("<uuid:pk>/finish/", finish, name="privacy_case_finish"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Its clocks, what was written when, and what can be done now."""
        gate.need(request, "view")
        if request.method != "GET":
            raise PermissionDenied  # no field is edited by hand
        try:
            case = cases.find(uuid.UUID(object_id))
        except (ValueError, CaseUnknown):
            messages.error(request, CaseUnknown.sentence)
            return HttpResponseRedirect(reverse(LIST))
        return self._page(request, case)

    def act_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """One thing that staff do short of ending it."""
        officer_id = gate.need(request, "handle")
        back = HttpResponseRedirect(reverse(PAGE, args=[pk]))
        doing, said = request.POST.get("do", ""), request.POST.get("instead_of", "")
        form = WordsForm(request.POST) if doing in TYPED else None
        try:
            if doing == "show":
                return self._opened(request, pk)
            if form is not None:
                if not form.is_valid():
                    return self._page(request, cases.find(pk), words=form)
                said = form.cleaned_data["words"]
            act = ACTS[doing]
            gate.noted(request, "handle", pk)
            done = act(pk, officer_id, said, timezone.now())
        except (KeyError, ValueError):
            return back  # no button of this page sends that
        except PrivacyError as error:
            return self._refused(request, pk, error, words=form)
        messages.success(request, done)
        return back

    def _refused(
        self,
        request: HttpRequest,
        pk: uuid.UUID,
        error: PrivacyError,
        *,
        words: WordsForm | None = None,
        finish: FinishForm | None = None,
    ) -> HttpResponse:
        """In its sentence, with what was typed: it is too long to be typed again in a minute."""
        messages.error(request, str(error))
        if isinstance(error, CaseUnknown) or not (words or finish):
            return HttpResponseRedirect(reverse(PAGE, args=[pk]))
        return self._page(request, cases.find(pk), words=words, finish=finish)

    def _opened(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page with what was written, this once. Raises CaseUnknown."""
        gate.need(request, "open")
        case = cases.find(pk)
        gate.noted(request, "open", pk)
        return self._page(request, case, opened=True)

    def finish_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """End it, with its letter."""
        officer_id = gate.need(request, "finish")
        back = HttpResponseRedirect(reverse(PAGE, args=[pk]))
        if request.method != "POST":
            return back
        form = None
        try:
            case = cases.find(pk)
            form = FinishForm(case, request.POST)
            if not form.is_valid():
                return self._page(request, case, finish=form)
            said = form.cleaned_data
            choice = Choice(said.get("scope") or Scope.ACCOUNT, said.get("region", ""))
            answer = Answer(Ending(said["ending"]), said["words"], choice)
            gate.noted(request, "finish", pk)
            answers.finish(pk, officer_id, answer, timezone.now())
        except PrivacyError as error:
            return self._refused(request, pk, error, finish=form)
        messages.success(request, "Closed. The receipt is on this page.")
        return back

    def _page(
        self,
        request: HttpRequest,
        case: Case,
        *,
        opened: bool = False,
        words: WordsForm | None = None,
        finish: FinishForm | None = None,
    ) -> HttpResponse:
        me = gate.need(request, "view")
        mine = case.state == Case.State.OPEN and case.lead_id is None and case.officer_id == me
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{case.get_kind_display()}, request {str(case.pk)[:8]}",
            "case": case,
            "facts": {"rows": list(shown.facts(case, me))},
            "written": shown.written(case, me, opened=opened),
            "others": case.duplicates.order_by("received_at"),
            "step": shown.next_step(case, me),
            "mine": mine,
            "can": {verb: gate.may(request, verb) for verb in gate.VERBS},
            "words": words or WordsForm(),
            "finish": finish or FinishForm(case),
        }
        return TemplateResponse(request, "privacy/desk/case.html", context)

    # --- What came by mail --------------------------------------------------------------------

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Note it; the clock runs from the day on which it came."""
        officer_id, now = gate.need(request, "note"), timezone.now()
        form = NewCaseForm(request.POST or None, initial={"received": now.date()})
        if request.method == "POST" and form.is_valid():
            try:
                case = _noted(form.cleaned_data, officer_id, now)
            except PrivacyError as error:
                form.add_error("who", str(error))
            else:
                gate.noted(request, "note", case.pk)
                messages.success(request, "Noted. Take it, and send the first answer.")
                return HttpResponseRedirect(reverse(PAGE, args=[case.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Note a request",
            "form": form,
        }
        return TemplateResponse(request, "privacy/desk/new.html", context)


def _noted(said: dict[str, Any], officer_id: uuid.UUID, now: datetime) -> Case:
    kind = Case.Kind(said["kind"])
    asked = incoming.Asked(kind, said["language"], said["words"], said["contact"])
    received = min(said["received"], now)
    return incoming.by_hand(asked, said["who"], said["region"], received, officer_id, now)


# --- What staff do ------------------------------------------------------------------------------


def _take(pk: uuid.UUID, me: uuid.UUID, seen: str, now: datetime) -> str:
    cases.take(pk, me, now, instead_of=uuid.UUID(seen) if seen else None)
    return "It is yours."


def _give_back(pk: uuid.UUID, me: uuid.UUID, said: str, now: datetime) -> str:
    cases.give_back(pk, me)
    return "Anybody can take it now."


def _acknowledge(pk: uuid.UUID, me: uuid.UUID, said: str, now: datetime) -> str:
    answers.acknowledge(pk, me, now)
    return "The first answer is sent."


def _note(pk: uuid.UUID, me: uuid.UUID, words: str, now: datetime) -> str:
    cases.note(pk, me, words, now)
    return "Noted."


def _extend(pk: uuid.UUID, me: uuid.UUID, words: str, now: datetime) -> str:
    end = answers.extend(pk, me, words, now)
    return f"The person was told. It is due on {end:%Y-%m-%d} now."


# Name of the button → what it does with the case, the officer, what was typed, and the time.
ACTS: Final[dict[str, Callable[[uuid.UUID, uuid.UUID, str, datetime], str]]] = {
    "take": _take,
    "give_back": _give_back,
    "acknowledge": _acknowledge,
    "note": _note,
    "extend": _extend,
}
TYPED: Final = frozenset({"note", "extend"})
