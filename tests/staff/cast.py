"""Who else is in the walk: a guest of the app, somebody without an account, an operator.

They do what anybody can do from outside: the public API, a mailbox, `manage.py staff`.
"""

import email
import json
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from email.policy import default
from typing import Any

import httpx
from django.test.utils import override_settings

from accounts.sessions import SessionStore
from accounts.staff import session as of_staff
from deploy.env import ROOT, Role
from tests.api.people import PASSWORD, People, Person

SIGN_UP = "/auth/app/v1/auth/signup"
PATIENCE = 60.0


def signed_up(people: People, name: str) -> Person:
    """Somebody who has made their account in the app, as anybody does."""
    address = f"{name}-{uuid.uuid4().hex[:8]}@example.org"
    body = {"email": address, "password": PASSWORD, "region": "eu_uk", "is_adult": True}
    made = people.client().post(SIGN_UP, json=body)
    while made.status_code == httpx.codes.TOO_MANY_REQUESTS:
        time.sleep(5)
        made = people.client().post(SIGN_UP, json=body)
    assert made.status_code == httpx.codes.OK, made.text
    http = people.client(made.json()["meta"]["session_token"])
    known = http.get("/v1/me/holdings").json()["account"]["id"]
    return Person(uuid.UUID(known), address, http, people.views)


def employed(people: People, name: str, role: str) -> Person:
    """A colleague whom an operator has put into a role."""
    person = signed_up(people, name)
    command = [sys.executable, "manage.py", "staff", "add", person.email, role]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=people.live.env(Role.MIGRATOR),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{person.id} is {role} now" in done.stdout
    return person


def asks(person: Person, kind: str, words: str) -> str:
    """A request to support; returns its number."""
    body = {"kind": kind, "words": words, "language": "en"}
    made = person.http.post("/v1/me/requests", json=body)
    assert made.status_code == httpx.codes.ACCEPTED, made.text
    return str(made.json()["id"])


def reports_a_face(people: People, contact: str, words: str) -> str:
    """Somebody without an account; returns the number that they are told."""
    body = {"contact": contact, "words": words, "language": "en"}
    made = people.client().post("/v1/face-claims", json=body)
    assert made.status_code == httpx.codes.ACCEPTED, made.text
    return str(made.json()["id"])


def request_of(people: People, report: str) -> str:
    """The number that staff know a report about a face by; its sender is not told it yet."""
    ((number,),) = people.query("SELECT id FROM privacy_case WHERE claim_id = %s", report)
    return str(number)


def confirms(person: Person, number: str) -> None:
    """They sign in anew and say that the request is theirs."""
    assert person.confirm().status_code == httpx.codes.OK
    proven = person.http.post(f"/v1/me/requests/{number}/proof")
    assert proven.json()["identity"] == "proven"


def fetches(person: Person, number: str) -> int:
    """They fetch the copy that the request's receipt leads to; returns its size in bytes."""
    told = person.http.get(f"/v1/requests/{number}").json()
    assert (told["state"], told["outcome"]) == ("closed", "done")
    deadline = time.monotonic() + PATIENCE
    while (copy := person.http.get(told["receipt"]).json())["state"] != "ready":
        assert time.monotonic() < deadline, copy
        time.sleep(0.2)
    got = person.http.get(f"{told['receipt']}/archive", headers={"Accept": "application/zip"})
    assert got.status_code == httpx.codes.OK, got.text
    return len(got.content)


def letters(people: People, to: str) -> list[tuple[str, str]]:
    """(subject, body) of what the stack's own mailbox holds for somebody, oldest first."""
    found: list[tuple[float, str, str]] = []
    for file in people.live.folders.mail.iterdir():
        message: Any = email.message_from_bytes(file.read_bytes(), policy=default)
        if message["To"] == to:
            at = file.stat().st_mtime
            found.append((at, str(message["Subject"]), " ".join(message.get_content().split())))
    return [(subject, body) for _, subject, body in sorted(found)]


def subjects(people: People, to: str) -> list[str]:
    """What their letters are about."""
    return [subject for subject, _ in letters(people, to)]


def ten_minutes_later(people: People, person: Person) -> None:
    """Their last proof is eleven minutes old now, without anybody waiting."""
    with override_settings(SECRET_KEY=people.live.env(Role.WEB)["SITTER_SECRET_KEY"]):
        rows = people.query(
            "SELECT session_key, session_data FROM accounts_session WHERE user_id = %s", person.id
        )
        for key, data in rows:
            words = SessionStore().decode(data)
            if of_staff.PROVED in words:
                words[of_staff.PROVED] -= timedelta(minutes=11).total_seconds()
                people.query(
                    "UPDATE accounts_session SET session_data = %s WHERE session_key = %s",
                    *(SessionStore().encode(words), key),
                )


def gallery(people: People) -> set[str]:
    """The short names of the styles that anybody can order."""
    answer = people.client().get("/v1/styles")
    return {row["id"] for row in json.loads(answer.text)}
