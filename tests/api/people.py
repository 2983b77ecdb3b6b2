"""People who talk to the running stack over HTTP.

Signing up is limited by address and slow on purpose, so most people are written into the database
with a session of their own, and everybody calls from an address of their own.
"""

import io
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

import httpx
import psycopg
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test.utils import override_settings
from django.utils.crypto import get_random_string
from PIL import Image

from accounts.models import User, uuid7
from accounts.sessions import SessionStore
from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.api import contract
from tests.chaos.person import authorities

PASSWORD = "correct-horse-9x"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
STYLE = "passthrough"
HOME = IPv4Address("127.1.0.1")
GENERATION = "portrait-generation"
KEEPING = "reference-keeping"


def hashed() -> str:
    """As the running stack hashes: what cost less is made anew at a sign-in, and ends sessions."""
    usual = Argon2PasswordHasher()
    return usual.encode(PASSWORD, usual.salt())


def refused(response: httpx.Response, status: int, code: str, attr: str | None = None) -> str:
    """It is the one error shape with this code; returns the sentence."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"type", "errors"}
    assert body["type"] == ("validation_error" if status == 400 and attr else "client_error")
    (error,) = body["errors"]
    assert set(error) == {"code", "detail", "attr"}
    assert (error["code"], error["attr"]) == (code, attr)
    sentence = str(error["detail"])
    assert sentence[0].isupper(), sentence
    assert sentence[-1] in ".)", sentence
    return sentence


def jpeg(picture: Image.Image) -> bytes:
    """As a phone would send it."""
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=92)
    return stream.getvalue()


@dataclass
class Person:
    """Somebody with an account and a session."""

    id: uuid.UUID
    email: str
    http: httpx.Client
    views: dict[str, bytes] = field(repr=False)

    def text(self, purpose: str = GENERATION) -> Any:
        """The consent text in English, as it is shown to them."""
        asked = {"language": "en", "purpose": purpose}
        (text,) = self.http.get("/v1/consents/documents", params=asked).json()
        return text

    def sign(self, purpose: str = GENERATION) -> httpx.Response:
        """Read a consent text and sign it."""
        text = self.text(purpose)
        body = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True}
        return self.http.post("/v1/consents", json=body)

    def confirm(self) -> httpx.Response:
        """The password once more, as an erasure asks for."""
        return self.http.post("/auth/app/v1/auth/reauthenticate", json={"password": PASSWORD})

    def new_set(self, **body: Any) -> str:
        """An empty reference set; keeping it takes a consent of its own."""
        if body.get("keep") or body.get("keep_hours"):
            assert self.sign(KEEPING).status_code == 201
        made = self.http.post("/v1/reference-sets", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def put(self, set_id: str, slot: str, data: bytes, **headers: str) -> httpx.Response:
        """A photo into a slot; waits while it is being checked."""
        path = f"/v1/reference-sets/{set_id}/photos/{slot}"
        sent = self.http.put(path, content=data, headers={"Content-Type": "image/jpeg", **headers})
        for _ in range(100):
            if sent.status_code != 202:
                return sent
            time.sleep(0.2)
            photos = self.http.get(f"/v1/reference-sets/{set_id}").json()["photos"]
            if all(photo["state"] == "accepted" for photo in photos):
                return httpx.Response(200, json=next(p for p in photos if p["slot"] == slot))
        return sent

    def set_with_photo(self, **body: Any) -> str:
        """A set whose front photo was accepted."""
        made = self.new_set(**body)
        sent = self.put(made, "front", self.views["front"])
        assert sent.status_code == 200, sent.text
        return made

    def submit(self, set_id: str, *styles: str, key: str | None = None) -> httpx.Response:
        """A job."""
        items = [{"style": style} for style in styles or (STYLE,)]
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        body = {"reference_set": set_id, "items": items}
        return self.http.post("/v1/jobs", json=body, headers=headers)

    def ended(self, job_id: str, seconds: float = 60) -> Any:
        """The job, once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.http.get(f"/v1/jobs/{job_id}").json()
            if job["state"] not in ("queued", "running"):
                return job
            assert time.monotonic() < deadline, job
            time.sleep(0.1)

    def export(self, seconds: float = 60) -> str:
        """Ask for a copy of everything and wait; returns its address."""
        assert self.confirm().status_code == 200
        begun = self.http.post("/v1/me/export")
        assert begun.status_code == 202, begun.text
        address, deadline = f"/v1/me/export/{begun.json()['id']}", time.monotonic() + seconds
        while (state := self.http.get(address).json())["state"] != "ready":
            assert time.monotonic() < deadline, state
            time.sleep(0.1)
        return address

    def holdings(self) -> Any:
        """Everything that is held on them."""
        return self.http.get("/v1/me/holdings").json()


@dataclass
class People:
    """Makes people in the database of the running stack."""

    live: Stack
    views: dict[str, bytes] = field(repr=False)
    password: str = field(default_factory=hashed, repr=False)
    clients: list[httpx.Client] = field(default_factory=list, repr=False)

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """As the migrator, who owns the tables."""
        with self._line() as line:
            cursor = line.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def make(self, *, signed: bool = True, staff: bool = False, role: str = "") -> Person:
        """A new person, by default one who has signed the consent; `staff`: who may do anything.

        `role`: one of deploy/staff/roles.py, who may do what that says.
        """
        user = User(id=uuid7(), email=f"{uuid.uuid4().hex}@example.org", password=self.password)
        with self._line() as line:
            line.execute(
                "INSERT INTO accounts_user (id, email, password, region, is_adult, is_staff,"
                " is_superuser, is_active, created_at, last_seen_at)"
                " VALUES (%s, %s, %s, 'eu_uk', true, %s, %s, true, now(), now())",
                (user.pk, user.email, user.password, staff or bool(role), staff),
            )
            line.execute(
                "INSERT INTO accounts_user_groups (user_id, group_id)"
                " SELECT %s, id FROM auth_group WHERE name = %s",
                (user.pk, role),
            )
            line.execute(
                'INSERT INTO account_emailaddress (email, verified, "primary", user_id)'
                " VALUES (%s, false, true, %s)",
                (user.email, user.pk),
            )
            token = self._signed_in(line, user)
        http = self.client(token)
        person = Person(user.pk, user.email, http, self.views)
        if signed:
            assert person.sign().status_code == 201
        return person

    def sign_up(self, language: str = "en", **change: Any) -> httpx.Response:
        """By somebody new, or by somebody who sends something else; None leaves a field out."""
        body = {
            "email": f"{uuid.uuid4().hex}@example.org",
            "password": PASSWORD,
            "region": "eu_uk",
            "is_adult": True,
        }
        merged = {name: value for name, value in (body | change).items() if value is not None}
        with self.client() as http:
            http.headers["Accept-Language"] = language
            return http.post("/auth/app/v1/auth/signup", json=merged)

    def client(self, token: str | None = None) -> httpx.Client:
        """Somebody at the other end of the line."""
        headers = {"X-Session-Token": token} if token else {}
        # All of 127.0.0.0/8 is this machine.
        address = str(HOME + len(self.clients))
        made = httpx.Client(
            base_url=self.live.urls.web,
            headers=headers,
            timeout=60,
            transport=httpx.HTTPTransport(verify=authorities(), local_address=address),
            event_hooks={"response": [contract.check]},
        )
        self.clients.append(made)
        return made

    def close(self) -> None:
        """Everybody hangs up."""
        for client in self.clients:
            client.close()

    def _line(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of its own: the database may have died since the last one."""
        return psycopg.connect(self.live.env(Role.MIGRATOR)["SITTER_DATABASE_URL"])

    def _session(self, user: User) -> str:
        with self._line() as line:
            return self._signed_in(line, user)

    def _signed_in(self, line: "psycopg.Connection[tuple[Any, ...]]", user: User) -> str:
        token = get_random_string(32)
        with override_settings(SECRET_KEY=self.live.env(Role.WEB)["SITTER_SECRET_KEY"]):
            data = SessionStore().encode(
                {
                    SESSION_KEY: str(user.pk),
                    BACKEND_SESSION_KEY: BACKEND,
                    HASH_SESSION_KEY: user.get_session_auth_hash(),
                }
            )
        line.execute(
            "INSERT INTO accounts_session (session_key, session_data, expire_date, user_id)"
            " VALUES (%s, %s, %s, %s)",
            (token, data, datetime.now(UTC) + timedelta(days=1), user.pk),
        )
        return token
