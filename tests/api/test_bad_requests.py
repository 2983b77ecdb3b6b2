"""Every request that makes no sense gets a stable code and a sentence, and starts nothing."""

import uuid

import httpx
import pytest

from tests.api.people import STYLE, People, Person, refused

SOME = uuid.uuid4()
pytestmark = pytest.mark.usefixtures("keeps_nothing")


# --- Jobs ---------------------------------------------------------------------------------------


def test_an_unknown_style_is_refused(signer: Person, photo_set: str) -> None:
    refused(signer.submit(photo_set, "cubism-of-tomorrow"), 422, "unknown_style", "items.0.style")


def test_one_unknown_style_among_good_ones_starts_nothing(signer: Person, photo_set: str) -> None:
    refused(signer.submit(photo_set, STYLE, "nothing"), 422, "unknown_style", "items.1.style")


def test_a_job_without_photos_is_refused(signer: Person) -> None:
    refused(signer.submit(signer.new_set()), 422, "no_accepted_photo", "reference_set")


def test_a_job_without_a_key_is_refused(signer: Person, photo_set: str) -> None:
    body = {"reference_set": photo_set, "items": [{"style": STYLE}]}
    for headers in ({}, {"Idempotency-Key": ""}):
        answer = signer.http.post("/v1/jobs", json=body, headers=headers)
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["code"], error["attr"]) == ("idempotency_key_missing", "Idempotency-Key")
        assert answer.json()["type"] == "client_error"


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({}, "items"),
        ({"reference_set": "x", "items": [{"style": STYLE}]}, "reference_set"),
        ({"reference_set": str(SOME)}, "items"),
        ({"reference_set": str(SOME), "items": []}, "items.non_field_errors"),
        ({"reference_set": str(SOME), "items": [{}]}, "items.0.style"),
        ({"reference_set": str(SOME), "items": [{"style": "a b"}]}, "items.0.style"),
        ({"reference_set": str(SOME), "items": [{"style": STYLE, "seed": -1}]}, "items.0.seed"),
        ({"reference_set": str(SOME), "items": [{"style": STYLE, "seed": "x"}]}, "items.0.seed"),
        ({"reference_set": str(SOME), "items": [{"style": STYLE}] * 21}, "items"),
        ([], None),
        ("text", None),
        (None, None),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(
    signer: Person, body: object, attr: str | None
) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answer = signer.http.post("/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 400, answer.text
    shape = answer.json()
    assert shape["type"] == "validation_error"
    for error in shape["errors"]:
        assert set(error) == {"code", "detail", "attr"}
        assert error["detail"]
    if attr:
        assert attr in [error["attr"] for error in shape["errors"]]


def test_a_style_that_paints_from_photos_needs_a_set(signer: Person) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answer = signer.http.post("/v1/jobs", json={"items": [{"style": STYLE}]}, headers=headers)
    refused(answer, 422, "reference_set_required", "reference_set")


# --- What belongs to others, or to nobody -------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "delete"])
def test_somebody_elses_set_does_not_exist(stranger: Person, photo_set: str, method: str) -> None:
    for set_id in (photo_set, str(SOME)):
        answer = stranger.http.request(method, f"/v1/reference-sets/{set_id}")
        refused(answer, 404, "unknown_reference_set", "reference_set")


def test_nobody_puts_a_photo_into_somebody_elses_set(stranger: Person, photo_set: str) -> None:
    answer = stranger.put(photo_set, "front", b"x")
    refused(answer, 404, "unknown_reference_set", "reference_set")
    answer = stranger.http.delete(f"/v1/reference-sets/{photo_set}/photos/front")
    refused(answer, 404, "unknown_reference_set", "reference_set")
    refused(stranger.submit(photo_set), 404, "unknown_reference_set", "reference_set")
    assert stranger.holdings()["sealed"] == []


def test_an_unknown_slot_is_refused(signer: Person, photo_set: str) -> None:
    sentence = refused(signer.put(photo_set, "nose", b"x"), 404, "unknown_slot", "slot")
    assert "three_quarter_left" in sentence


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/v1/jobs/{id}"),
        ("post", "/v1/jobs/{id}/cancel"),
        ("get", "/v1/portraits/{id}"),
        ("patch", "/v1/portraits/{id}"),
        ("delete", "/v1/portraits/{id}"),
        ("get", "/v1/portraits/{id}/image"),
        ("get", "/v1/erasures/{id}"),
    ],
)
@pytest.mark.parametrize("identity", [str(SOME), "not-a-uuid", "1", "..%2f..%2fetc%2fpasswd"])
def test_what_is_not_there_is_not_found(
    signer: Person, method: str, path: str, identity: str
) -> None:
    body = {"expires_at": "2030-01-01T00:00:00Z"} if method == "patch" else None
    refused(signer.http.request(method, path.format(id=identity), json=body), 404, "not_found")


@pytest.mark.parametrize("path", ["/", "/v1/", "/v1/nothing", "/v2/jobs", "/.env", "/v1/jobs/"])
def test_an_address_that_leads_nowhere_says_so(signer: Person, path: str) -> None:
    refused(signer.http.get(path), 404, "not_found")


# --- HTTP itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("delete", "/v1/styles"),
        ("put", "/v1/jobs"),
        ("post", "/v1/portraits"),
        ("get", "/v1/me/erasure"),
        ("get", f"/v1/jobs/{SOME}/cancel"),
        ("post", f"/v1/reference-sets/{SOME}/photos/front"),
        ("patch", "/v1/consents"),
        ("trace", "/v1/jobs"),
    ],
)
def test_a_wrong_method_is_said_to_be_one(signer: Person, method: str, path: str) -> None:
    refused(signer.http.request(method, path), 405, "method_not_allowed")


def test_a_form_is_no_photo(signer: Person, photo_set: str) -> None:
    path = f"/v1/reference-sets/{photo_set}/photos/half_body"
    answer = signer.http.put(path, files={"photo": ("me.jpg", b"x" * 3000, "image/jpeg")})
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data"])
def test_a_body_that_is_no_json_is_said_to_be_none(signer: Person, kind: str) -> None:
    headers = {"Content-Type": kind, "Idempotency-Key": "k"}
    answer = signer.http.post("/v1/jobs", content=b"a=b", headers=headers)
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b"\xff\xfe", b'{"a": NaN}', b"[" * 50_000])
def test_broken_json_is_refused(signer: Person, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = signer.http.post("/v1/jobs", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert [error["code"] for error in answer.json()["errors"]] == ["parse_error"]


def test_an_oversized_json_body_is_refused(signer: Person) -> None:
    body = {"reference_set": str(SOME), "items": [{"style": "x" * 300_000}]}
    answer = signer.http.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k"})
    refused(answer, 413, "body_too_large")


def test_a_nul_byte_is_no_database_error(signer: Person, photo_set: str) -> None:
    answers = [
        signer.submit(photo_set, "a\x00b"),
        signer.http.get("/v1/consents/documents", params={"language": "\x00"}),
        signer.http.get("/v1/consents/documents", params={"purpose": "\x00"}),
        signer.http.get("/v1/jobs", params={"cursor": "\x00", "page_size": "\x00"}),
        signer.http.put(f"/v1/reference-sets/{photo_set}/photos/%00", content=b"x" * 3000),
    ]
    assert all(answer.status_code < 500 for answer in answers), [a.text for a in answers]


def test_an_unknown_host_is_refused(signer: Person) -> None:
    answer = signer.http.get("/v1/styles", headers={"Host": "evil.example.org"})
    refused(answer, 400, "bad_request")


# --- Sessions -----------------------------------------------------------------------------------

PRIVATE = (
    ("get", "/v1/consents"),
    ("post", "/v1/consents"),
    ("post", "/v1/consents/withdrawal"),
    ("get", "/v1/me/holdings"),
    ("post", "/v1/me/erasure"),
    ("get", "/v1/reference-sets"),
    ("post", "/v1/reference-sets"),
    ("get", "/v1/jobs"),
    ("post", "/v1/jobs"),
    ("get", "/v1/portraits"),
    ("get", f"/v1/portraits/{SOME}/image"),
    ("put", f"/v1/reference-sets/{SOME}/photos/front"),
)


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_without_a_session_nothing_private_answers(people: People, method: str, path: str) -> None:
    with people.client() as nobody, people.client("0" * 32) as unknown:
        refused(nobody.request(method, path), 401, "not_authenticated")
        answer = unknown.request(method, path)
        refused(answer, 401, "session_ended")
        assert answer.headers["WWW-Authenticate"] == "Session-Token"


def test_a_session_that_was_ended_is_over(people: People) -> None:
    person = people.make(signed=False)
    assert person.http.get("/v1/jobs").status_code == 200
    ended = person.http.delete("/auth/app/v1/auth/session")
    assert ended.status_code == 401  # allauth's way of saying that nobody is signed in now
    refused(person.http.get("/v1/jobs"), 401, "session_ended")


def test_a_session_that_has_expired_is_over(people: People) -> None:
    person = people.make(signed=False)
    people.query(
        "UPDATE accounts_session SET expire_date = now() - interval '1 second' WHERE user_id = %s",
        person.id,
    )
    refused(person.http.get("/v1/jobs"), 401, "session_ended")


def test_a_session_of_a_closed_account_is_over(people: People) -> None:
    person = people.make(signed=False)
    people.query("UPDATE accounts_user SET is_active = false WHERE id = %s", person.id)
    refused(person.http.get("/v1/jobs"), 401, "session_ended")


def test_nothing_that_anybody_may_read_needs_a_session(people: People) -> None:
    paths = ("/v1/styles", "/v1/privacy/facts", "/v1/consents/documents", "/v1/schema", "/v1/docs")
    with people.client() as nobody:
        for path in (*paths, "/.well-known/sitter-keys.json", "/livez", "/readyz"):
            answer = nobody.get(path)
            assert isinstance(answer, httpx.Response)
            assert answer.status_code == 200, path


def test_what_is_refused_is_said_in_the_persons_language(signer: Person) -> None:
    german = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
    for path in (f"/v1/jobs/{uuid.uuid4()}", f"/v1/portraits/{uuid.uuid4()}", "/v1/nowhere"):
        answer = signer.http.get(path, headers=german)
        (said,) = answer.json()["errors"]
        assert said["code"] == "not_found"
        assert "gibt es nicht" in said["detail"] or "ist nichts" in said["detail"], said
    key = {**german, "Idempotency-Key": uuid.uuid4().hex}
    many = {"items": [{"style": "passthrough"}] * 21}
    (said,) = signer.http.post("/v1/jobs", json=many, headers=key).json()["errors"]
    assert said["detail"] == "Bestelle höchstens 20 Porträts in einem Auftrag oder einen Pack."
    (said,) = signer.http.post("/v1/jobs", json={"items": 3}, headers=key).json()["errors"]
    assert said["attr"] is not None
    assert said["detail"].startswith("Erwarte")
    with_french = signer.http.get("/v1/nowhere", headers={"Accept-Language": "fr"})
    assert with_french.json()["errors"][0]["detail"] == "There is nothing at this address."
