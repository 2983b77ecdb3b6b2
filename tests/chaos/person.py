"""A person at a client: signs up, consents, sends photos, asks for portraits, leaves.

Everything goes over HTTP, as from an app. What the API does not tell (the object prefix, the sealed
halves) is read from the live database by `Behind`, with the login that owns the tables.
"""

import ssl
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.views import five_views
from deploy.env import ROOT

STYLE = "passthrough"
JPEG = "image/jpeg"
NOBODY = uuid.UUID(int=0)


def say(text: str) -> None:
    """A measured number, for whoever runs the tests with -s."""
    sys.stdout.write(f"\n  {text}\n")


@lru_cache
def authorities() -> ssl.SSLContext:
    """Nobody dials by TLS here, but each client of httpx reads all of them unless it has them."""
    return httpx.create_ssl_context()


@lru_cache
def views() -> dict[str, bytes]:
    """Five good photos, one a slot."""
    return five_views(ROOT / "deploy" / "demo" / "photo.jpg")


def wait(what: str, ask: Callable[[], Any], *, seconds: float = 30.0, every: float = 0.0) -> Any:
    """Ask until the answer is true; returns it, or fails with what was waited for.

    `every` so many seconds. Unless it is said, what does not come at once is asked for less often:
    whoever asks burns the processor of those who work on it.
    """
    began = time.monotonic()
    while True:
        answer = ask()
        if answer:
            return answer
        waited = time.monotonic() - began
        assert waited < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(every or min(0.2, max(0.05, waited / 20)))


@dataclass
class Person:
    """One account and its session."""

    base: str
    email: str = field(default_factory=lambda: f"p{uuid.uuid4().hex[:16]}@example.org")
    password: str = field(default_factory=lambda: f"Pw-{uuid.uuid4().hex}")
    typed_name: str = "Grace Test"
    style: str = STYLE
    # Of somebody who has an account already: who they are.
    id: uuid.UUID = field(default_factory=lambda: NOBODY)
    token: str = field(default="", repr=False)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base, timeout=60, verify=authorities())
        if not self.token:
            self._sign_up()
        self.http.headers["X-Session-Token"] = self.token
        self.consent()

    def _sign_up(self) -> None:
        body = {"email": self.email, "password": self.password}
        made = self.ok(
            self.http.post(
                "/auth/app/v1/auth/signup", json={**body, "region": "eu_uk", "is_adult": True}
            )
        )
        self.token = made["meta"]["session_token"]
        self.id = uuid.UUID(made["data"]["user"]["id"])

    def close(self) -> None:
        self.http.close()

    @staticmethod
    def ok(answer: httpx.Response) -> Any:
        """The JSON of an answer that is no refusal."""
        assert answer.is_success, f"{answer.request.url.path} {answer.status_code} {answer.text}"
        return answer.json()

    def consent(self) -> None:
        """Sign the newest texts of both purposes, one after the other."""
        for text in self.ok(self.http.get("/v1/consents/documents?language=en")):
            body = {"document": text["id"], "typed_name": self.typed_name, "agree": True}
            self.ok(self.http.post("/v1/consents", json=body))

    def new_set(self, *, keep: bool = True) -> str:
        return str(self.ok(self.http.post("/v1/reference-sets", json={"keep": keep}))["id"])

    def put(self, set_id: str, slot: str, photo: bytes, media: str = JPEG) -> httpx.Response:
        path = f"/v1/reference-sets/{set_id}/photos/{slot}"
        return self.http.put(path, content=photo, headers={"Content-Type": media})

    def photo_state(self, set_id: str, slot: str = "front") -> str:
        found = self.ok(self.http.get(f"/v1/reference-sets/{set_id}"))
        return next((str(p["state"]) for p in found["photos"] if p["slot"] == slot), "none")

    def accepted(self, set_id: str, slot: str = "front", seconds: float = 40.0) -> None:
        """Wait until the intake has said yes; a refusal fails at once."""

        def look() -> bool:
            state = self.photo_state(set_id, slot)
            assert state in ("checking", "accepted"), state
            return state == "accepted"

        wait(f"photo {slot} accepted", look, seconds=seconds, every=0.1)

    def ready_set(self, slot: str = "front", *, keep: bool = True) -> str:
        """A set with one photo that is accepted."""
        set_id = self.new_set(keep=keep)
        assert self.put(set_id, slot, views()[slot]).status_code in (200, 202)
        self.accepted(set_id, slot)
        return set_id

    def submit(self, set_id: str, items: int = 1) -> str:
        body = {"reference_set": set_id, "items": [{"style": self.style}] * items}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return str(self.ok(self.http.post("/v1/jobs", json=body, headers=headers))["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ok(self.http.get(f"/v1/jobs/{job_id}"))
        return found

    def painting(self, job_id: str, *, seconds: float = 40.0) -> None:
        """Wait until a worker has begun to paint an item of the job."""

        def look() -> bool:
            return any(item["phase"] == "painting" for item in self.job(job_id)["items"])

        wait("an item is being painted", look, seconds=seconds)

    def ended(self, job_id: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for the end of a job and return it."""

        def look() -> dict[str, Any] | None:
            found = self.job(job_id)
            return None if found["state"] in ("queued", "running") else found

        found: dict[str, Any] = wait("the job ends", look, seconds=seconds)
        return found

    def portraits(self) -> list[dict[str, Any]]:
        page = self.ok(self.http.get("/v1/portraits?page_size=200"))
        return list(page["results"])

    def confirm(self) -> None:
        """Type the password again, which leaving requires."""
        body = {"password": self.password}
        self.ok(self.http.post("/auth/app/v1/auth/reauthenticate", json=body))

    def erase(self) -> str:
        """Leave; `confirm` comes before."""
        return str(self.ok(self.http.post("/v1/me/erasure"))["id"])

    def receipt(self, erasure_id: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the erasure is proved; no account is needed to ask."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.ok(self.http.get(f"/v1/erasures/{erasure_id}"))
            return found if found["stage"] == "proved" else None

        found: dict[str, Any] = wait("the erasure is proved", look, seconds=seconds)
        return found


def record_of(path: Path) -> str:
    """A log's text; nothing where it was never written."""
    return path.read_text("utf-8", "replace") if path.exists() else ""
