"""Jobs over HTTP: sent twice, sent too early, stopped, and never lost."""

import os
import uuid
from concurrent.futures import ThreadPoolExecutor

from tests import styles
from tests.api.people import STYLE, People, refused
from tests.figures import figure

N = 50
FULL = os.environ.get("FULL") == "1"
ROUNDS = 100 if FULL else 10


def test_fifty_posts_at_once_give_one_job(people: People) -> None:
    person = people.make()
    made = person.set_with_photo(keep=True)
    jobs_a_key, mismatches = [], []
    for number in range(ROUNDS):
        key = uuid.uuid4().hex
        with ThreadPoolExecutor(N) as pool:
            answers = list(pool.map(lambda _, key=key: person.submit(made, key=key), range(N)))
        assert {answer.status_code for answer in answers} == {202}, [a.text for a in answers][:3]
        ids = {answer.json()["id"] for answer in answers}
        owned = people.query("SELECT count(*) FROM portraits_job WHERE owner_id = %s", person.id)
        jobs_a_key.append(max(len(ids), owned[0][0] - number))
        answer = person.submit(made, STYLE, STYLE, key=key)
        refused(answer, 422, "idempotency_key_reused", "Idempotency-Key")
        mismatches.append(answer.status_code)
        job = person.ended(ids.pop())
        assert (job["state"], job["percent"]) == ("done", 100)
    figure(
        "R-12",
        value=max(jobs_a_key),
        n=N * ROUNDS,
        holds=set(jobs_a_key) == {1} and set(mismatches) == {422} if FULL else None,
        conditions=f"{ROUNDS} keys, {N} posts each at once over HTTP, one web process; another"
        " body under each key: 422",
    )
    assert set(jobs_a_key) == {1}
    assert len(person.http.get("/v1/portraits?page_size=200").json()["results"]) == ROUNDS
    answer = person.submit(made, key=key)
    assert (answer.status_code, answer.json()["id"]) == (202, job["id"])


def test_a_job_while_a_photo_is_being_checked_waits_for_the_person(people: People) -> None:
    person = people.make()
    made = person.set_with_photo()
    # No lease goes with it, so no intake looks at it, and its bytes last, so no sweep settles it.
    people.query(
        "INSERT INTO portraits_photo (id, set_id, slot, state, code, hint, created_at, upload_id)"
        " SELECT gen_random_uuid(), set_id, 'half_body', 'checking', '', '', now(), reference_id"
        " FROM portraits_photo WHERE set_id = %s",
        made,
    )
    refused(person.submit(made), 409, "photos_still_checking", "reference_set")
    assert person.http.get("/v1/jobs").json()["results"] == []


def test_photos_of_a_waiting_job_are_fixed_until_it_is_stopped(people: People) -> None:
    person = people.make()
    made = person.set_with_photo()
    style = f"waits-{uuid.uuid4().hex[:8]}"
    styles.publish(people.live, style, "of-nobody")
    job = person.submit(made, style).json()
    styles.retire(people.live, style)
    assert job["state"] == "queued"
    in_use = ("reference_set_in_use", "reference_set")
    refused(person.submit(made), 409, *in_use)
    refused(person.put(made, "front", b"x"), 409, *in_use)
    refused(person.http.delete(f"/v1/reference-sets/{made}"), 409, *in_use)
    stopped = person.http.post(f"/v1/jobs/{job['id']}/cancel")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "cancelled")
    refused(person.http.post(f"/v1/jobs/{job['id']}/cancel"), 409, "already_ended")
    assert person.http.get("/v1/reference-sets").json() == []
    assert person.holdings()["sealed"] == []


def test_nobody_sees_or_stops_somebody_elses_job(people: People) -> None:
    person, other = people.make(), people.make()
    job = person.submit(person.set_with_photo()).json()["id"]
    refused(other.http.get(f"/v1/jobs/{job}"), 404, "not_found")
    refused(other.http.post(f"/v1/jobs/{job}/cancel"), 404, "not_found")
    portrait = person.ended(job)["items"][0]["portrait"]
    for method, path in (("get", ""), ("delete", ""), ("get", "/image")):
        answer = other.http.request(method, f"/v1/portraits/{portrait}{path}")
        refused(answer, 404, "not_found")
    assert person.http.get(f"/v1/portraits/{portrait}/image").status_code == 200


def test_an_open_job_says_when_to_ask_again(people: People) -> None:
    person = people.make()
    job = person.submit(person.set_with_photo(), *[STYLE] * 5).json()
    answer = person.http.get(f"/v1/jobs/{job['id']}")
    if answer.json()["state"] in ("queued", "running"):
        assert answer.headers["Retry-After"] == "1"
    done = person.ended(job["id"])
    assert [item["state"] for item in done["items"]] == ["done"] * 5
    assert "Retry-After" not in person.http.get(f"/v1/jobs/{job['id']}").headers
