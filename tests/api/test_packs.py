"""Packs, second tries, free re-rolls and the allowance, as an app meets them."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import styles
from tests.api.people import STYLE, People, Person, refused


def ask(person: Person, set_id: str | None, key: str | None = None, **body: Any) -> httpx.Response:
    """A job, whatever is in it."""
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    wanted = {"reference_set": set_id, **body} if set_id else body
    return person.http.post("/v1/jobs", json=wanted, headers=headers)


def shares(person: Person) -> tuple[int, int]:
    """Used today and this month."""
    answer = person.http.get("/v1/me/allowance")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    for share in found.values():
        assert share["used"] + share["left"] == share["limit"]
    return found["day"]["used"], found["month"]["used"]


@pytest.fixture
def nobodys(people: People) -> Iterator[str]:
    """A style of words that no worker can paint, so that its jobs wait."""
    slug = f"waits-{uuid.uuid4().hex[:8]}"
    styles.publish(people.live, slug, "of-nobody", references=0)
    yield slug
    styles.retire(people.live, slug)


def test_a_pack_is_delivered_whole_and_takes_its_photos_with_it(people: People) -> None:
    person = people.make()
    made = person.set_with_photo()
    pack, key = {"styles": [STYLE], "variations": 6}, uuid.uuid4().hex
    answer = ask(person, made, key, pack=pack)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["lane"], len(job["items"])) == ("pack", 6)
    assert len({item["seed"] for item in job["items"]}) == 6
    assert ask(person, made, key, pack=pack).json()["id"] == job["id"]
    other = {"styles": [STYLE], "variations": 5}
    refused(ask(person, made, key, pack=other), 422, "idempotency_key_reused", "Idempotency-Key")
    done = person.ended(job["id"])
    assert (done["state"], done["outcome"], done["counts"]["done"]) == ("done", "complete", 6)
    assert person.http.get("/v1/reference-sets").json() == []
    assert shares(person) == (6, 6)


def test_what_the_worker_could_not_paint_is_not_counted(people: People) -> None:
    person, slug = people.make(), f"odd-{uuid.uuid4().hex[:8]}"
    styles.publish(people.live, slug, styles.PASSTHROUGH, width=300, height=300)
    pack = {"styles": [STYLE, slug], "variations": 2}
    job = ask(person, person.set_with_photo(), pack=pack).json()
    styles.retire(people.live, slug)
    done = person.ended(job["id"])
    assert [item["state"] for item in done["items"]] == ["done", "failed"] * 2
    assert {item["code"] for item in done["items"]} == {None, "engine_refused"}
    assert (done["state"], done["outcome"], done["counts"]["failed"]) == ("done", "partial", 2)
    assert shares(person) == (2, 2)


def test_what_expired_is_not_counted(people: People, nobodys: str) -> None:
    person = people.make()
    job = ask(person, None, pack={"styles": [nobodys], "variations": 3}).json()
    assert shares(person) == (3, 3)
    people.query("UPDATE portraits_job SET start_by = now() WHERE id = %s", job["id"])
    done = person.ended(job["id"], seconds=120)
    assert (done["state"], done["outcome"]) == ("expired", "nothing")
    assert shares(person) == (0, 0)


@pytest.mark.usefixtures("keeps_nothing")
@pytest.mark.parametrize(
    ("pack", "code", "attr"),
    [
        ({"styles": [STYLE], "variations": 10_000}, "pack_too_large", "pack"),
        ({"styles": [f"s{n}" for n in range(100)], "variations": 100}, "pack_too_large", "pack"),
        ({"styles": [STYLE], "variations": 10**400}, "pack_too_large", "pack"),
        ({"styles": ["a", "b", "a"], "variations": 1}, "duplicate_style", "pack.styles"),
        ({"styles": [], "variations": 1}, "empty", "pack.styles"),
        ({"styles": ["a b"], "variations": 1}, "invalid", "pack.styles.0"),
        ({"styles": ["x" * 41], "variations": 1}, "max_length", "pack.styles.0"),
        ({"styles": [STYLE], "variations": 0}, "min_value", "pack.variations"),
        ({"styles": [STYLE]}, "required", "pack.variations"),
        ({"variations": 1}, "required", "pack.styles"),
    ],
)
def test_a_pack_that_makes_no_sense_starts_nothing(
    signer: Person, photo_set: str, pack: dict[str, Any], code: str, attr: str
) -> None:
    before = shares(signer)
    refused(ask(signer, photo_set, pack=pack), 400, code, attr)
    assert shares(signer) == before


@pytest.mark.usefixtures("keeps_nothing")
def test_it_is_items_or_a_pack(signer: Person, photo_set: str) -> None:
    pack, items = {"styles": [STYLE], "variations": 1}, [{"style": STYLE}]
    refused(ask(signer, photo_set, pack=pack, items=items), 400, "items_and_pack", "pack")
    refused(ask(signer, photo_set), 400, "required", "items")
    refused(ask(signer, photo_set, pack=None), 400, "null", "pack")


@pytest.mark.usefixtures("keeps_nothing")
def test_an_unknown_style_of_a_pack_is_named(signer: Person, photo_set: str) -> None:
    pack = {"styles": [STYLE, "cubism-of-tomorrow"], "variations": 2}
    answer = ask(signer, photo_set, pack=pack)
    refused(answer, 422, "unknown_style", "pack.styles.1")


def test_a_failed_portrait_is_tried_once_more_while_its_job_is_open(
    people: People, nobodys: str
) -> None:
    person, other = people.make(), people.make()
    job = ask(person, None, items=[{"style": nobodys}] * 2).json()
    first, second = (item["id"] for item in job["items"])
    path = f"/v1/jobs/{job['id']}/items/{first}/retry"
    refused(person.http.post(path), 409, "not_failed")
    for foreign in (path, path.replace(first, str(uuid.uuid4())), path.replace(job["id"], second)):
        refused(other.http.post(foreign), 404, "not_found")
    people.query("DELETE FROM privacy_lease WHERE work_id = %s", first)
    people.query("UPDATE portraits_item SET state = 'failed', code = 'x' WHERE id = %s", first)
    for _ in range(2):
        answer = person.http.post(path)
        assert answer.status_code == 202, answer.text
        tried = answer.json()["items"][0]
        assert (tried["state"], tried["code"]) == ("queued", None)
        assert answer.json()["sequence"] > job["sequence"]
    assert people.query("SELECT count(*) FROM privacy_lease WHERE work_id = %s", first) == [(1,)]
    people.query("DELETE FROM privacy_lease WHERE work_id = %s", first)
    people.query("UPDATE portraits_item SET state = 'failed' WHERE id = %s", first)
    refused(person.http.post(path), 409, "already_retried")
    assert shares(person) == (2, 2)
    stopped = person.http.post(f"/v1/jobs/{job['id']}/cancel").json()
    assert (stopped["state"], stopped["outcome"]) == ("cancelled", "nothing")
    refused(person.http.post(path), 409, "job_ended")
    assert shares(person) == (0, 0)


def test_a_portrait_that_is_not_liked_is_painted_anew_for_nothing(people: People) -> None:
    person = people.make()
    made = person.set_with_photo(keep=True)
    first = person.ended(person.submit(made).json()["id"])["items"][0]
    order = {"style": STYLE, "reroll_of": first["portrait"]}
    job = ask(person, made, items=[order])
    assert job.status_code == 202, job.text
    again = person.ended(job.json()["id"])["items"][0]
    assert again["state"] == "done"
    assert again["seed"] != first["seed"]
    assert shares(person) == (1, 1)
    attr = "items.0.reroll_of"
    refused(ask(person, made, items=[order]), 409, "already_rerolled", attr)
    order = {"style": STYLE, "reroll_of": again["portrait"]}
    refused(ask(person, made, items=[order]), 409, "reroll_not_free", attr)
    order = {"style": STYLE, "reroll_of": str(uuid.uuid4())}
    refused(ask(person, made, items=[order]), 422, "reroll_of_unknown", attr)
    order = {"style": STYLE, "reroll_of": "the last one"}
    refused(ask(person, made, items=[order]), 400, "invalid", attr)


@pytest.mark.parametrize(
    ("period", "code"), [("day", "daily_allowance_used"), ("month", "monthly_allowance_used")]
)
def test_an_allowance_that_is_used_up_says_until_when(
    people: People, nobodys: str, period: str, code: str
) -> None:
    person, key, items = people.make(), uuid.uuid4().hex, [{"style": nobodys}]
    job = ask(person, None, items=items).json()
    found = person.http.get("/v1/me/allowance").json()[period]
    statement = "UPDATE portraits_allowance SET used = %s WHERE owner_id = %s AND period = %s"
    people.query(statement, found["limit"], person.id, period)
    answer = ask(person, None, key, items=items)
    assert "/v1/me/allowance" in refused(answer, 429, code)
    assert 1 <= int(answer.headers["Retry-After"]) <= 31 * 86_400
    (left,) = person.http.get("/v1/jobs").json()["results"]
    assert left["id"] == job["id"]
    people.query(statement, 1, person.id, period)
    assert ask(person, None, key, items=items).status_code == 202
    for row in person.http.get("/v1/jobs").json()["results"]:
        person.http.post(f"/v1/jobs/{row['id']}/cancel")
    assert shares(person) == (0, 0)


def test_too_much_waiting_is_refused_until_some_of_it_is_done(people: People, nobodys: str) -> None:
    person, key, items = people.make(), uuid.uuid4().hex, [{"style": nobodys}]
    job = ask(person, None, items=items).json()
    people.query(
        "INSERT INTO privacy_lease (kind, work_id, owner_id, queue, lane, turn, cost, token,"
        " attempts, ready_at, nudged_at) SELECT 'item', gen_random_uuid(), %s, 'of-nobody', '', 0,"
        " 0, 0, 0, now(), now() FROM generate_series(1, 399)",
        person.id,
    )
    answer = ask(person, None, key, items=items)
    refused(answer, 429, "too_many_open")
    assert 1 <= int(answer.headers["Retry-After"]) <= 600
    people.query("DELETE FROM privacy_lease WHERE owner_id = %s AND lane = ''", person.id)
    more = ask(person, None, key, items=items)
    assert more.status_code == 202
    for made in (job, more.json()):
        person.http.post(f"/v1/jobs/{made['id']}/cancel")


def test_an_allowance_is_ones_own_and_needs_a_session(people: People) -> None:
    with people.client() as http:
        refused(http.get("/v1/me/allowance"), 401, "not_authenticated")
    assert shares(people.make(signed=False)) == (0, 0)
