"""Where an answer goes, and sending it. An address is looked up, used and kept nowhere else."""

from datetime import datetime
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Final

from django.core.mail import EmailMessage

from accounts.models import User
from privacy import audit, claims
from privacy.desk import entries, letters
from privacy.desk.errors import AddressRefused, MailAway
from privacy.desk.letters import Template
from privacy.models import Case

FOR_GOOD: Final = 500  # SMTP: below this, the server asks to try again


def address(case: Case, now: datetime) -> str | None:
    """Of its account, or what the sender gave; None where nobody can be reached any more."""
    if case.subject_id is not None:
        user = User.objects.filter(pk=case.subject_id, is_active=True).first()
        return user.email if user else None
    if case.claim_id is not None:
        claim = claims.find(case.claim_id, now)
        return claims.open_words(claim).contact.reveal().decode() if claim else None
    asked = case.entries.filter(sort=entries.Sort.ASKED).select_related("case").first()
    said = entries.open_entry(asked, why=audit.Reason.STAFF) if asked else {}
    return said.get("contact") or None


def send(case: Case, template: Template, words: str, now: datetime) -> None:
    """Write to whoever asked. Raises MailAway; AddressRefused where nobody can be reached."""
    to = address(case, now)
    if to is None:
        raise AddressRefused
    facts = {"case": str(case.pk), "day": case.due_at.date().isoformat(), "words": words}
    subject, body = letters.write(template, case.language, facts)
    try:
        EmailMessage(subject, body, to=[to]).send()
    except SMTPRecipientsRefused as error:
        if all(code >= FOR_GOOD for code, _ in error.recipients.values()):
            raise AddressRefused from None
        raise MailAway from None
    except (SMTPException, OSError):
        # Without its cause: a mail server's answer may repeat the address.
        raise MailAway from None
