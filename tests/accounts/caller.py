"""Somebody who calls the doors in this process, with the token that they were given last."""

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from accounts.models import User
from tests.api import contract
from tests.api.people import PASSWORD

AUTH = "/auth/app/v1/"


@dataclass
class Caller:
    """Keeps the newest session token, as an app does."""

    token: str = field(default="", repr=False)
    language: str = "en"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Accept-Language": self.language}
        if self.token:
            headers["X-Session-Token"] = self.token
        where = path if path.startswith("/") else AUTH + path
        data = body if isinstance(body, bytes) else json.dumps(body or {})
        answer: Any = Client(SERVER_NAME="localhost", raise_request_exception=False).generic(
            method, where, data, "application/json", headers=headers
        )
        # The language of a request stays with its thread, which here is the tests' own.
        translation.deactivate()
        # None of these doors may ever fall.
        assert answer.status_code < 500 or answer.status_code == 503, answer.content
        told = httpx.Response(
            answer.status_code,
            content=answer.content,
            request=httpx.Request(method, f"http://localhost{where}"),
        )
        contract.check(told)
        said = answer.json() if answer.content else {}
        answer.said = said
        self.token = (said.get("meta") or {}).get("session_token") or self.token
        return answer

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, **body: Any) -> Any:
        return self.ask("POST", path, body)

    def delete(self, path: str) -> Any:
        return self.ask("DELETE", path)

    def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        return self.post("auth/login", email=email, password=password)

    def confirm(self, password: str = PASSWORD) -> Any:
        return self.post("auth/reauthenticate", password=password)

    @property
    def inside(self) -> bool:
        """Whether the token opens the API."""
        return bool(self.get("/v1/jobs").status_code == 200)


def refusal(answer: Any) -> tuple[int, str]:
    """(status, code) of the one error shape."""
    assert set(answer.said) == {"type", "errors"}, answer.said
    (error,) = answer.said["errors"]
    assert set(error) == {"code", "detail", "attr"}
    return answer.status_code, error["code"]


def pending(answer: Any) -> list[str]:
    """What is waited for."""
    assert answer.status_code == 202, answer.content
    return [flow["id"] for flow in answer.said["data"]["flows"] if flow.get("is_pending")]


def member(*, signed_in: bool = True) -> tuple[User, Caller]:
    """Somebody with a password, who has just confirmed it."""
    cache.clear()
    user = User.objects.create_user(f"{uuid.uuid4().hex}@example.org", PASSWORD, is_adult=True)
    caller = Caller()
    if signed_in:
        assert caller.sign_in(user.email).status_code == 200
        assert caller.confirm().status_code == 200
    return user, caller


def soon(found: Any, seconds: float = 5.0) -> Any:
    """Wait until something is there; mail goes out behind the answer."""
    until = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
    return value
