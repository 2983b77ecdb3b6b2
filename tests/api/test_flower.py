"""Flower shows who has the password which tasks ran, and of people no more than random ids."""

import re
import time

import httpx

from tests.api.people import People

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def flower(people: People, password: str | None = None) -> httpx.Client:
    auth = ("sitter", password) if password else None
    return httpx.Client(base_url=people.live.urls.flower, auth=auth, timeout=30)


def test_it_asks_for_its_password(people: People) -> None:
    for http in (flower(people), flower(people, "wrong")):
        with http:
            for path in ("/", "/tasks", "/api/tasks", "/api/workers"):
                assert http.get(path).status_code == 401, path


def test_it_shows_real_tasks_with_ids_only(people: People) -> None:
    person = people.make()
    person.ended(person.submit(person.set_with_photo()).json()["id"])
    with flower(people, people.live.credentials["flower"]) as http:
        assert http.get("/").status_code == 200
        deadline = time.monotonic() + 20
        wanted = {"intake.check_reference", "gpu.generate"}
        while True:
            answer = http.get("/api/tasks", params={"limit": 5000})
            assert answer.status_code == 200
            tasks = answer.json().values()
            if wanted <= {task["name"] for task in tasks if task["state"] == "SUCCESS"}:
                break
            assert time.monotonic() < deadline, {task["name"] for task in tasks}
            time.sleep(0.5)
    for task in tasks:
        arguments = task["args"] or "()"
        assert re.fullmatch(rf"\(('{UUID}',)?\)|\[('{UUID}')?\]", arguments), arguments
        assert (task["kwargs"] or "{}") == "{}"
        assert task["result"] in (None, "None", "", "'None'")
    assert person.email not in answer.text
    assert str(person.id) not in answer.text
