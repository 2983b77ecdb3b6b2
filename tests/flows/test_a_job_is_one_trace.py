"""With traces and error reports on, a whole installation: one trace a job, over all its roles."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from deploy.demo.views import five_views
from deploy.env import ROOT, Role
from deploy.prove.search import Search
from deploy.stack.supervisor import Stack
from tests import styles
from tests.api.people import PASSWORD, People
from tests.chaos.person import wait
from tests.deploy.wires import Wires, open_wires, told

ROLES = (Role.GPU, Role.WEB, Role.KEEPER, Role.INTAKE, Role.UPKEEP)


@pytest.fixture(scope="module")
def told_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[People, Wires]]:
    """A stack of its own that tells both wires."""
    with open_wires() as wires:
        own = Stack(
            tmp_path_factory.mktemp("traced") / "data",
            roles=ROLES,
            preferred_ports=False,
            extra_env={
                "SITTER_ENGINES": json.dumps([styles.PASSTHROUGH]),
                "SITTER_OTLP_ENDPOINT": wires.otlp_endpoint,
                "SITTER_SENTRY_DSN": wires.dsn,
                # Spans are made of lines, and the tests' own level leaves few.
                "SITTER_LOG_LEVEL": "INFO",
            },
        )
        with own:
            views = five_views(ROOT / "deploy" / "demo" / "photo.jpg")
            people = People(own, make_password(PASSWORD), views)
            styles.publish(own, "passthrough", styles.PASSTHROUGH, width=1024, height=1024)
            yield people, wires
            people.close()


@pytest.mark.slow
def test_the_web_the_intake_and_the_painter_meet_in_traces_named_by_ids(
    told_of: tuple[People, Wires],
) -> None:
    people, wires = told_of
    person = people.make()
    answer = person.submit(person.set_with_photo())
    job = person.ended(answer.json()["id"])
    assert job["state"] == "done"

    def of(trace: str) -> list[Any]:
        return [span for span in wires.spans if span.trace_id.hex() == trace]

    trace = job["id"].replace("-", "")
    wanted = {"job_submitted", "item_ended"}
    wait("both spans", lambda: wanted <= {span.name for span in of(trace)})
    spans = of(trace)
    names = {span.name: span for span in spans}
    assert names["item_ended"].parent_span_id == names["job_submitted"].span_id
    assert told(names["item_ended"])["sitter.item_id"] == job["items"][0]["id"]
    asked = answer.headers["X-Request-Id"]
    assert [span.name for span in wait("the request", lambda: of(asked))] == ["POST v1/jobs"]
    # Each role sends in batches of its own.
    checked = wait("the intake's", lambda: [s for s in wires.spans if s.name == "photo_checked"])
    received = {span.trace_id for span in wires.spans if span.name == "photo_received"}
    assert {span.trace_id for span in checked} <= received
    search = Search()
    search.add_texts({"e-mail": person.email, "password": PASSWORD})
    assert wires.hold(search) == set()
    assert wires.reports == [], "nothing has failed"
