"""From the id that a client was told to the worker that painted: by the logs alone."""

import json
import uuid
from pathlib import Path
from typing import Any

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.chaos.person import STYLE, Person, views, wait


def lines(file: Path, event: str) -> list[dict[str, Any]]:
    """What a role has said of this event."""
    told = [line for line in file.read_text().splitlines() if f'"event": "{event}"' in line]
    return [json.loads(line) for line in told]


def test_request_job_and_portrait_are_joined(live: Stack) -> None:
    person = Person(live.urls.web)
    body = {"reference_set": person.ready_set(), "items": [{"style": STYLE}]}
    answer = person.http.post("/v1/jobs", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    request_id, job = answer.headers["X-Request-Id"], answer.json()
    assert person.ended(job["id"])["state"] == "done"
    asked = [
        line
        for line in lines(live.logs(Role.WEB), "job_submitted")
        if line["request_id"] == request_id
    ]
    assert [line["job_id"] for line in asked] == [job["id"]]

    def painted() -> list[dict[str, Any]]:
        ended = lines(live.logs(Role.GPU), "item_ended")
        return [line for line in ended if line["job_id"] == job["id"]]

    [line] = wait("the worker's line", painted)
    assert (line["item_id"], line["state"]) == (job["items"][0]["id"], "done")
    request = [
        line for line in lines(live.logs(Role.WEB), "request") if line["request_id"] == request_id
    ]
    assert [line["status"] for line in request] == [202]
    person.close()


def test_request_photo_and_verdict_are_joined(live: Stack) -> None:
    person = Person(live.urls.web)
    made = person.new_set()
    answer = person.put(made, "front", views()["front"])
    assert answer.status_code in (200, 202)
    person.accepted(made)
    request_id = answer.headers["X-Request-Id"]
    [received] = [
        line
        for line in lines(live.logs(Role.WEB), "photo_received")
        if line["request_id"] == request_id
    ]

    def checked() -> list[dict[str, Any]]:
        told = lines(live.logs(Role.INTAKE), "photo_checked")
        return [line for line in told if line["work_id"] == received["work_id"]]

    [line] = wait("the intake's line", checked)
    assert 0 < line["seconds"] < 60
    person.close()
