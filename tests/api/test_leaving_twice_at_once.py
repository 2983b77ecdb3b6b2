"""Two devices of one person erase at the same moment: one erasure, told to both."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from tests.api.people import PASSWORD, People

DEVICES = 3


def test_two_devices_that_erase_at_once_begin_one_erasure(people: People) -> None:
    person = people.make()
    assert person.set_with_photo()
    body, start = {"email": person.email, "password": PASSWORD}, Barrier(DEVICES)

    def device() -> httpx.Client:
        http = people.client()
        told = http.post("/auth/app/v1/auth/login", json=body).json()
        http.headers["X-Session-Token"] = told["meta"]["session_token"]
        again = http.post("/auth/app/v1/auth/reauthenticate", json={"password": PASSWORD}).json()
        if token := again["meta"].get("session_token"):
            http.headers["X-Session-Token"] = token
        return http

    def erase(http: httpx.Client) -> httpx.Response:
        start.wait()
        return http.post("/v1/me/erasure")

    with ThreadPoolExecutor(DEVICES) as pool:
        answers = list(pool.map(erase, [device() for _ in range(DEVICES)]))
    told = {answer.status_code for answer in answers}
    # Whoever comes after the sessions have ended is told so, and all others of the same erasure.
    assert 202 in told
    assert told <= {202, 401, 410}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    rows = people.query("SELECT count(*) FROM privacy_erasure WHERE subject_id = %s", person.id)
    assert rows == [(1,)]
