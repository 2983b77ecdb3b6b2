"""The daily proof: it holds on a clean system, and each fault fails the check named for it."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import User
from deploy.stack.supervisor import Stack
from portraits import painting
from portraits.models import Job, ReferenceSet
from privacy import (
    bucket,
    chain,
    checks,
    consent,
    keys,
    ledgerstore,
    policy,
    probes,
    proof,
    proofbodies,
    restore,
    signing,
    stops,
    storage,
    vault,
)
from privacy.audit import Reason, Verb
from privacy.crypto import Recipient
from privacy.errors import BlobGone, KeyNotHeld, ProbeRefused, StorageDown
from privacy.models import (
    AuditEvent,
    Blob,
    Erasure,
    OwnerKey,
    RootEpoch,
    TransparencyReport,
    Verdict,
)
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    owner,
    sign,
    sizes,
    style,
    submitted,
    written,
)
from tests.privacy.alone import acting_as, alone, give_grants, superuser, wipe

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NO_WAIT = timedelta(0)


@pytest.fixture(scope="module")
def _alone(stack: Stack) -> Iterator[None]:
    with alone("sitter_proof"):
        give_grants(stack.admin_database_url)
        yield


@pytest.fixture(autouse=True)
def _clean(_alone: None, born: Any, stack: Stack) -> None:
    wipe(stack.admin_database_url)
    born("keeper")
    keys.make_root_key(now())
    keys.publish_evidence_key(now().date())
    keys.ensure_owner(keys.SYSTEM_OWNER, now())
    born("intake")
    keys.publish_fleet_keys(now().date())
    born("upkeep")
    keys.publish_receipt_key(now().date())


@pytest.fixture
def tamper(stack: Stack) -> Iterator[Any]:
    with superuser(stack.admin_database_url) as admin:
        yield lambda statement, *values: admin.execute(statement.encode(), values)


@pytest.fixture
def roles_answer(born: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Each role tries the canaries in this process, with its own keys and its own login."""

    def answers(*absent: str) -> None:
        def ask(run_id: uuid.UUID, at: Any) -> None:
            for role in probes.OPENS.keys() - set(absent):
                born(role)
                with acting_as(role):
                    assert probes.probe(run_id, at)
            born("upkeep")

        monkeypatch.setattr(probes, "ask", ask)

    answers()
    return answers


@pytest.fixture
def a_life(born: Any) -> uuid.UUID:
    """Somebody with a photo, a finished portrait and a job; sealed into the ledgers."""
    born("web")
    who, painted = consenting(), style()
    submitted(who, painted, count=2)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    born("upkeep")
    chain.seal(now())
    return who


def failed(wait: timedelta = NO_WAIT, **options: Any) -> set[str]:
    return {result.name for result in proof.run(now(), wait=wait, **options) if not result.holds}


# --- A clean system -------------------------------------------------------------------------------


def test_every_promise_holds_on_a_clean_system(
    roles_answer: Callable[..., None], a_life: uuid.UUID
) -> None:
    results = proof.run(now(), wait=timedelta(seconds=5), everything=True)
    assert {result.name: result.wrong for result in results if not result.holds} == {}
    assert [result.name for result in results] == [
        "past_deadline", "blob_complete", "consent_of_inputs", "orphan_objects", "orphan_rows",
        "bodies_match", "ledger.consent", "ledger.audit", "inventory", "facts", "erasures_late",
        "receipts_verify", "root_age", "bucket", "restore_ledger",
        *(f"compartment.{role}" for role in ("web", "intake", "gpu", "keeper", "upkeep")),
        "compartment.beat", "compartment.flower",
    ]  # fmt: skip
    looked = {result.name: result.n for result in results}
    assert looked["blob_complete"] == looked["bodies_match"] == looked["orphan_rows"] == 3
    assert looked["consent_of_inputs"] == 2
    assert looked["ledger.consent"] >= 2
    assert all(result.says.endswith(".") for result in results)


def test_it_leaves_verdicts_an_event_and_a_report_and_no_canary(
    roles_answer: Callable[..., None],
) -> None:
    proof.run(now(), wait=timedelta(seconds=5))
    assert not Blob.objects.exclude(state="shredded").exists()
    assert AuditEvent.objects.get(verb=Verb.PROVED).reason == Reason.PROOF
    rows = {row.role: row.outcomes for row in Verdict.objects.exclude(role=probes.MANIFEST)}
    assert {role: {n for n, w in said.items() if w == "opened"} for role, said in rows.items()} == {
        "web": {"owner"}, "intake": {"fleet"}, "gpu": {"fleet"},
        "keeper": {"evidence"}, "upkeep": set(),
    }  # fmt: skip
    assert set(rows["keeper"].values()) == {"opened", "ProgrammingError"}
    report = TransparencyReport.objects.get(day=now().date())
    signed = {"statement": report.statement, "signature": report.signature}
    assert signing.verified(signed)
    assert report.statement["holds"] is True
    report.statement["checks"][0]["wrong"] = 1
    assert not signing.verified(signed)


def test_the_canaries_hold_nothing_of_a_person_and_are_read_in_the_audit_trail(
    roles_answer: Callable[..., None],
) -> None:
    proof.run(now(), wait=timedelta(seconds=5))
    read = AuditEvent.objects.filter(verb=Verb.BLOB_READ)
    assert {row.reason for row in read} == {Reason.PROOF}
    assert {row.subject_id for row in read} == {keys.SYSTEM_OWNER}


def test_one_report_a_day_and_the_newest_stands(
    roles_answer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_compartments", lambda at, wait: [])
    assert proof.due(now().date())
    proof.run(now())
    assert not proof.due(now().date())
    proof.run(now())
    assert TransparencyReport.objects.count() == 1


# --- Sabotage -------------------------------------------------------------------------------------


def _stored(who: uuid.UUID) -> Blob:
    return Blob.objects.filter(owner_id=who, kind=Kind.PORTRAIT).get()


def _orphan_object(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_client().put_object(Bucket="sitter-alone", Key="portrait/nobody/nothing", Body=b"x")


def _unknown_folder(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_client().put_object(Bucket="sitter-alone", Key="zzz", Body=b"x")


def _lost_object(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.delete([_stored(who).name])


def _lost_last_object(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.delete(Blob.objects.values_list("name", flat=True))


def _swapped_body(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Blob.objects.filter(owner_id=who, kind__in=(Kind.PORTRAIT, Kind.RENDITION))
    body = storage.get(other.name)
    s3_client().put_object(Bucket="sitter-alone", Key=one.name, Body=body)


def _shorter_body(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = _stored(who).name
    s3_client().put_object(Bucket="sitter-alone", Key=name, Body=storage.get(name)[:-1])


def _past_deadline(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper(
        "UPDATE privacy_blob SET created_at = now() - interval '2 d',"
        " expires_at = now() - interval '1 d' WHERE kind = 3"
    )


def _no_capsule(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper("DELETE FROM privacy_capsule WHERE blob_id = %s", _stored(who).pk)


def _dead_key(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    OwnerKey.objects.filter(owner_id=who).update(wrapped=None)


def _unpublished_key(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Blob.objects.filter(kind=Kind.REFERENCE).update(recipient_label="1999-01-01")


def _withdrawn(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stops, "run", lambda *args, **options: None)
        purpose = consent.Purpose.GENERATION
        consent.take_back(who, purpose, "tests/1", now(), erase_portraits=False)


def _kept_without_consent(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ReferenceSet.objects.filter(owner_id=who).update(keep=True)


def _keeping_withdrawn(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    purpose = consent.Purpose.KEEPING
    sign(who, purpose)
    ReferenceSet.objects.filter(owner_id=who).update(keep=True, created_at=now())
    assert "consent_of_inputs" not in failed(grace=-HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(stops, "let_go", lambda *args: None)
        consent.take_back(who, purpose, "tests/1", now(), erase_portraits=False)


def _unnamed_consent(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Job.objects.filter(owner_id=who).update(consent_id=None)


def _foreign_consent(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Job.objects.filter(owner_id=who).update(consent_id=uuid.uuid4())


def _edited_consent(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper("UPDATE privacy_consent SET client = 'other/1' WHERE subject_id = %s", who)


def _exchanged_evidence(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper("UPDATE privacy_consentevidence SET body = 'x'")


def _edited_audit(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper("UPDATE privacy_auditevent SET reason = 12 WHERE verb = 30")


def _bucket_down_for_heads(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: Any, **options: Any) -> Any:
        raise StorageDown

    monkeypatch.setattr(ledgerstore, "names", down)


def _unlisted_model(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "unlisted_models", lambda: ["some.Model"])


def _other_facts(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = policy.facts()
    said["how_long"][0]["default_seconds"] += 1
    monkeypatch.setattr(policy, "facts", lambda: said)


def _shorter_facts(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = policy.facts()
    said["how_long"] = said["how_long"][1:]
    monkeypatch.setattr(policy, "facts", lambda: said)


def _late_erasure(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Erasure.objects.create(id=uuid.uuid4(), subject_id=uuid.uuid4(), requested_at=now() - 2 * HOUR)


def _proved(**fields: Any) -> None:
    Erasure.objects.create(
        id=uuid.uuid4(), subject_id=uuid.uuid4(), stage="proved",
        requested_at=now(), proved_at=now(), **fields,
    )  # fmt: skip


def _forged_receipt(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = signing.sign({"n": 1})
    signed["statement"]["n"] = 2
    _proved(receipt=signed)


def _missing_receipt(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _proved()


def _garbled_receipt(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _proved(receipt={"no": "statement"})


def _old_root(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    RootEpoch.objects.update(created_at=now() - 40 * DAY)


def _dead_root(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    OwnerKey.objects.filter(owner_id=who).update(root_epoch="1999-01-01")


def _no_root(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    RootEpoch.objects.update(retired_at=now())


def _public_bucket(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "_acl_is_public", lambda: True)


def _undecided(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = now() - HOUR
    entry = restore.Entry(uuid.uuid4(), restore.Intent.ERASE, uuid.uuid4(), at)
    ledgerstore.put(restore.INTENTS + entry.name, entry.statement())


def _replay_due(who: uuid.UUID, tamper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "pending", lambda: True)


@pytest.mark.parametrize(
    ("sabotage", "names"),
    [
        (_past_deadline, {"past_deadline"}),
        (_no_capsule, {"blob_complete"}),
        (_dead_key, {"blob_complete"}),
        (_unpublished_key, {"blob_complete"}),
        (_withdrawn, {"consent_of_inputs"}),
        (_kept_without_consent, {"consent_of_inputs"}),
        (_keeping_withdrawn, {"consent_of_inputs"}),
        (_unnamed_consent, {"consent_of_inputs"}),
        (_foreign_consent, {"consent_of_inputs"}),
        (_orphan_object, {"orphan_objects"}),
        (_unknown_folder, {"orphan_objects"}),
        (_lost_object, {"orphan_rows"}),
        (_lost_last_object, {"orphan_rows"}),
        (_swapped_body, {"bodies_match"}),
        (_shorter_body, {"bodies_match"}),
        (_edited_consent, {"ledger.consent"}),
        (_exchanged_evidence, {"ledger.consent"}),
        (_edited_audit, {"ledger.audit"}),
        (_bucket_down_for_heads, {"ledger.consent", "ledger.audit", "restore_ledger"}),
        (_unlisted_model, {"inventory"}),
        (_other_facts, {"facts"}),
        (_shorter_facts, {"facts"}),
        (_late_erasure, {"erasures_late"}),
        (_forged_receipt, {"receipts_verify"}),
        (_missing_receipt, {"receipts_verify"}),
        (_garbled_receipt, {"receipts_verify"}),
        (_old_root, {"root_age"}),
        (_dead_root, {"root_age"}),
        (_no_root, {"root_age"}),
        (_public_bucket, {"bucket"}),
        (_undecided, {"restore_ledger"}),
        (_replay_due, {"restore_ledger"}),
    ],
)
def test_a_sabotage_fails_the_check_that_is_named_for_it(
    a_life: uuid.UUID,
    tamper: Any,
    monkeypatch: pytest.MonkeyPatch,
    sabotage: Callable[..., None],
    names: set[str],
) -> None:
    monkeypatch.setattr(proof, "_compartments", lambda at, wait: [])
    sabotage(a_life, tamper, monkeypatch)
    assert failed(grace=-HOUR) == names
    event = AuditEvent.objects.get(verb=Verb.PROOF_FAILED)
    assert event.count == len(names)
    assert TransparencyReport.objects.get().statement["holds"] is False


def test_a_table_that_nobody_listed_fails_the_inventory(
    tamper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_compartments", lambda at, wait: [])
    tamper("CREATE TABLE face_templates (vector real[])")
    try:
        assert failed() == {"inventory"}
    finally:
        tamper("DROP TABLE face_templates")
    assert failed() == set()


# --- What is normal on a live system fails nothing ------------------------------------------------


def test_what_a_live_system_does_at_any_moment_fails_nothing(
    a_life: uuid.UUID, born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo that was just registered, an object without a row yet, somebody who is leaving."""
    monkeypatch.setattr(proof, "_compartments", lambda at, wait: [])
    born("web")
    stranger = owner()
    from privacy.plain import Plain

    vault.draft(Kind.UPLOAD, stranger, Plain(b"on its way"), now())
    s3_client().put_object(Bucket="sitter-alone", Key="upload/just/now", Body=b"x")
    leaving = owner()
    written(Kind.PORTRAIT, leaving, b"going")
    OwnerKey.objects.filter(owner_id=leaving).update(wrapped=None, destroyed_at=now())
    Erasure.objects.create(id=uuid.uuid4(), subject_id=leaving, requested_at=now())
    born("upkeep")
    assert failed() == set()


def test_a_body_that_ends_while_it_is_looked_at_is_no_fault(
    a_life: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> bytes:
        raise BlobGone

    monkeypatch.setattr(storage, "get", gone)
    seen = proofbodies.bodies_match(now())
    assert (seen.looked_at, seen.wrong) == (0, 0)


def test_of_many_bodies_a_sample_is_hashed_and_all_on_demand(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    born("web")
    who = owner()
    for _ in range(12):
        written(Kind.PORTRAIT, who, b"one of many")
    monkeypatch.setattr(proofbodies, "SAMPLE", 4)
    monkeypatch.setattr(proofbodies, "WINDOWS", 4)
    monkeypatch.setattr(proofbodies, "PAGE", 5)
    assert 0 <= proofbodies.bodies_match(now()).looked_at <= 4
    assert proofbodies.bodies_match(now(), everything=True).looked_at == 12


def test_an_empty_bucket_is_walked_too() -> None:
    objects, rows = proofbodies.orphans(now())
    assert (objects.wrong, rows.wrong, rows.looked_at) == (0, 0, 0)


# --- Compartments ---------------------------------------------------------------------------------


def test_a_role_that_does_not_answer_is_believed_for_a_day_and_then_named(
    roles_answer: Callable[..., None], tamper: Any
) -> None:
    roles_answer("gpu")
    wait = timedelta(seconds=0.3)
    results = {result.name: result for result in proof.run(now(), wait=wait)}
    assert not results["compartment.gpu"].holds
    assert "gpu did not answer" in results["compartment.gpu"].says
    roles_answer()
    assert failed(timedelta(seconds=5)) == set()
    roles_answer("gpu")
    assert failed() == set()
    tamper("UPDATE privacy_verdict SET at = at - interval '26 hours'")
    assert failed() == {"compartment.gpu"}


def test_a_compartment_that_is_crossed_fails_by_the_roles_name(
    roles_answer: Callable[..., None], tamper: Any, stack: Stack
) -> None:
    """The keeper holds the roots; one grant too many, and it can look at portraits."""
    tamper("GRANT SELECT ON privacy_capsule TO sitter_keeper")
    try:
        assert failed(timedelta(seconds=5)) == {"compartment.keeper"}
    finally:
        give_grants(stack.admin_database_url)


def test_a_key_in_the_wrong_role_fails_by_the_roles_name(
    born: Any, roles_answer: Callable[..., None], key_folders: Any, settings_of: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    told = probes.ask

    def ask(run_id: uuid.UUID, at: Any) -> None:
        born("gpu")
        settings_of(EVIDENCE_KEYS=key_folders["EVIDENCE_KEYS"])
        with acting_as("gpu"):
            probes.probe(run_id, at)
        told(run_id, at)

    monkeypatch.setattr(probes, "ask", ask)
    assert failed(timedelta(seconds=5)) == {"compartment.gpu"}


def test_a_fault_that_is_no_refusal_proves_nothing() -> None:
    fine = {"fleet": "KeyNotHeld", "owner": "KeyNotHeld", "evidence": "KeyNotHeld"}
    assert probes.crossings("upkeep", fine) == []
    assert probes.crossings("upkeep", fine | {"fleet": "StorageDown"}) == ["fleet"]
    assert probes.crossings("gpu", fine) == ["fleet"]
    assert probes.crossings("upkeep", {}) == ["fleet", "owner", "evidence"]


def test_a_login_for_beat_is_found(roles_answer: Callable[..., None], tamper: Any) -> None:
    tamper("CREATE ROLE sitter_beat LOGIN")
    try:
        assert failed(timedelta(seconds=5)) == {"compartment.beat"}
    finally:
        tamper("DROP ROLE sitter_beat")


def test_without_canaries_no_compartment_is_proved(tamper: Any) -> None:
    OwnerKey.objects.filter(owner_id=keys.SYSTEM_OWNER).update(destroyed_at=now())
    assert failed() == {f"compartment.{role}" for role in probes.OPENS}


def test_canaries_that_were_destroyed_meanwhile_are_not_planted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vault, "commit", lambda drafts: False)
    assert "compartment.web" in failed()
    assert not Verdict.objects.exists()


def test_the_caller_of_a_draft_still_cannot_choose_its_recipient() -> None:
    canary = vault.draft_canary(Recipient.FLEET, now())
    row = Blob.objects.get(pk=canary.blob_id)
    assert (row.kind, row.owner_id, row.recipient) == (Kind.CANARY, keys.SYSTEM_OWNER, 1)
    with pytest.raises(TypeError):
        vault.draft(Kind.PORTRAIT, uuid.uuid4(), b"", now(), recipient=1)  # type: ignore[call-arg,arg-type]


def test_an_unknown_run_is_no_run() -> None:
    assert not probes.probe(uuid.uuid4(), now())
    probes.clear(uuid.uuid4())


def test_each_role_is_asked_in_its_own_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy import dispatch

    sent = []
    monkeypatch.setattr(dispatch, "nudge", lambda kind, work: sent.append(dispatch.TASKS[kind]))
    probes.ask(uuid.uuid4(), now())
    assert sorted(sent) == ["gpu.probe", "intake.probe", "keeper.probe", "upkeep.probe"]
    assert {dispatch.QUEUES[task] for task in sent} == {"gpu", "intake", "keeper", "upkeep"}


# --- The call to the web --------------------------------------------------------------------------


def call(run_id: Any, at: Any = None, **changed: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": "probe", "run": str(run_id), "at": (at or now()).isoformat()}
    return signing.sign(said | changed)


def test_the_web_answers_a_signed_call_once(born: Any) -> None:
    run_id = probes.plant(now())
    signed = call(run_id)
    born("web")
    client = APIClient(SERVER_NAME="127.0.0.1")
    assert client.post(probes.PATH, signed, format="json").status_code == 204
    verdict = Verdict.objects.get(run_id=run_id, role="web")
    assert verdict.outcomes["owner"] == "opened"
    again = client.post(probes.PATH, signed, format="json")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (403, "probe_refused")


def test_the_web_refuses_any_other_call(born: Any) -> None:
    run_id = probes.plant(now())
    forged = call(run_id)
    forged["statement"]["run"] = str(probes.plant(now()))
    refused = [
        forged,
        call(run_id, now() - timedelta(seconds=61)),
        call(run_id, now() + timedelta(seconds=61)),
        call(uuid.uuid4()),
        call("nonsense"),
        call(run_id, kind="receipt"),
        call(run_id) | {"statement": {"kind": "probe", "run": str(run_id), "at": 1}},
        {"statement": call(run_id)["statement"]},
        {"statement": [], "signature": "x"},
        [],
        "text",
    ]
    born("web")
    for body in refused:
        with pytest.raises(ProbeRefused):
            probes.answer(body, now())
    assert not Verdict.objects.filter(role="web").exists()


class Served:
    """A web that answers what a test says."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.got: list[tuple[str, bytes]] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                served.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def do_GET(self) -> None:
                self.send_response(served.status)
                self.end_headers()
                self.wfile.write(served.body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def served(settings_of: Any) -> Iterator[Served]:
    web = Served()
    settings_of(WEB_URL=web.url)
    yield web
    web.server.shutdown()
    web.server.server_close()


def test_upkeep_signs_its_call_to_the_web(served: Served) -> None:
    run_id = uuid.uuid4()
    assert probes.call_web(run_id, now())
    ((path, body),) = served.got
    signed = json.loads(body)
    assert path == "/internal/probe"
    assert signing.verified(signed)
    assert signed["statement"]["run"] == str(run_id)


def test_a_web_that_is_not_there_is_not_called(settings_of: Any) -> None:
    settings_of(WEB_URL="http://127.0.0.1:9")
    assert not probes.call_web(uuid.uuid4(), now())
    settings_of(WEB_URL=None)
    assert not probes.call_web(uuid.uuid4(), now())


def test_a_web_that_says_other_facts_is_found(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_compartments", lambda at, wait: [])
    served.body = json.dumps(policy.facts()).encode()
    assert failed() == set()
    said = policy.facts()
    said["training"] = {"on_your_photos": True}
    served.body = json.dumps(said).encode()
    assert failed() == {"facts"}
    served.status = 500
    assert failed() == {"facts"}


# --- The command and the public page --------------------------------------------------------------


def test_the_command_says_what_holds(roles_answer: Callable[..., None]) -> None:
    said = StringIO()
    call_command("prove", "--all", stdout=said)
    assert "22 of 22 hold." in said.getvalue()


def test_the_command_fails_and_names_the_check(roles_answer: Callable[..., None]) -> None:
    _missing_receipt(uuid.uuid4(), None, pytest.MonkeyPatch())
    for options in ((), ("--json",)):
        said = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("prove", "--wait", "5", *options, stdout=said)
        assert ended.value.code == 1
        assert "receipts_verify" in said.getvalue()
    report = json.loads(said.getvalue())
    assert (report["holds"], report["failed"]) == (False, ["receipts_verify"])


def test_only_upkeep_can_prove(born: Any) -> None:
    born("web")
    with pytest.raises(KeyNotHeld):
        proof.run(now())
    with pytest.raises(CommandError, match="as upkeep"):
        call_command("prove")


def test_the_reports_are_public_and_verify(born: Any) -> None:
    today = now().date()
    for days in range(32):
        day = today - timedelta(days=days)
        signed = signing.sign({"kind": "transparency", "day": day.isoformat()})
        TransparencyReport.objects.create(
            day=day, statement=signed["statement"], key_label=signed["statement"]["key"],
            signature=signed["signature"], at=now(),
        )  # fmt: skip
    born("web")
    client = APIClient(SERVER_NAME="127.0.0.1")
    shown = client.get("/v1/transparency").json()
    assert len(shown) == 30
    assert [row["day"] for row in shown[:2]] == [
        today.isoformat(), (today - DAY).isoformat(),
    ]  # fmt: skip
    assert all(signing.verified(row) for row in shown)
    old = (today - timedelta(days=31)).isoformat()
    (one,) = client.get("/v1/transparency", {"day": old}).json()
    assert one["day"] == old
    assert client.get("/v1/transparency", {"day": "2000-01-01"}).status_code == 404
    assert client.get("/v1/transparency", {"day": "never"}).status_code == 400


def test_no_report_names_anybody(roles_answer: Callable[..., None], a_life: uuid.UUID) -> None:
    proof.run(now(), wait=timedelta(seconds=5))
    text = json.dumps(TransparencyReport.objects.get().statement)
    email = User.objects.get(pk=a_life).email
    blobs = Blob.objects.values_list("pk", "name")
    for word in (str(a_life), email, *(str(pk) for pk, _ in blobs), *(name for _, name in blobs)):
        assert word not in text
