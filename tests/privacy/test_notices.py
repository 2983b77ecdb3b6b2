"""Nobody loses a portrait or an account without a word, and no word says too much."""

import email
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.policy import default
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Session, User
from privacy import letters, notices, retention
from privacy.models import AuditEvent, Blob, Consent, ConsentDocument, Erasure, Notice
from privacy.retention import ACCOUNT_WARNINGS, PORTRAIT_REMINDER, WARNING_GAP, Kind, Term, term
from tests.portraits.making import now, owner, person, written
from tests.privacy import mailserver
from tests.privacy.alone import alone

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
YEAR = term(Term.ACCOUNT)


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with alone("sitter_notices"):
        yield


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")
    Notice.objects.all().delete()
    User.objects.filter(is_staff=False).delete()


@pytest.fixture
def server(settings_of: Any) -> Iterator[mailserver.MailServer]:
    with mailserver.running(settings_of) as running:
        yield running


def address(who: uuid.UUID) -> str:
    return User.objects.get(pk=who).email


def with_portraits(*ends: datetime) -> uuid.UUID:
    who = owner()
    for end in ends:
        blob = written(Kind.PORTRAIT, who, b"a portrait")
        Blob.objects.filter(pk=blob.pk).update(expires_at=end)
    return who


def unused_since(moment: datetime) -> uuid.UUID:
    who = person()
    User.objects.filter(pk=who).update(last_seen_at=moment, last_login=None)
    return who


def warnings(who: uuid.UUID) -> list[int]:
    rows = Notice.objects.filter(subject_id=who, sort=Notice.Sort.ACCOUNT).order_by("sent_at")
    return list(rows.values_list("days_before", flat=True))


def speaks(who: uuid.UUID, language: str) -> None:
    document = ConsentDocument.objects.filter(language=language).order_by("pk")[0]
    Consent.objects.create(
        subject_id=who, document=document, verb="granted", act="call", client="t", at=now()
    )


def read(raw: bytes) -> tuple[str, str]:
    message = email.message_from_bytes(raw, policy=default)
    return str(message["Subject"]), str(message.get_content()).replace("\r\n", "\n")


# --- Portraits ----------------------------------------------------------------------------------


def test_one_mail_a_day_whatever_the_number_of_portraits(server: mailserver.MailServer) -> None:
    at = datetime.combine(now().date(), datetime.min.time(), UTC) + 12 * HOUR
    soon = [at + PORTRAIT_REMINDER - HOUR * hours for hours in range(5)]
    who = with_portraits(*soon, at + 4 * DAY, at + 30 * DAY)
    assert notices.remind_of_portraits(at - 7 * HOUR) == 0
    assert notices.remind_of_portraits(at) == 1
    assert notices.remind_of_portraits(at + HOUR) == 0
    # The next day's portrait is announced the next day, the last one not for weeks.
    assert notices.remind_of_portraits(at + 23 * HOUR) == 0
    assert notices.remind_of_portraits(at + 25 * HOUR) == 1
    assert notices.remind_of_portraits(at + 50 * HOUR) == 0
    assert len(server.sent_to(address(who))) == 2
    assert (
        AuditEvent.objects.filter(
            subject_id=who, verb=AuditEvent.Verb.NOTICE_SENT, reason=AuditEvent.Reason.DEADLINE
        ).count()
        == 2
    )


def test_a_portrait_that_is_gone_or_a_person_who_is_shut_out_gets_no_mail(
    server: mailserver.MailServer,
) -> None:
    gone, shut_out = with_portraits(now() + DAY), with_portraits(now() + DAY)
    Blob.objects.filter(owner_id=gone).update(state=Blob.State.SHREDDED)
    User.objects.filter(pk=shut_out).update(is_active=False)
    with_portraits()
    assert notices.remind_of_portraits(now()) == 0
    assert not server.mails


@pytest.mark.parametrize("language", ["en", "de", None])
def test_a_mail_is_in_the_language_of_the_signed_text_and_names_nothing(
    server: mailserver.MailServer, language: str | None
) -> None:
    end = now() + DAY
    who = with_portraits(end)
    if language:
        speaks(who, language)
    notices.remind_of_portraits(now())
    ((to, raw),) = server.mails
    subject, body = read(raw)
    assert to == address(who)
    wanted = letters.TEXTS[Notice.Sort.PORTRAITS][language or "en"]
    assert subject == wanted[0]
    assert body.strip() == wanted[1].format(day=f"{end:%Y-%m-%d}").strip()
    own = [str(who), who.hex, to.partition("@")[0]]
    own += [str(blob.pk) for blob in Blob.objects.filter(owner_id=who)]
    assert not any(word in subject + body for word in own)


def test_every_letter_is_written_in_the_same_languages() -> None:
    languages = {frozenset(texts) for texts in letters.TEXTS.values()}
    assert languages == {frozenset({"en", "de"})}
    for texts in letters.TEXTS.values():
        for subject, body in texts.values():
            assert "{" not in subject
            assert body.count("{day}") == body.count("{") == 1


# --- Mail servers -------------------------------------------------------------------------------


def test_a_server_that_is_down_means_later_and_not_never(
    server: mailserver.MailServer, settings_of: Any
) -> None:
    who = with_portraits(now() + DAY)
    idle = unused_since(now() - YEAR + 30 * DAY)
    port = server.server_address[1]
    settings_of(EMAIL_PORT=1)
    assert notices.remind_of_portraits(now()) == notices.tend_accounts(now()) == 0
    assert not Notice.objects.exists()
    settings_of(EMAIL_PORT=port)
    assert notices.remind_of_portraits(now()) == notices.tend_accounts(now()) == 1
    assert [to for to, _ in server.mails] == [address(who), address(idle)]


def test_one_address_that_must_wait_does_not_hold_up_the_others(
    server: mailserver.MailServer,
) -> None:
    waiting, fine = with_portraits(now() + DAY), with_portraits(now() + DAY)
    server.refused[address(waiting)] = 451
    assert notices.remind_of_portraits(now()) == 1
    assert len(server.sent_to(address(fine))) == 1
    server.refused.clear()
    assert notices.remind_of_portraits(now()) == 1
    assert len(server.sent_to(address(waiting))) == 1


def test_an_address_that_is_refused_for_good_counts_as_told(
    server: mailserver.MailServer,
) -> None:
    who = unused_since(now() - YEAR + 30 * DAY)
    server.refused[address(who)] = 550
    assert notices.tend_accounts(now()) == 1
    assert warnings(who) == [30]


def test_a_mail_that_is_refused_as_such_is_tried_again(server: mailserver.MailServer) -> None:
    who = with_portraits(now() + DAY)
    server.data_code = 554
    assert notices.remind_of_portraits(now()) == 0
    assert not Notice.objects.exists()
    server.data_code = 250
    assert notices.remind_of_portraits(now()) == 1
    assert len(server.sent_to(address(who))) == 1


def test_two_upkeeps_at_once_send_one_mail(server: mailserver.MailServer) -> None:
    people = [with_portraits(now() + DAY) for _ in range(10)]
    at, totals = now(), []

    def remind() -> None:
        totals.append(notices.remind_of_portraits(at))
        connection.close()

    threads = [threading.Thread(target=remind) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(totals) == len(people)
    assert [len(server.sent_to(address(who))) for who in people] == [1] * 10


# --- Accounts -----------------------------------------------------------------------------------

END = datetime(2030, 1, 31, tzinfo=UTC)


@given(
    st.lists(st.integers(-60 * 24, 60 * 24).map(lambda hours: END + hours * HOUR), min_size=1).map(
        sorted
    )
)
def test_whenever_the_sweep_runs_the_warnings_come_first_in_order_and_a_day_apart(
    runs: list[datetime],
) -> None:
    sent: dict[int, datetime] = {}
    promised: list[date] = []
    order = [warning.days for warning in ACCOUNT_WARNINGS]
    for run in runs:
        days, due = notices.next_step(END, sent)
        if due > run:
            continue
        if days is None:
            assert run >= END
            assert list(sent) == order
            assert run.date() >= max(promised)
            assert run >= max(sent.values()) + WARNING_GAP
            break
        assert run >= END - timedelta(days=days)
        assert all(run - before >= WARNING_GAP for before in sent.values())
        promised.append(notices.promised_day(END, days, run))
        sent[days] = run
    assert list(sent) == order[: len(sent)]


def test_a_sweep_that_runs_every_day_ends_an_account_on_its_day() -> None:
    sent: dict[int, datetime] = {}
    for day in range(-40, 2):
        days, due = notices.next_step(END, sent)
        if due <= END + day * DAY:
            if days is None:
                assert day == 0
                return
            assert day == -days
            sent[days] = END + day * DAY
    raise AssertionError("It never ended.")


def test_an_unused_account_is_warned_three_times_and_then_erased(
    server: mailserver.MailServer,
) -> None:
    seen = now() - timedelta(days=400)
    who, end = unused_since(seen), seen + YEAR
    for days in (31, 30, 29, 7, 6, 1):
        notices.tend_accounts(end - days * DAY)
    assert warnings(who) == [30, 7, 1]
    assert not Erasure.objects.filter(subject_id=who).exists()
    assert notices.late(end - SECOND) == 0
    assert notices.late(end) == 1
    assert notices.tend_accounts(end) == 1
    assert Erasure.objects.filter(subject_id=who, scope="account").exists()
    assert notices.late(end) == notices.tend_accounts(end + DAY) == 0
    assert len(server.sent_to(address(who))) == 3
    subject, body = read(server.sent_to(address(who))[0])
    assert f"{end:%Y-%m-%d}" in body
    assert subject == letters.TEXTS[Notice.Sort.ACCOUNT]["en"][0]


SECOND = timedelta(seconds=1)


def test_behind_an_outage_the_warnings_come_first_a_day_apart(
    server: mailserver.MailServer,
) -> None:
    seen = now() - timedelta(days=500)
    who, back = unused_since(seen), now()
    for hours in range(0, 72, 6):
        notices.tend_accounts(back + hours * HOUR)
        assert not Erasure.objects.filter(subject_id=who).exists()
    assert warnings(who) == [30, 7, 1]
    for raw in server.sent_to(address(who)):
        assert f"{back + 3 * DAY:%Y-%m-%d}" in read(raw)[1]
    notices.tend_accounts(back + 72 * HOUR)
    assert Erasure.objects.filter(subject_id=who).exists()


@pytest.mark.parametrize("way", ["last_login", "last_seen_at"])
def test_coming_back_keeps_the_account_and_starts_anew(
    server: mailserver.MailServer, way: str
) -> None:
    seen = now() - timedelta(days=500)
    who, back = unused_since(seen), now()
    for days in range(3):
        notices.tend_accounts(back + days * DAY)
    User.objects.filter(pk=who).update(**{way: back + 2 * DAY})
    notices.tend_accounts(back + 4 * DAY)
    assert not Erasure.objects.filter(subject_id=who).exists()
    notices.tend_accounts(back + 2 * DAY + YEAR - 30 * DAY)
    assert warnings(who) == [30, 7, 1, 30]


def test_whoever_comes_back_in_the_last_moment_is_not_erased(server: mailserver.MailServer) -> None:
    who, end = unused_since(now()), now()
    assert not notices._erase(who, end, now())
    assert not Erasure.objects.filter(subject_id=who).exists()


def test_staff_are_not_erased_for_being_away(server: mailserver.MailServer) -> None:
    who = unused_since(now() - 3 * YEAR)
    User.objects.filter(pk=who).update(is_staff=True)
    for days in range(5):
        assert notices.tend_accounts(now() + days * DAY) == 0
    assert not server.mails
    User.objects.filter(pk=who).delete()


def test_calling_the_api_is_noted_once_an_hour() -> None:
    who = unused_since(now() - 2 * HOUR)
    store = Session.get_session_store_class()()
    user = User.objects.get(pk=who)
    store["_auth_user_id"] = str(who)
    store["_auth_user_backend"] = "allauth.account.auth_backends.AuthenticationBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.create()

    def call() -> datetime:
        answer = Client(SERVER_NAME="localhost").get(
            "/v1/portraits", headers={"X-Session-Token": store.session_key}
        )
        assert answer.status_code == 200, answer.content
        return User.objects.get(pk=who).last_seen_at

    before = timezone.now()
    noted = call()
    assert noted >= before
    assert call() == noted
    long_ago = noted - HOUR - SECOND
    User.objects.filter(pk=who).update(last_seen_at=long_ago)
    assert call() > long_ago


def test_the_reminder_comes_early_enough_to_do_something() -> None:
    assert timedelta(days=1) <= PORTRAIT_REMINDER < retention.DEADLINES[Kind.PORTRAIT].default
    assert list(ACCOUNT_WARNINGS) == sorted(ACCOUNT_WARNINGS, reverse=True)
    assert min(ACCOUNT_WARNINGS) >= WARNING_GAP
