"""What a client has already is not sent again; what is not done yet says when to ask."""

import pytest

from tests.api.people import People, Person

LISTS = ("/v1/styles", "/v1/jobs", "/v1/portraits", "/v1/consents", "/v1/reference-sets")


@pytest.mark.parametrize("path", [*LISTS, "/v1/prompt-choices", "/v1/me/holdings", "/v1/schema"])
def test_what_has_not_changed_is_not_told_again(signer: Person, path: str) -> None:
    first = signer.http.get(path)
    again = signer.http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "no-store"
    other = signer.http.get(path, headers={"If-None-Match": '"another"'})
    assert other.content == first.content


def test_what_has_changed_is_told(people: People) -> None:
    person = people.make()
    before = person.http.get("/v1/reference-sets")
    person.new_set()
    after = person.http.get("/v1/reference-sets", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert len(after.json()) == 1


def test_another_language_is_another_version(signer: Person) -> None:
    english = signer.http.get("/v1/styles", headers={"Accept-Language": "en"})
    asked = {"Accept-Language": "de", "If-None-Match": english.headers["etag"]}
    german = signer.http.get("/v1/styles", headers=asked)
    assert german.status_code == 200
    assert "Bleistift" in [style["name"] for style in german.json()]
    assert "Pencil" in [style["name"] for style in english.json()]
    held = signer.http.get("/v1/me/holdings", headers={"Accept-Language": "de"}).json()
    assert "die E-Mail-Adresse" in [row["holds"] for row in held["tables"]]


def test_refusals_have_no_version(signer: Person) -> None:
    path = "/v1/portraits/0197a9c5-0000-7000-8000-000000000000"
    refusal = signer.http.get(path)
    assert "etag" not in refusal.headers
    assert signer.http.get(path, headers={"If-None-Match": "*"}).status_code == 404


def test_what_is_not_done_yet_says_when_to_ask(people: People) -> None:
    person = people.make()
    job = person.ended(person.submit(person.set_with_photo()).json()["id"])
    begun = person.http.delete(f"/v1/portraits/{job['items'][0]['portrait']}")
    assert (begun.status_code, begun.headers["retry-after"]) == (202, "1")
    path = f"/v1/erasures/{begun.json()['id']}"
    for _ in range(100):
        told = person.http.get(path)
        proved = told.json()["stage"] == "proved"
        assert ("retry-after" in told.headers) is not proved
        if proved:
            break
    else:
        pytest.fail("never proved")
