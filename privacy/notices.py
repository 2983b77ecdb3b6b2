"""What people are told before something of theirs ends, and of legal orders that were answered.

A mail names no picture, style or id, and holds one date at most. Its row and the mail go together:
the row is inserted, the mail handed over, and only then the row committed. A lock keeps two
upkeeps from writing to one person at once; a mail server that is down takes the row back, and the
next run tries again. What remains: a process that dies between mail and commit sends one mail
twice. The other order would lose one, and an account might end without a word.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused
from typing import Any, Final

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from accounts.models import User
from privacy import audit, erasure, letters, retention
from privacy.models import Blob, Erasure, LegalOrder, Notice
from privacy.retention import Kind, Term, term

log = logging.getLogger(__name__)

BATCH: Final = 500
REFUSED_FOR_GOOD: Final = 500  # SMTP: below this, the server asks to try again


_REASONS: Final[dict[str, audit.Reason]] = {
    Notice.Sort.PORTRAITS: audit.Reason.DEADLINE,
    Notice.Sort.ACCOUNT: audit.Reason.INACTIVITY,
    Notice.Sort.ORDER: audit.Reason.LEGAL_ORDER,
}


class MailDown(Exception):
    """The mail server does not take mail right now."""


# --- Portraits -----------------------------------------------------------------------------------


def remind_of_portraits(now: datetime) -> int:
    """Tell owners of portraits that end within three days: one mail a person a day at most.

    A notice stands for a person and a day on which portraits end, so what has been announced is
    not announced again.
    """
    total = 0
    for owner_id, days in _ending(now).items():
        user = User.objects.filter(pk=owner_id, is_active=True).first()
        if user is None:
            continue
        due = [(_midnight(day), retention.PORTRAIT_REMINDER.days) for day in days]
        try:
            total += _tell(user, Notice.Sort.PORTRAITS, due, days[0], now)
        except MailDown:
            break  # each attempt waits for the server; the next run begins again
    return total


def _ending(now: datetime) -> dict[uuid.UUID, list[date]]:
    """Person → the days on which portraits of theirs end soon, without those announced."""
    soon = Blob.objects.filter(
        kind=Kind.PORTRAIT,
        state=Blob.State.STORED,
        expires_at__gt=now,
        expires_at__lte=now + retention.PORTRAIT_REMINDER,
    )
    found: dict[uuid.UUID, set[date]] = {}
    for owner_id, end in soon.values_list("owner_id", "expires_at").iterator(chunk_size=BATCH):
        found.setdefault(owner_id, set()).add(end.date())
    announced = Notice.objects.filter(
        sort=Notice.Sort.PORTRAITS, ends_at__gte=_midnight(now.date())
    )
    for owner_id, end in announced.values_list("subject_id", "ends_at").iterator(chunk_size=BATCH):
        found.get(owner_id, set()).discard(end.date())
    return {owner_id: sorted(days) for owner_id, days in found.items() if days}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


# --- Accounts ------------------------------------------------------------------------------------


def next_step(end: datetime, sent: Mapping[int, datetime]) -> tuple[int | None, datetime]:
    """(days of the next warning, or None for the erasure; when that is due). The law, pure.

    `sent` maps the days of a warning to when it went out. The warnings go out in their order and
    at least a day apart, so that an outage of the sweep delays the end and shortens no notice.
    """
    earliest = datetime.min.replace(tzinfo=end.tzinfo)
    for warning in retention.ACCOUNT_WARNINGS:
        if warning.days not in sent:
            return warning.days, max(end - warning, earliest)
        earliest = sent[warning.days] + retention.WARNING_GAP
    return None, max(end, earliest)


def promised_day(end: datetime, days: int, now: datetime) -> date:
    """The first day on which an account can end whose warning of so many days goes out now."""
    still = sum(1 for warning in retention.ACCOUNT_WARNINGS if warning.days <= days)
    return max(end, now + still * retention.WARNING_GAP).date()


def tend_accounts(now: datetime) -> int:
    """Warn the owners of accounts that nobody uses, and erase those whose warnings are over."""
    total, mail = 0, True
    for user, end, sent in _idle(now):
        days, due = next_step(end, sent)
        if due > now:
            continue
        if days is None:
            total += _erase(user.pk, end, now)
        elif mail:
            try:
                total += _tell(
                    user, Notice.Sort.ACCOUNT, [(end, days)], promised_day(end, days, now), now
                )
            except MailDown:
                mail = False
    return total


def late(now: datetime) -> int:
    """Accounts whose next step should have been taken."""
    return sum(1 for _, end, sent in _idle(now) if next_step(end, sent)[1] <= now)


def _accounts() -> QuerySet[Any]:
    """Accounts that end by inactivity.

    Staff are left out: an installation whose administrators were erased could not be run any more,
    and they belong to its operator, who ends them by hand.
    """
    erased = Erasure.objects.filter(subject_id=OuterRef("pk"), scope=Erasure.Scope.ACCOUNT)
    return (
        User.objects.filter(~Exists(erased), is_staff=False, is_superuser=False)
        # Signing in notes `last_login`; the API notes `last_seen_at`, once an hour.
        .annotate(used_at=Greatest("last_seen_at", "last_login"))
    )


def _idle(now: datetime) -> Iterator[tuple[User, datetime, dict[int, datetime]]]:
    """(account, its end, the warnings of that end), longest unused first."""
    first = term(Term.ACCOUNT) - max(retention.ACCOUNT_WARNINGS)
    users = _accounts().filter(used_at__lte=now - first).order_by("used_at", "pk")
    ids = list(users.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        batch = list(_accounts().filter(pk__in=ids[start : start + BATCH]).order_by("used_at"))
        rows = Notice.objects.filter(
            sort=Notice.Sort.ACCOUNT, subject_id__in=[user.pk for user in batch]
        )
        sent: dict[tuple[uuid.UUID, datetime], dict[int, datetime]] = {}
        for row in rows:
            sent.setdefault((row.subject_id, row.ends_at), {})[row.days_before] = row.sent_at
        for user in batch:
            end = user.used_at + term(Term.ACCOUNT)
            # Whoever has signed in since has another end, and no warnings of it.
            yield user, end, sent.get((user.pk, end), {})


def _erase(user_id: uuid.UUID, end: datetime, now: datetime) -> bool:
    """Erase, unless its owner has come back in the last moment."""
    if not _accounts().filter(pk=user_id, used_at=end - term(Term.ACCOUNT)).exists():
        return False
    erasure.request(user_id, now)
    return True


# --- Legal orders --------------------------------------------------------------------------------


def tell_of_orders(now: datetime) -> int:
    """Tell people of legal orders that were answered, as soon as these do not forbid it any more.

    From then on the order is in the person's own copy; whoever has left cannot be told.
    """
    total = 0
    for order in _untold(now):
        user = User.objects.filter(pk=order.subject_id, is_active=True).first()
        at = order.sealed_at or now
        told = {"told_at": now, "telling": LegalOrder.Telling.GONE}
        if user is not None:
            told |= {"telling": LegalOrder.Telling.TOLD, "known_to": user.pk}
        try:
            with transaction.atomic():
                moved = LegalOrder.objects.filter(pk=order.pk, telling=LegalOrder.Telling.DUE)
                if not moved.update(**told):
                    continue
                if user and not _tell(user, Notice.Sort.ORDER, [(at, 0)], at.date(), now):
                    transaction.set_rollback(True)
                    continue
        except MailDown:
            break
        total += user is not None
    return total


def orders_late(now: datetime) -> int:
    """People who may know by now of an order about them, and do not."""
    return _untold(now).count()


def _untold(now: datetime) -> QuerySet[LegalOrder]:
    may = Q(silent_until=None, sealed_at__lte=now) | Q(silent_until__lte=now)
    rows = LegalOrder.objects.filter(
        may, state=LegalOrder.State.SEALED, telling=LegalOrder.Telling.DUE
    )
    return rows.order_by("pk")


# --- Mail ----------------------------------------------------------------------------------------


def _tell(
    user: User, sort: Notice.Sort, due: list[tuple[datetime, int]], day: date, now: datetime
) -> bool:
    """Note and send one mail. False: not now, or told something within a day. Raises MailDown.

    An address that the server refuses for good is noted as told: nobody reads there, and what is
    about to end must end all the same.
    """
    with transaction.atomic():
        if not _alone(user.pk) or _told(user.pk, sort, now):
            return False
        Notice.objects.bulk_create(
            Notice(subject_id=user.pk, sort=sort, ends_at=end, days_before=days, sent_at=now)
            for end, days in due
        )
        audit.record(audit.Verb.NOTICE_SENT, subject_id=user.pk, reason=_REASONS[sort])
        subject, body = letters.write(sort, user.pk, day)
        message = EmailMessage(subject, body, to=[user.email])
        try:
            message.send()
        except SMTPRecipientsRefused as error:
            log.warning("address_refused")
            if any(code < REFUSED_FOR_GOOD for code, _ in error.recipients.values()):
                transaction.set_rollback(True)
                return False
        except SMTPDataError:
            # This one mail was refused: the next run tries it again, and the others go out.
            log.warning("mail_refused")
            transaction.set_rollback(True)
            return False
        except (SMTPException, OSError) as error:
            raise MailDown from error
    return True


def _alone(owner_id: uuid.UUID) -> bool:
    """Whether no other upkeep is writing to this person right now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"tell {owner_id}"])
        return bool(cursor.fetchone()[0])


def _told(owner_id: uuid.UUID, sort: Notice.Sort, now: datetime) -> bool:
    rows = Notice.objects.filter(subject_id=owner_id, sort=sort)
    return rows.filter(sent_at__gt=now - retention.WARNING_GAP).exists()
