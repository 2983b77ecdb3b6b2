"""The published description of the API: complete, valid, and told without outside help."""

import os
import re
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.contract.files import WRITTEN, read
from deploy.env import ROOT
from tests.api.people import People

PATHS = {
    "/v1/privacy/facts": {"get"},
    "/v1/consents": {"get", "post"},
    "/v1/consents/documents": {"get"},
    "/v1/consents/withdrawal": {"post"},
    "/v1/face-claims": {"post"},
    "/v1/face-claims/{id}": {"get"},
    "/v1/reference-sets": {"get", "post"},
    "/v1/reference-sets/{id}": {"get", "delete"},
    "/v1/reference-sets/{id}/photos/{slot}": {"put", "delete"},
    "/v1/styles": {"get"},
    "/v1/prompt-choices": {"get"},
    "/v1/jobs": {"get", "post"},
    "/v1/jobs/{id}": {"get"},
    "/v1/jobs/{id}/events": {"get"},
    "/v1/jobs/{id}/cancel": {"post"},
    "/v1/jobs/{id}/items/{item_id}/retry": {"post"},
    "/v1/me/allowance": {"get"},
    "/v1/portraits": {"get"},
    "/v1/portraits/{id}": {"get", "patch", "delete"},
    "/v1/portraits/{id}/image": {"get"},
    "/v1/portraits/{id}/prompt": {"get"},
    "/v1/me/holdings": {"get"},
    "/v1/me/erasure": {"post"},
    "/v1/erasures/{id}": {"get"},
}
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def schema(people: People) -> Any:
    with people.client() as http:
        return http.get("/v1/schema", params={"format": "json"}).json()


def operations(schema: Any) -> list[dict[str, Any]]:
    return [
        act for path in schema["paths"].values() for verb, act in path.items() if verb in METHODS
    ]


def test_what_is_served_is_the_committed_document_in_both_forms(
    people: People, schema: Any
) -> None:
    with people.client() as http:
        served = http.get("/v1/schema", headers={"Accept-Language": "de"})
    assert served.headers["content-type"].startswith("application/vnd.oai.openapi;")
    assert served.content == WRITTEN.read_bytes()
    assert read(WRITTEN) == schema


def test_it_is_openapi_3_1(schema: Any) -> None:
    assert schema["openapi"].startswith("3.1")


def test_it_lists_every_address(schema: Any) -> None:
    listed = {
        re.sub(r"\{(pk|id|uuid)\}", "{id}", path): METHODS & set(entry)
        for path, entry in schema["paths"].items()
    }
    for path, methods in PATHS.items():
        assert methods <= listed.get(path, set()), path


def test_every_operation_has_a_name_of_its_own(schema: Any) -> None:
    names = [act["operationId"] for act in operations(schema)]
    assert len(names) == len(set(names))


def test_every_operation_says_what_it_does_and_how_it_refuses(schema: Any) -> None:
    for act in operations(schema):
        assert act["description"], act["operationId"]
        refusal = act["responses"]["default"]["content"]["application/json"]["schema"]
        assert refusal == {"$ref": "#/components/schemas/Errors"}


def test_every_reference_leads_somewhere(schema: Any) -> None:
    for name in re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(schema)):
        assert name in schema["components"]["schemas"], name


def test_it_is_told_who_must_be_signed_in(schema: Any) -> None:
    schemes = schema["components"]["securitySchemes"]
    assert schemes["sessionToken"]["name"] == "X-Session-Token"
    assert {"sessionToken": []} in schema["paths"]["/v1/jobs"]["post"]["security"]
    assert schema["paths"]["/v1/styles"]["get"].get("security", [{}]) == [{}]


def test_an_event_stream_is_told_like_any_answer(schema: Any) -> None:
    (act,) = (entry["get"] for path, entry in schema["paths"].items() if path.endswith("/events"))
    assert set(act["responses"]["200"]["content"]) == {"text/event-stream"}
    assert {"sessionToken": []} in act["security"]
    assert {"Last-Event-ID", "id"} == {parameter["name"] for parameter in act["parameters"]}


def test_writing_it_raises_no_warning() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "arning" not in ended.stderr


def test_the_page_asks_nobody_else_for_anything(people: People) -> None:
    with people.client() as http:
        page = http.get("/v1/docs")
        assert page.status_code == 200
        links = re.findall(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"([^\"]+)\"", page.text)
        assert len(links) >= 3
        for link in links:
            assert not urlsplit(link).netloc, link
            own = http.get(link)
            assert own.status_code == 200, link
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "//" not in policy
        script = http.get("/v1/docs", params={"script": ""})
        assert "http://" not in script.text.replace(str(http.base_url).rstrip("/"), "")
