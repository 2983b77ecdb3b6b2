"""Upkeep's login is narrow, and wide enough: every sweep runs with it on rows that are due."""

import json
import subprocess
import sys

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack

START = "import json, sys, uuid, django\ndjango.setup()\n"
# Rows past each term, as the owner of the tables makes them.
MAKE = """
from datetime import timedelta
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from accounts.models import Session, User
from privacy import retention
from privacy.models import *
from privacy.retention import Term, term
now = timezone.now()
old = now - timedelta(days=5 * 365 + 1)
who, other = uuid.uuid4(), uuid.uuid4()
seen = now - timedelta(days=400)
user = User.objects.create(id=who, email=f"{who.hex}@example.org", last_seen_at=seen)
document = ConsentDocument.objects.order_by("pk")[0]
end = seen + term(Term.ACCOUNT)
for warning in retention.ACCOUNT_WARNINGS:
    Notice.objects.create(subject_id=who, sort="account", ends_at=end,
                          days_before=warning.days, sent_at=end - warning)
Notice.objects.create(subject_id=other, sort="account", ends_at=old, days_before=1, sent_at=old)
consent = Consent.objects.create(subject_id=other, document=document, verb="granted", act="call",
                                 client="t", at=old)
ConsentEvidence.objects.create(consent=consent, key_label="t", enc=b"", body=b"", expires_at=old)
ConsentServing.objects.create(subject_id=other, document=document, at=old)
AuditEvent.objects.create(verb=10, actor=1, at=old)
erasure = Erasure.objects.create(id=uuid.uuid4(), subject_id=other, stage="proved",
                                 requested_at=old, proved_at=old)
ErasureRecipient.objects.create(erasure=erasure, name="a", next_at=old)
Session.objects.create(session_key=who.hex[:32], session_data="", expire_date=old)
FaceClaim.objects.create(language="en", capsule=b"", body=b"", received_at=old, due_at=old,
                         expires_at=old)
case = Case.objects.create(kind="abuse", source="staff", language="en", received_at=old,
                           first_due_at=old, due_at=old, state="closed", outcome="done",
                           closed_at=old)
Case.objects.create(kind="abuse", source="staff", language="en", received_at=old, lead=case,
                    first_due_at=old, due_at=old, state="closed", outcome="done", closed_at=old)
CaseEntry.objects.create(case=case, sort="note", capsule=b"", body=b"", at=old, expires_at=old)
LegalOrder.objects.create(subject_id=other, reason="court", recipient_sha256=b"", first_id=other,
                          filed_at=old)
sealed = LegalOrder.objects.create(subject_id=other, reason="court", recipient_sha256=b"",
                                   first_id=other, second_id=who, approved_at=now, filed_at=now,
                                   state="sealed", sealed_at=now, package_sha256=b"")
Verdict.objects.create(run_id=who, role="web", outcomes={}, at=old)
OwnerKey.objects.create(owner_id=other, public=b"", prefix=other.hex)
export = Export.objects.create(owner_id=other, requested_at=old, expires_at=old)
blob = Blob.objects.create(owner_id=other, kind=9, recipient=1, name=f"export/{other.hex}/1",
                           created_at=old, expires_at=old + timedelta(days=1))
Capsule.objects.create(blob=blob, enc=b"")
ExportPart.objects.create(export=export, sort="photo", source_id=who, blob=blob)
from portraits.models import Item, Job, Style
job = Job.objects.create(owner_id=who, state="failed", body_sha256=b"", key_sha256=who.bytes,
                         created_at=old, start_by=old, ended_at=old)
style = Style.objects.create(slug=who.hex, name="t", description="", engine="t",
                             recipe={"style": "t"})
Item.objects.create(job=job, style=style, position=0, seed=1)
print(json.dumps(str(who)))
"""
WORK = """
from django.utils import timezone
from privacy import notices, sweeps, terms
from privacy.models import Erasure
now = timezone.now()
sweeps.expire(now)
terms.end(now)
notices.remind_of_portraits(now)
notices.tend_accounts(now)
notices.tell_of_orders(now)
erased = Erasure.objects.filter(subject_id=sys.argv[1]).exists()
print(json.dumps({"late": terms.late(now), "erased": erased, "backlog": sweeps.backlog(now)}))
"""


def run(stack: Stack, role: Role, script: str, *arguments: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", START + script, *arguments],
        cwd=ROOT,
        env=stack.env(role),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_every_sweep_runs_with_upkeeps_own_login(stack: Stack) -> None:
    stack.migrate()
    who = run(stack, Role.MIGRATOR, MAKE)
    said = run(stack, Role.UPKEEP, WORK, str(who))
    assert isinstance(said, dict)
    assert said["erased"]
    assert {name: count for name, count in said["late"].items() if count} == {}
    kept = ("past_deadline", "accounts_late", "erasures_late", "orders_untold")
    assert [said["backlog"][name] for name in kept] == [0, 0, 0, 0]
