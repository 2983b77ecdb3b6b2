"""Flower shows operators which tasks ran, by random ids, and does nothing for anybody."""

import re
import time
from typing import Any

import httpx
import pytest

from deploy.env import Role
from tests.api.people import People
from tests.staff.entering import enter

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PAGES = ("", "workers", "tasks")
TABLE = {
    "draw": "1", "start": "0", "length": "5000", "search[value]": "", "order[0][column]": "0",
    "order[0][dir]": "asc", "columns[0][data]": "name",
}  # fmt: skip
# What Flower has by itself and what must not be there: its API, and what it tells to anybody.
CLOSED = (
    "metrics", "healthcheck", "api/workers", "api/tasks", "api/task/types", "api/queues/length",
    "api/task/apply/gpu.generate", "api/task/revoke/x", "api/worker/shutdown/gpu", "login",
    "logout",
)  # fmt: skip


def direct(people: People, password: str | None = None) -> httpx.Client:
    auth = ("sitter", password) if password else None
    return httpx.Client(base_url=people.live.urls.flower, auth=auth, timeout=30)


@pytest.fixture(scope="module")
def operator(people: People) -> httpx.Client:
    return enter(people, people.make(signed=False, role="operator"))


def test_it_asks_for_its_password(people: People) -> None:
    for http in (direct(people), direct(people, "wrong")):
        with http:
            for path in (*PAGES, "worker/x", "tasks/datatable"):
                assert http.get(f"/{path}").status_code == 401, path


def test_what_it_tells_to_anybody_and_what_acts_is_not_there(people: People) -> None:
    root = people.live.urls.flower.removesuffix("/admin/flower")
    with direct(people, people.live.credentials["flower"]) as ours, direct(people) as nobody:
        assert ours.get("/workers").status_code == 200
        for path in CLOSED:
            for http in (ours, nobody):
                assert http.get(f"/{path}").status_code == 404, path
                assert http.post(f"/{path}").status_code in (403, 404, 405), path
                assert http.get(f"{root}/{path}").status_code == 404, path


def test_it_listens_on_this_machine_alone(people: People) -> None:
    env = people.live.env(Role.WEB)
    assert env["SITTER_FLOWER_ADDRESS"].startswith("127.0.0.1:")


def test_an_operator_sees_it_behind_the_login(operator: httpx.Client, people: People) -> None:
    assert 'href="/admin/flower/"' in operator.get("/admin/").text
    for path in PAGES:
        page = operator.get(f"/admin/flower/{path}")
        assert page.status_code == 200, path
        assert "Flower" in page.text
        # Flower knows no queue of a broker like ours; its page would say so.
        assert "flower/broker" not in page.text
        assert "set-cookie" not in {name.lower() for name in page.headers} or (
            "_xsrf" not in page.headers["set-cookie"]
        )
    login = people.live.env(Role.WEB)["SITTER_FLOWER_LOGIN"].partition(":")[2]
    assert login not in "".join(operator.get(f"/admin/flower/{path}").text for path in PAGES)


def test_nobody_else_does(people: People) -> None:
    support = enter(people, people.make(signed=False, role="support"))
    assert "/admin/flower/" not in support.get("/admin/").text
    for path in (*PAGES, "static/js/flower.js", "metrics"):
        assert support.get(f"/admin/flower/{path}").status_code == 403, path
    with people.client() as nobody:
        for path in PAGES:
            answer = nobody.get(f"/admin/flower/{path}")
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/admin/login/")


def test_an_operator_gets_nothing_done_by_it(operator: httpx.Client) -> None:
    for path in (*CLOSED, "../metrics", "static/../metrics", "static/../../v1/schema", "workers/x"):
        assert operator.get(f"/admin/flower/{path}").status_code in (403, 404), path
    token = operator.cookies["csrftoken"]
    headers = {"X-CSRFToken": token, "Referer": str(operator.base_url)}
    for path in ("workers", "tasks/datatable", "api/worker/shutdown/x", "api/task/revoke/x"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = operator.request(method, f"/admin/flower/{path}", headers=headers)
            assert answer.status_code in (403, 405), (method, path)


def test_its_script_asks_for_the_tasks_by_reading(operator: httpx.Client) -> None:
    script = operator.get("/admin/flower/static/js/flower.js").text
    table = script[: script.index("'/tasks/datatable'")]
    assert table[-120:].count("type: 'GET'") == 1


def test_it_shows_real_tasks_with_ids_only(operator: httpx.Client, people: People) -> None:
    person = people.make()
    person.ended(person.submit(person.set_with_photo()).json()["id"])
    deadline = time.monotonic() + 20
    wanted = {"intake.check_reference", "gpu.generate"}
    tasks: list[dict[str, Any]] = []
    while not wanted <= {task["name"] for task in tasks if task["state"] == "SUCCESS"}:
        assert time.monotonic() < deadline, {task["name"] for task in tasks}
        time.sleep(0.5)
        answer = operator.get("/admin/flower/tasks/datatable", params=TABLE)
        assert answer.status_code == 200
        tasks = answer.json()["data"]
    for task in tasks:
        arguments = task["args"] or "()"
        assert re.fullmatch(rf"\(('{UUID}',)?\)|\[('{UUID}')?\]", arguments), arguments
        assert (task["kwargs"] or "{}") == "{}"
        assert task["result"] in (None, "None", "", "'None'")
    assert person.email not in answer.text
    assert str(person.id) not in answer.text


def test_while_flower_is_away_the_admin_says_so(people: People, operator: httpx.Client) -> None:
    people.live.stop_role(Role.FLOWER)
    try:
        answer = operator.get("/admin/flower/")
        assert answer.status_code == 503
        assert answer.text == "Flower does not answer."
        assert operator.get("/admin/").status_code == 200
    finally:
        people.live.start_role(Role.FLOWER)
        people.live.wait_ready()
