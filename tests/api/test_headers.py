"""Headers that keep private answers private, on every kind of answer."""

import uuid

import pytest

from tests.api.people import People, Person

SOME = uuid.uuid4()
ANSWERS = (
    ("get", "/livez"),
    ("get", "/readyz"),
    ("get", "/.well-known/sitter-keys.json"),
    ("get", "/v1/privacy/facts"),
    ("get", "/v1/consents/documents"),
    ("get", "/v1/consents"),
    ("get", "/v1/styles"),
    ("get", "/v1/reference-sets"),
    ("get", "/v1/jobs"),
    ("get", f"/v1/jobs/{SOME}"),
    ("get", f"/v1/jobs/{SOME}/events"),
    ("post", f"/v1/jobs/{SOME}"),
    ("get", "/v1/portraits"),
    ("get", f"/v1/portraits/{SOME}/image"),
    ("get", "/v1/me/holdings"),
    ("post", "/v1/me/erasure"),
    ("post", "/v1/jobs"),
    ("delete", "/v1/jobs"),
    ("get", f"/v1/erasures/{SOME}"),
    ("get", "/v1/schema"),
    ("get", "/v1/docs"),
    ("get", "/nothing"),
    ("get", "/admin/login/"),
    ("get", "/auth/app/v1/auth/session"),
    ("get", "/v1/me/sessions"),
    ("options", "/v1/jobs"),
)


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_answer_is_private(signer: Person, method: str, path: str) -> None:
    answer = signer.http.request(method, path)
    assert answer.status_code < 500
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    own = path.startswith("/admin/")
    assert answer.headers["Referrer-Policy"] == ("same-origin" if own else "no-referrer")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("unsafe-eval" in policy) == path.startswith("/admin/")


def test_a_body_that_is_refused_unread_is_answered_privately(people: People) -> None:
    """The bound stands before Django, so it has to set these itself."""
    with people.client() as http:
        answer = http.post("/v1/jobs", content=b"x" * 17_000_000)
        assert answer.status_code == 413
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_every_request_has_an_id_of_our_own(people: People) -> None:
    with people.client() as http:
        theirs = {"X-Request-Id": "grace@example.org"}
        ids = {http.get("/livez", headers=theirs).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(identity) == 32 for identity in ids)


def test_the_api_sets_no_cookie(signer: Person) -> None:
    for path in ("/v1/jobs", "/v1/styles", "/v1/docs", "/auth/app/v1/auth/session"):
        assert "Set-Cookie" not in signer.http.get(path).headers


def test_a_picture_is_named_by_us(signer: Person) -> None:
    job = signer.ended(signer.submit(signer.set_with_photo()).json()["id"])
    portrait = job["items"][0]["portrait"]
    answer = signer.http.get(f"/v1/portraits/{portrait}/image?size=thumb")
    named = answer.headers["Content-Disposition"]
    assert named.split('filename="')[1].split(".")[0] == "portrait-thumb"
    assert answer.headers["Content-Type"].startswith("image/")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert signer.http.delete(f"/v1/portraits/{portrait}").status_code == 202


def test_no_folder_is_listed(signer: Person) -> None:
    paths = ("/static/", "/static/try/", "/static/../manage.py", "/static/%2e%2e/manage.py")
    for path in (*paths, "/.git/config", "/static/.git/config", "/deploy/settings.py"):
        assert signer.http.get(path).status_code == 404, path
