"""What people need from us that no service answers for: texts to sign, and letters."""

from collections.abc import Iterator
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection

from accounts.models import Region
from deploy.doctor.findings import Finding, error, named
from privacy.models import ConsentDocument


def texts(now: datetime) -> Iterator[Finding]:
    """A text for each purpose in each region and language; without it nobody there can sign."""
    languages = [code for code, _ in settings.LANGUAGES]
    there = set(
        ConsentDocument.objects.filter(retired_at=None).values_list("purpose", "region", "language")
    )
    missing = [
        f"{purpose}/{region}/{language}"
        for purpose in ConsentDocument.Purpose.values
        for region in Region.values
        for language in languages
        if (purpose, region, language) not in there
    ]
    if missing:
        yield error(
            "consents.missing",
            f"There is no consent text that can be signed for {named(missing)}.",
            "Run `manage.py migrate`; texts come by migrations, with their versions.",
        )


def mail(now: datetime) -> Iterator[Finding]:
    """Whether letters leave this machine: codes, notices, receipts."""
    if settings.EMAIL_FILE_PATH:
        if settings.PRODUCTION:
            yield error(
                "mail.folder",
                "SITTER_MAIL_FOLDER is set, so letters are written to a disk and reach nobody.",
                "Set SITTER_MAIL_URL instead.",
            )
        return
    connection = get_connection(timeout=5)
    try:
        connection.open()
        connection.close()
    except (OSError, SMTPException) as refusal:
        yield error(
            "mail.away",
            f"The mail server does not take us ({type(refusal).__name__}).",
            "Look at SITTER_MAIL_URL: host, port, login.",
        )
