"""The API as anybody's program meets it: addresses, headers, one person's session.

It imports nothing of the project, so that what works here works for an app on a phone. Every
refusal becomes one exception with the API's own code and sentence.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from deploy.demo.errors import DemoError, Refused

# A photo may be looked at while the request waits, and a busy machine looks slowly.
PATIENCE = 60.0
NAME = "demo/1"


class Client:
    """One person's client; `sign_up` gives it a session that the other calls use."""

    def __init__(self, base_url: str) -> None:
        # The stack is on this machine; a proxy of the environment could not reach it.
        self._http = httpx.Client(base_url=base_url, timeout=PATIENCE, trust_env=False)
        self.base_url = base_url

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        photo: bytes | None = None,
        media: str = "image/jpeg",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = dict(headers or {})
        if photo is not None:
            sent["Content-Type"] = media
        try:
            response = self._http.request(method, path, json=body, content=photo, headers=sent)
        except httpx.TransportError as error:
            kind = type(error).__name__
            raise DemoError(f"The API at {self.base_url} does not answer ({kind}).") from error
        if not response.is_success:
            raise refusal(response)
        return response

    def _read(self, path: str) -> Any:
        return self.call("GET", path).json()

    def sign_up(self, *, email: str, password: str) -> None:
        person = {"email": email, "password": password, "region": "other", "is_adult": True}
        self._keep_session(self.call("POST", "/auth/app/v1/auth/signup", body=person))

    def forget_session(self) -> None:
        """As after starting the app anew; with a dead token, signing in is answered 410."""
        self._http.headers.pop("X-Session-Token", None)

    def sign_in(self, *, email: str, password: str) -> None:
        self.call("POST", "/auth/app/v1/auth/login", body={"email": email, "password": password})

    def confirm_password(self, password: str) -> None:
        body = {"password": password}
        self._keep_session(self.call("POST", "/auth/app/v1/auth/reauthenticate", body=body))

    def _keep_session(self, response: httpx.Response) -> None:
        # The token may be a new one after any of the calls that ask for a password.
        token = response.json().get("meta", {}).get("session_token")
        if token:
            self._http.headers["X-Session-Token"] = token

    def styles(self) -> list[dict[str, Any]]:
        return list(self._read("/v1/styles"))

    def documents(self) -> list[dict[str, Any]]:
        return list(self._read("/v1/consents/documents?language=en"))

    def sign(self, document: str, *, typed_name: str) -> dict[str, Any]:
        body = {"document": document, "typed_name": typed_name, "agree": True, "client": NAME}
        return dict(self.call("POST", "/v1/consents", body=body).json())

    def new_set(self, **body: Any) -> str:
        return str(self.call("POST", "/v1/reference-sets", body=body).json()["id"])

    def put_photo(
        self, set_id: str, slot: str, photo: bytes, *, media: str = "image/jpeg"
    ) -> dict[str, Any]:
        path = f"/v1/reference-sets/{set_id}/photos/{slot}"
        return dict(self.call("PUT", path, photo=photo, media=media).json())

    def photos(self, set_id: str) -> dict[str, dict[str, Any]]:
        return {row["slot"]: row for row in self._read(f"/v1/reference-sets/{set_id}")["photos"]}

    def submit(self, set_id: str, styles: Sequence[str]) -> dict[str, Any]:
        body = {"reference_set": set_id, "items": [{"style": style} for style in styles]}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return dict(self.call("POST", "/v1/jobs", body=body, headers=headers).json())

    def submit_choices(self, style: str, **choices: str) -> dict[str, Any]:
        body = {"items": [{"style": style, "prompt": choices}]}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return dict(self.call("POST", "/v1/jobs", body=body, headers=headers).json())

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self._read(f"/v1/jobs/{job_id}"))

    def image(self, portrait_id: str) -> bytes:
        return self.call("GET", f"/v1/portraits/{portrait_id}/image").content

    def holdings(self) -> dict[str, Any]:
        return dict(self._read("/v1/me/holdings"))

    def ask_export(self) -> str:
        return str(self.call("POST", "/v1/me/export").json()["id"])

    def export(self, export_id: str) -> dict[str, Any]:
        return dict(self._read(f"/v1/me/export/{export_id}"))

    def archive(self, export_id: str) -> bytes:
        return self.call("GET", f"/v1/me/export/{export_id}/archive").content

    def report_face(self, contact: str, words: str) -> str:
        body = {"contact": contact, "words": words, "language": "en"}
        return str(self.call("POST", "/v1/face-claims", body=body).json()["id"])

    def erase_me(self) -> str:
        return str(self.call("POST", "/v1/me/erasure").json()["id"])

    def erasure(self, erasure_id: str) -> dict[str, Any]:
        return dict(self._read(f"/v1/erasures/{erasure_id}"))

    def receipt_keys(self) -> dict[str, str]:
        return dict(self._read("/.well-known/sitter-keys.json")["ed25519"])

    def version(self) -> str:
        return str(self._read("/v1/schema?format=json")["info"]["version"])


def refusal(response: httpx.Response) -> Refused:
    """The first error of an answer, in either of the shapes that it may have."""
    try:
        answer = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        answer = {}
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if errors else {}
    # The accounts library calls `message` what every other answer calls `detail`.
    detail = first.get("detail") or first.get("message") or response.reason_phrase
    return Refused(
        status=response.status_code, code=first.get("code") or "no_code", detail=str(detail)
    )
