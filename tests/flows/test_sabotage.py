"""`make prove` on a stack of its own: it passes, and for each sabotage the right check says so.

The sabotages are what a careless or a hostile administrator could do. Each is done with the rights
that it needs, looked for by the very looks of `make prove`, and undone.
"""

import json
import secrets
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from celery import Celery
from psycopg.types.json import Jsonb
from rich.console import Console

from deploy.demo.client import Client
from deploy.demo.screen import Screen
from deploy.demo.views import five_views
from deploy.env import Role
from deploy.prove import look
from deploy.prove import walk as prove
from deploy.prove.behind import Behind
from deploy.prove.canary import PHOTO, STYLE, Canary
from deploy.prove.look import Result
from deploy.prove.marks import token
from deploy.prove.search import Search
from deploy.stack.supervisor import Stack
from tests.chaos.person import Person, say

pytestmark = pytest.mark.slow

Undo = Callable[[], object]


@dataclass(frozen=True)
class Scene:
    """The stack after the canary has left, and somebody who stays with a photo and a portrait."""

    stack: Stack
    canary: Canary
    ada: uuid.UUID
    since: float
    before: list[Result]
    leaked: list[str]

    @cached_property
    def behind(self) -> Behind:
        return Behind(self.stack)

    @property
    def word(self) -> str:
        """Something that may be nowhere; one for each leak, because some places never forget."""
        self.leaked.append(token())
        return self.leaked[-1]

    @property
    def search(self) -> Search:
        """For everything that the canary gave, and what has just leaked."""
        search = Search()
        search.join(self.canary.search)
        search.add_texts({f"leak {number}": word for number, word in enumerate(self.leaked)})
        return search

    def admin(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """As a superuser whom no trigger stops."""
        url = self.stack.admin_database_url
        with psycopg.connect(url, dbname="sitter", autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def change(self, table: str, column: str, value: object, where: str, *key: object) -> Undo:
        """Overwrite one column of the rows that are meant; undoing puts the old rows back."""
        undo = self.remove(table, where, *key)
        undo()
        self.admin(f"UPDATE {table} SET {column} = %s WHERE {where}", value, *key)

        def back() -> None:
            self.admin(f"DELETE FROM {table} WHERE {where}", *key)
            undo()

        return back

    def remove(self, table: str, where: str, *key: object) -> Undo:
        rows = self.admin(f"SELECT to_jsonb(t) FROM {table} t WHERE {where}", *key)
        assert rows, f"{table} has no row where {where}."
        self.admin(f"DELETE FROM {table} WHERE {where}", *key)
        insert = f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)"

        def undo() -> None:
            for (row,) in rows:
                self.admin(insert, Jsonb(row))

        return undo

    def portrait(self) -> str:
        """The object of Ada's portrait."""
        [(name,)] = self.admin(
            "SELECT name FROM privacy_blob WHERE owner_id = %s AND kind = 3", self.ada
        )
        return str(name)

    def put(self, name: str, body: bytes) -> None:
        self.behind.s3.put_object(Bucket=self.behind.bucket, Key=name, Body=body)

    def delete(self, name: str) -> None:
        self.behind.s3.delete_object(Bucket=self.behind.bucket, Key=name)

    def seal(self) -> None:
        """Link what has happened so far, which upkeep does each minute."""
        look.manage(self.stack, Role.UPKEEP, "seal_ledgers")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A fresh stack, `make prove` run on it, and Ada, who comes after the canary has gone."""
    with tempfile.TemporaryDirectory(prefix="sitter-prove-") as folder:
        since = time.time()
        with Stack(Path(folder) / "stack", tests=True, preferred_ports=False) as stack:
            canary = Canary(Client(stack.urls.web))
            before = prove.walk(stack, canary, Screen(Console(quiet=True)), since)
            ada = Person(stack.urls.web)
            references = ada.new_set(keep=True)
            view = five_views(PHOTO)["front"]
            assert ada.put(references, "front", view).status_code in (200, 202)
            ada.accepted(references)
            items = {"reference_set": references, "items": [{"style": STYLE}]}
            key = {"Idempotency-Key": uuid.uuid4().hex}
            job = ada.ok(ada.http.post("/v1/jobs", json=items, headers=key))
            assert ada.ended(job["id"])["state"] == "done"
            made = Scene(stack, canary, ada.id, since, before, [])
            made.seal()
            # Nothing is swept while it is being looked for.
            stack.kill_role(Role.BEAT, SIGSTOP)
            try:
                yield made
            finally:
                stack.kill_role(Role.BEAT, SIGCONT)
                ada.close()


def failing(results: list[Result]) -> set[str]:
    return {result.name for result in results if not result.holds}


def seen(scene: Scene, *, memory: bool = False) -> list[Result]:
    """What lies anywhere now; memory is slow, and looked at where asked."""
    # Memory first: the web lets go of a request that has not come whole within half a minute.
    results = look.in_memory(scene.stack, scene.search) if memory else []
    return results + look.everywhere(scene.stack, scene.search, scene.since)


def looked(scene: Scene, *, memory: bool = False) -> set[str]:
    """The looks of `make prove` at what is there now."""
    return failing(seen(scene, memory=memory) + look.live(scene.stack, grace=0))


# --- The sabotages: each returns how to undo it ------------------------------------------------


def an_orphan_object(scene: Scene) -> Undo:
    prefix = scene.behind.prefix(scene.ada)
    name = f"portrait/{prefix}/{secrets.token_hex(16)}"
    scene.put(name, secrets.token_bytes(4000))
    return lambda: scene.delete(name)


def a_missing_object(scene: Scene) -> Undo:
    name = scene.portrait()
    body = scene.behind.body(name)
    scene.delete(name)
    return lambda: scene.put(name, body)


def a_swapped_body(scene: Scene) -> Undo:
    [(one, other)] = scene.admin(
        "SELECT min(name), max(name) FROM privacy_blob WHERE owner_id = %s AND kind = 4", scene.ada
    )
    assert one != other
    first, second = scene.behind.body(one), scene.behind.body(other)

    def write(a: bytes, b: bytes) -> None:
        scene.put(one, a)
        scene.put(other, b)

    write(second, first)
    return lambda: write(first, second)


def a_truncated_body(scene: Scene) -> Undo:
    name = scene.portrait()
    body = scene.behind.body(name)
    scene.put(name, body[:-1])
    return lambda: scene.put(name, body)


def a_row_past_its_deadline(scene: Scene) -> Undo:
    where = "owner_id = %s AND kind = 3"
    undo = scene.remove("privacy_blob", where, scene.ada)
    undo()
    scene.admin(
        "UPDATE privacy_blob SET created_at = now() - interval '9 days',"
        f" expires_at = now() - interval '1 day' WHERE {where}",
        scene.ada,
    )

    def back() -> None:
        scene.admin(f"DELETE FROM privacy_blob WHERE {where}", scene.ada)
        undo()

    return back


def an_edited_consent(scene: Scene) -> Undo:
    return scene.change("privacy_consent", "client", "nobody/1", "subject_id = %s", scene.ada)


def a_removed_event(scene: Scene) -> Undo:
    where = "id = (SELECT id FROM privacy_auditevent WHERE subject_id = %s ORDER BY id LIMIT 1)"
    return scene.remove("privacy_auditevent", where, scene.ada)


def an_inserted_event(scene: Scene) -> Undo:
    made = uuid.uuid4()
    scene.admin(
        "INSERT INTO privacy_auditevent (id, at, verb, actor, reason, subject_id, object_id, count)"
        " VALUES (%s, now() - interval '2 hours', 11, 1, 1, %s, %s, 1)",
        *(made, scene.ada, uuid.uuid4()),
    )
    return lambda: scene.admin("DELETE FROM privacy_auditevent WHERE id = %s", made)


def reordered_events(scene: Scene) -> Undo:
    def swap() -> None:
        scene.admin(
            "UPDATE privacy_ledgerlink a SET entry_id = b.entry_id FROM privacy_ledgerlink b"
            " WHERE a.ledger = 2 AND b.ledger = 2 AND a.number IN (3, 4)"
            " AND b.number = 7 - a.number"
        )

    scene.admin("ALTER TABLE privacy_ledgerlink DROP CONSTRAINT link_entry")
    swap()

    def undo() -> None:
        swap()
        scene.admin(
            "ALTER TABLE privacy_ledgerlink ADD CONSTRAINT link_entry UNIQUE (ledger, entry_id)"
        )

    return undo


def a_forged_checkpoint(scene: Scene) -> Undo:
    where = "ledger = 1 AND last = (SELECT max(last) FROM privacy_checkpoint WHERE ledger = 1)"
    return scene.change("privacy_checkpoint", "signature", secrets.token_bytes(64), where)


def a_leak_in_a_log(scene: Scene) -> Undo:
    log = scene.stack.logs(Role.INTAKE)
    size = log.stat().st_size
    with log.open("a") as file:
        file.write(f'{{"event": "decoded {scene.word}"}}\n')

    def undo() -> None:
        with log.open("r+") as file:
            file.truncate(size)

    return undo


def a_leak_in_a_temporary_file(scene: Scene) -> Undo:
    path = Path(tempfile.gettempdir()) / f"upload-{secrets.token_hex(4)}"
    path.write_text(scene.word)
    return path.unlink


def a_leak_in_valkey(scene: Scene) -> Undo:
    broker = redis.Redis.from_url(scene.stack.env(Role.WEB)["SITTER_BROKER_URL"])
    broker.set("cache:leak", scene.word)

    def undo() -> None:
        broker.delete("cache:leak")
        broker.close()

    return undo


def a_leak_in_a_table(scene: Scene) -> Undo:
    scene.admin("CREATE TABLE notes (words text)")
    scene.admin("INSERT INTO notes VALUES (%s)", scene.word)

    return lambda: scene.admin("DROP TABLE notes")


def a_photo_in_clear(scene: Scene) -> Undo:
    name = f"reference/{scene.behind.prefix(scene.ada)}/{secrets.token_hex(16)}"
    scene.put(name, b"\xff\xd8" + scene.word.encode())
    return lambda: scene.delete(name)


def a_leak_in_a_mail(scene: Scene) -> Undo:
    path = scene.stack.folders.mail / "leak.log"
    path.write_text(f"Dear {scene.word}")
    return path.unlink


def a_leak_in_a_message(scene: Scene) -> Undo:
    app = Celery(broker=scene.stack.env(Role.WEB)["SITTER_BROKER_URL"])
    app.conf.task_send_sent_event = True
    app.send_task("intake.check_reference", args=[scene.word], queue="intake")
    time.sleep(3)
    app.close()

    def undo() -> None:
        # Flower keeps what it has heard in its memory alone.
        scene.stack.stop_role(Role.FLOWER)
        scene.stack.start_role(Role.FLOWER)
        scene.stack.wait_ready()

    return undo


def words_that_stay_in_memory(scene: Scene) -> Undo:
    url = urlsplit(scene.stack.urls.web)
    line = socket.create_connection((url.hostname, url.port or 80))
    head = f"POST /v1/face-claims HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json"
    line.sendall(f"{head}\r\nContent-Length: 500\r\n\r\n{scene.word}".encode())
    time.sleep(1)

    def undo() -> None:
        line.close()
        time.sleep(look.SETTLED)

    return undo


def a_compartment_crossed(scene: Scene) -> Undo:
    for table in ("privacy_blob", "privacy_capsule", "privacy_fleetkey"):
        scene.admin(f"GRANT SELECT ON {table} TO sitter_keeper")
    return lambda: look.manage(scene.stack, Role.MIGRATOR, "grants")


def a_login_for_the_schedule(scene: Scene) -> Undo:
    scene.admin("CREATE ROLE sitter_beat LOGIN")
    scene.admin("GRANT SELECT ON accounts_user TO sitter_beat")

    def undo() -> None:
        scene.admin("REVOKE ALL ON accounts_user FROM sitter_beat")
        scene.admin("DROP ROLE sitter_beat")

    return undo


def a_photo_without_consent(scene: Scene) -> Undo:
    made = uuid.uuid4()
    scene.admin(
        "INSERT INTO privacy_consent (id, subject_id, document_id, verb, act, client, at)"
        " SELECT %s, subject_id, document_id, 'withdrawn', 'call', 'x', c.at + interval '1 ms'"
        " FROM privacy_consent c JOIN privacy_consentdocument d ON d.id = c.document_id"
        " WHERE subject_id = %s AND verb = 'granted' AND purpose = 'portrait-generation' LIMIT 1",
        *(made, scene.ada),
    )
    return lambda: scene.admin("DELETE FROM privacy_consent WHERE id = %s", made)


def a_portrait_that_names_no_consent(scene: Scene) -> Undo:
    [(consent,)] = scene.admin(
        "SELECT consent_id FROM portraits_job WHERE owner_id = %s", scene.ada
    )
    change = "UPDATE portraits_job SET consent_id = %s WHERE owner_id = %s"
    scene.admin(change, None, scene.ada)
    return lambda: scene.admin(change, consent, scene.ada)


def a_lost_key(scene: Scene) -> Undo:
    [(wrapped,)] = scene.admin(
        "SELECT wrapped FROM privacy_ownerkey WHERE owner_id = %s", scene.ada
    )
    change = "UPDATE privacy_ownerkey SET wrapped = %s WHERE owner_id = %s"
    scene.admin(change, None, scene.ada)
    return lambda: scene.admin(change, wrapped, scene.ada)


def a_lost_capsule(scene: Scene) -> Undo:
    where = "blob_id IN (SELECT id FROM privacy_blob WHERE owner_id = %s AND kind = 3)"
    return scene.remove("privacy_capsule", where, scene.ada)


def an_erasure_that_is_stuck(scene: Scene) -> Undo:
    made = uuid.uuid4()
    scene.admin(
        "INSERT INTO privacy_erasure (id, subject_id, scope, stage, prefix, names, counts,"
        " requested_at) VALUES (%s, %s, 'account', 'objects', '', '[]', '{}',"
        " now() - interval '3 hours')",
        *(made, uuid.uuid4()),
    )
    return lambda: scene.admin("DELETE FROM privacy_erasure WHERE id = %s", made)


def a_forged_receipt(scene: Scene) -> Undo:
    [(pk, receipt)] = scene.admin(
        "SELECT id, receipt FROM privacy_erasure WHERE receipt IS NOT NULL LIMIT 1"
    )
    forged = json.loads(json.dumps(receipt))
    forged["statement"]["destroyed"] = {"reference": 99}
    change = "UPDATE privacy_erasure SET receipt = %s WHERE id = %s"
    scene.admin(change, Jsonb(forged), pk)
    return lambda: scene.admin(change, Jsonb(receipt), pk)


def a_root_that_outlives_its_wait(scene: Scene) -> Undo:
    scene.admin(
        "INSERT INTO privacy_rootepoch (label, check_sha256, created_at, retired_at)"
        " VALUES ('2020-01-01', %s, now() - interval '60 days', now() - interval '40 days')",
        secrets.token_bytes(32),
    )
    return lambda: scene.admin("DELETE FROM privacy_rootepoch WHERE label = '2020-01-01'")


def a_table_that_nobody_listed(scene: Scene) -> Undo:
    scene.admin("CREATE TABLE face_templates (id uuid, vector real[])")
    return lambda: scene.admin("DROP TABLE face_templates")


# A look takes long, so several are done before each: no two of a round touch the same thing, or are
# named by the same check, so what is found is exactly what all of them should be named by.
ROUNDS: dict[str, list[tuple[Callable[[Scene], Undo], set[str]]]] = {
    "first": [
        (an_orphan_object, {"orphan_objects"}),
        (a_swapped_body, {"bodies_match"}),
        (a_row_past_its_deadline, {"past_deadline"}),
        (an_edited_consent, {"ledger.consent"}),
        (a_removed_event, {"ledger.audit"}),
        (a_leak_in_a_log, {"nowhere.logs"}),
        (a_leak_in_valkey, {"nowhere.valkey"}),
        (a_leak_in_a_mail, {"nowhere.mail"}),
        (a_compartment_crossed, {"compartment.keeper"}),
        (an_erasure_that_is_stuck, {"erasures_late"}),
        (a_root_that_outlives_its_wait, {"root_age"}),
    ],
    "second": [
        (a_missing_object, {"orphan_rows"}),
        (a_forged_checkpoint, {"ledger.consent"}),
        (an_inserted_event, {"ledger.audit"}),
        (a_leak_in_a_temporary_file, {"nowhere.temporary"}),
        (a_leak_in_a_message, {"nowhere.flower", "nowhere.valkey"}),
        (a_login_for_the_schedule, {"compartment.beat"}),
        (a_photo_without_consent, {"consent_of_inputs"}),
        (a_forged_receipt, {"receipts_verify"}),
        (a_table_that_nobody_listed, {"inventory"}),
        (a_lost_capsule, {"blob_complete"}),
    ],
    "third": [
        (a_truncated_body, {"bodies_match"}),
        (reordered_events, {"ledger.audit"}),
        (a_leak_in_a_table, {"nowhere.database", "nowhere.wal", "inventory"}),
        (a_portrait_that_names_no_consent, {"consent_of_inputs"}),
        (a_photo_in_clear, {"nowhere.bucket", "nowhere.volumes", "orphan_objects"}),
        (a_lost_key, {"blob_complete"}),
    ],
}


def test_a_fresh_stack_passes_every_check(scene: Scene) -> None:
    told = {result.name: result.says for result in scene.before if not result.holds}
    assert told == {}
    names = [result.name for result in scene.before]
    assert len(names) == len(set(names)) > 40
    wanted = set().union(*(checks for acts in ROUNDS.values() for _, checks in acts))
    assert wanted <= set(names)


def test_nothing_fails_while_somebody_is_there(scene: Scene) -> None:
    assert looked(scene) == set()


@pytest.mark.parametrize("acts", ROUNDS.values(), ids=ROUNDS)
def test_the_right_checks_name_it(
    scene: Scene, acts: list[tuple[Callable[[Scene], Undo], set[str]]]
) -> None:
    named = [name for _, checks in acts for name in checks]
    assert len(set(named)) == len(named)
    with ExitStack() as undone:
        undone.callback(scene.leaked.clear)
        for sabotage, _ in acts:
            undone.callback(sabotage(scene))
        found = looked(scene)
    assert found == set(named)


def test_words_in_memory_are_noticed(scene: Scene) -> None:
    undo = words_that_stay_in_memory(scene)
    try:
        found = failing(seen(scene, memory=True))
    finally:
        undo()
        scene.leaked.clear()
    assert found == {"memory.web"}


def test_all_of_it_was_undone(scene: Scene) -> None:
    began = time.monotonic()
    assert looked(scene, memory=True) == set()
    say(f"every look of `make prove` at a running stack: {time.monotonic() - began:.1f} s")
