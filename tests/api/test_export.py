"""Everything that is held on a person, fetched over HTTP from the running roles."""

import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

from tests.api.people import People, Person, refused


def test_a_person_takes_everything_along_once(people: People) -> None:
    person = people.make()
    kept = person.set_with_photo(keep_hours=24)
    job = person.ended(person.submit(kept).json()["id"])
    assert job["state"] == "done", job
    refused(person.http.post("/v1/me/export"), 403, "reauthentication_required")
    address = person.export()
    answer = person.http.get(f"{address}/archive", headers={"Accept": "application/zip"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    held = zipfile.ZipFile(io.BytesIO(answer.content))
    assert held.testzip() is None
    contents = json.loads(held.read("contents.json"))
    assert contents["left_out"] == []
    in_folder = {
        folder: [name for name in held.namelist() if name.rpartition("/")[0] == folder]
        for folder in ("photos", "portraits", "portraits/smaller", "releases", "releases/texts")
    }
    assert {folder: len(names) for folder, names in in_folder.items()} == {
        "photos": 1,
        "portraits": 1,
        "portraits/smaller": 2,
        "releases": 2,
        "releases/texts": 2,
    }
    portrait = job["items"][0]["portrait"]
    image = person.http.get(f"/v1/portraits/{portrait}/image").content
    assert held.read(in_folder["portraits"][0]) == image
    for name in in_folder["releases"]:
        assert json.loads(held.read(name))["evidence"]["typed_name"] == "Grace Hopper"
    (account,) = json.loads(held.read("data/accounts.user.json"))
    assert account["email"] == person.email
    refused(person.http.get(f"{address}/archive"), 410, "export_used")


def test_it_is_encrypted_at_rest_and_goes_with_its_person(people: People) -> None:
    person = people.make()
    person.set_with_photo(keep_hours=24)
    address = person.export()
    rows = people.query(
        "SELECT b.recipient, b.state FROM privacy_exportpart p"
        " JOIN privacy_blob b ON b.id = p.blob_id JOIN privacy_export e ON e.id = p.export_id"
        " WHERE e.owner_id = %s",
        person.id,
    )
    assert rows == [(2, "stored")] * 3
    assert person.confirm().status_code == 200
    begun = person.http.post("/v1/me/erasure")
    assert begun.status_code == 202
    refused(person.http.get(f"{address}/archive"), 401, "session_ended")
    with people.client() as nobody:
        receipt, deadline = f"/v1/erasures/{begun.json()['id']}", time.monotonic() + 60
        while nobody.get(receipt).json()["stage"] != "proved":
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert people.query("SELECT 1 FROM privacy_export WHERE owner_id = %s", person.id) == []


def test_a_stranger_cannot_see_or_fetch_it(people: People, stranger: Person) -> None:
    address = people.make().export()
    for path in (address, f"{address}/archive"):
        refused(stranger.http.get(path), 404, "unknown_export")
        with people.client() as nobody:
            refused(nobody.get(path), 401, "not_authenticated")


def test_many_at_once_get_one_archive(people: People) -> None:
    person = people.make()
    address = person.export()

    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(lambda _: person.http.get(f"{address}/archive"), range(4)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 410, 410, 410]
    whole = next(answer for answer in answers if answer.status_code == 200)
    assert zipfile.ZipFile(io.BytesIO(whole.content)).testzip() is None
