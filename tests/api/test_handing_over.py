"""Pictures leave by a link that works once, and as one file for a whole job."""

import io
import zipfile

import httpx
import pytest

from tests.api.people import People, Person, refused


@pytest.fixture(scope="module")
def pack(signer: Person, photo_set: str) -> dict[str, object]:
    job = signer.ended(signer.submit(photo_set, "passthrough", "passthrough").json()["id"])
    assert job["outcome"] == "complete"
    return dict(job)


def portraits(job: dict[str, object]) -> list[str]:
    items = job["items"]
    assert isinstance(items, list)
    return [item["portrait"] for item in items]


def test_a_job_says_where_to_go_from_it(signer: Person, pack: dict[str, object]) -> None:
    links = signer.http.get(f"/v1/jobs/{pack['id']}").json()["links"]
    assert set(links) == {"self", "events", "cancel", "archive"}
    assert signer.http.get(links["self"]).json()["links"] == links
    listed = signer.http.get("/v1/jobs").json()["results"]
    assert links in [row["links"] for row in listed]
    assert signer.http.get(links["events"]).status_code == 200
    refused(signer.http.post(links["cancel"]), 409, "already_ended")


def test_a_portrait_says_where_to_go_from_it(signer: Person, pack: dict[str, object]) -> None:
    first = portraits(pack)[0]
    row = signer.http.get(f"/v1/portraits/{first}").json()
    links = row["links"]
    assert set(links) == {"self", "image", "link", "receipt", "report", "job"}
    assert signer.http.get(links["self"]).json() == row
    assert signer.http.get(links["job"]).json()["id"] == pack["id"]
    assert signer.http.get(links["image"]).status_code == 200
    assert signer.http.post(links["link"], json={}).status_code == 201
    items = signer.http.get(links["job"]).json()["items"]
    assert links["image"] in [item["image"] for item in items]


@pytest.mark.parametrize("accept", ["*/*", "image/*", "image/jpeg", "image/webp, image/jpeg;q=0.2"])
def test_a_picture_comes_in_the_format_that_it_was_painted_in(
    signer: Person, pack: dict[str, object], accept: str
) -> None:
    path = f"/v1/portraits/{portraits(pack)[0]}/image"
    for size in ("full", "preview", "thumb"):
        answer = signer.http.get(path, params={"size": size}, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert f"portrait-{size}.jpg" in answer.headers["content-disposition"]


@pytest.mark.parametrize("accept", ["image/webp", "image/png, image/avif", "application/json"])
def test_a_format_that_it_was_not_painted_in_is_not_made_for_anybody(
    signer: Person, pack: dict[str, object], accept: str
) -> None:
    portrait, header = portraits(pack)[0], {"Accept": accept}
    answer = signer.http.get(f"/v1/portraits/{portrait}/image", headers=header)
    refused(answer, 406, "not_in_this_format")
    url = lent(signer, portrait).json()["url"]
    refused(signer.http.get(url, headers=header), 406, "not_in_this_format")
    # Which does not use the link up.
    assert signer.http.get(url, headers={"Accept": "image/jpeg"}).status_code == 200


def test_a_picture_that_a_client_has_is_not_opened_again(
    signer: Person, pack: dict[str, object]
) -> None:
    first, second = (f"/v1/portraits/{one}/image" for one in portraits(pack))
    etag = signer.http.get(first).headers["etag"]
    known = {"If-None-Match": etag}
    again = signer.http.get(first, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-store"
    assert signer.http.get(second, headers=known).status_code == 200
    assert signer.http.get(first, params={"size": "thumb"}, headers=known).status_code == 200


def test_all_portraits_come_as_one_file(
    signer: Person, stranger: Person, pack: dict[str, object]
) -> None:
    answer = signer.http.get(f"/v1/jobs/{pack['id']}/archive")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    held = zipfile.ZipFile(io.BytesIO(answer.content))
    assert held.testzip() is None
    assert held.namelist() == ["001-passthrough.jpg", "002-passthrough.jpg"]
    for name, portrait in zip(held.namelist(), portraits(pack), strict=True):
        assert held.read(name) == signer.http.get(f"/v1/portraits/{portrait}/image").content
    refused(stranger.http.get(f"/v1/jobs/{pack['id']}/archive"), 404, "not_found")


def test_what_was_deleted_is_not_in_the_file(people: People) -> None:
    person = people.make()
    made = person.set_with_photo()
    job = person.ended(person.submit(made, "passthrough", "passthrough").json()["id"])
    first, second = portraits(job)
    assert person.http.delete(f"/v1/portraits/{first}").status_code == 202
    held = zipfile.ZipFile(io.BytesIO(person.http.get(job["links"]["archive"]).content))
    assert held.namelist() == ["001-passthrough.jpg"]
    assert person.http.delete(f"/v1/portraits/{second}").status_code == 202
    refused(person.http.get(job["links"]["archive"]), 409, "nothing_painted")


def lent(person: Person, portrait: str, **body: str) -> httpx.Response:
    return person.http.post(f"/v1/portraits/{portrait}/link", json=body)


def test_a_link_opens_one_picture_once_for_whoever_has_it(
    signer: Person, people: People, pack: dict[str, object]
) -> None:
    portrait = portraits(pack)[0]
    made = lent(signer, portrait, size="preview")
    assert made.status_code == 201, made.text
    url = made.json()["url"]
    with people.client() as nobody:
        # What only looks at an address does not use it up.
        assert nobody.head(url).status_code == 405
        opened = nobody.get(url)
        assert opened.status_code == 200
        assert opened.headers["cache-control"] == "no-store"
        mine = signer.http.get(f"/v1/portraits/{portrait}/image?size=preview").content
        assert opened.content == mine
        refused(nobody.get(url), 404, "unknown_link")
        refused(nobody.get("/v1/shared/made-up"), 404, "unknown_link")


def test_nobody_lends_what_is_not_theirs_or_not_there(
    signer: Person, stranger: Person, pack: dict[str, object]
) -> None:
    portrait = portraits(pack)[0]
    refused(lent(stranger, portrait), 404, "not_found")
    refused(lent(signer, portrait, size="huge"), 400, "invalid_choice", "size")


def test_deleting_the_portrait_ends_its_links(people: People) -> None:
    person = people.make()
    job = person.ended(person.submit(person.set_with_photo()).json()["id"])
    (portrait,) = portraits(job)
    url = lent(person, portrait).json()["url"]
    assert person.http.delete(f"/v1/portraits/{portrait}").status_code == 202
    with people.client() as nobody:
        refused(nobody.get(url), 404, "unknown_link")
