"""The committed contract is what the code says, is whole, and breaks nobody's client."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from deploy.contract import refusals
from deploy.contract.changes import breaking
from deploy.contract.document import METHODS
from deploy.contract.files import RELEASED, WRITTEN, read
from deploy.management.commands.contract import render

CONTRACT: Any = read(WRITTEN)
WORDS = json.dumps(CONTRACT)


def operations() -> Iterator[tuple[str, Any]]:
    """(address, operation) of everything."""
    for path, entry in CONTRACT["paths"].items():
        yield from ((path, entry[method]) for method in METHODS if method in entry)


def test_the_committed_document_is_what_the_code_says() -> None:
    assert render() == WRITTEN.read_text(), "run make contract"


def test_a_client_of_the_released_document_goes_on_working() -> None:
    assert breaking(read(RELEASED), CONTRACT) == []


def test_every_operation_is_in_the_table_of_refusals() -> None:
    named = {operation["operationId"] for _, operation in operations()}
    assert named == set(refusals.OPERATIONS)


def test_operations_are_called_as_methods_are() -> None:
    verbs = """get list create update delete download stream put cancel retry erase grant withdraw
        report sign end reauthenticate verify resend request reset change"""
    for _, operation in operations():
        assert operation["operationId"].startswith(tuple(verbs.split())), operation["operationId"]
        assert operation["operationId"].isalnum()


def test_every_answer_that_asks_for_patience_says_how_long() -> None:
    for name, answer in CONTRACT["components"]["responses"].items():
        if name.startswith(("Refused429", "Refused503")):
            assert "Retry-After" in answer["headers"], name


def resolved(part: Any) -> Any:
    """What a reference into the document stands for."""
    while "$ref" in part:
        found: Any = CONTRACT
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def shown() -> Iterator[tuple[str, Any, Any]]:
    """(where, the schema, the example) of every example in the document."""
    for path, operation in operations():
        where = f"{operation['operationId']} {path}"
        for content in (
            operation.get("requestBody", {}).get("content", {}),
            *(resolved(answer).get("content", {}) for answer in operation["responses"].values()),
        ):
            told = content.get("application/json", {})
            if "example" in told:
                yield where, told["schema"], told["example"]
            for example in told.get("examples", {}).values():
                yield where, told["schema"], resolved(example)["value"]


def test_every_example_is_as_its_schema_says() -> None:
    seen = 0
    for where, schema, example in shown():
        whole = {**schema, "components": CONTRACT["components"]}
        told = [
            error.message for error in jsonschema.Draft202012Validator(whole).iter_errors(example)
        ]
        assert told == [], where
        seen += 1
    assert seen > 300


def test_every_operation_has_an_example_of_what_it_takes_and_says() -> None:
    for where, operation in operations():
        asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert asked is None or "example" in asked, where
        for status, answer in operation["responses"].items():
            told = resolved(answer).get("content", {}).get("application/json")
            if told and status != "default":
                assert "example" in told or told["examples"], f"{where} {status}"


def fresh() -> Any:
    """The document once more, to be changed; reading it is cheaper than copying it."""
    return json.loads(WORDS)


def drop_path(document: Any) -> None:
    del document["paths"]["/v1/jobs/{id}/cancel"]


def drop_method(document: Any) -> None:
    del document["paths"]["/v1/portraits/{id}"]["delete"]


def rename(document: Any) -> None:
    document["paths"]["/v1/jobs"]["post"]["operationId"] = "submitJob"


def drop_field(document: Any) -> None:
    del document["components"]["schemas"]["Job"]["properties"]["percent"]


def drop_nested_field(document: Any) -> None:
    del document["components"]["schemas"]["Rendition"]["properties"]["width"]


def may_be_missing(document: Any) -> None:
    document["components"]["schemas"]["Portrait"]["required"].remove("image")


def may_be_null(document: Any) -> None:
    document["components"]["schemas"]["Portrait"]["properties"]["image"]["type"] = [
        "string",
        "null",
    ]


def require_field(document: Any) -> None:
    document["components"]["schemas"]["NewReferenceSet"]["required"] = ["keep"]


def drop_choice(document: Any) -> None:
    document["components"]["schemas"]["ReasonEnum"]["enum"].remove("broken")


def narrow(document: Any) -> None:
    document["components"]["schemas"]["Grant"]["properties"]["typed_name"]["maxLength"] = 20


def require_parameter(document: Any) -> None:
    added = {"in": "query", "name": "device", "required": True, "schema": {"type": "string"}}
    document["paths"]["/v1/jobs"]["get"].setdefault("parameters", []).append(added)


def drop_parameter(document: Any) -> None:
    document["paths"]["/v1/jobs"]["get"]["parameters"] = []


def need_session(document: Any) -> None:
    document["paths"]["/v1/styles"]["get"]["security"] = [{"sessionToken": []}]


def drop_code(document: Any) -> None:
    for answer in document["components"]["responses"].values():
        answer["x-codes"] = [code for code in answer["x-codes"] if code != "queue_full"]


def drop_media(document: Any) -> None:
    photo = document["paths"]["/v1/reference-sets/{id}/photos/{slot}"]["put"]
    del photo["requestBody"]["content"]["image/heic"]


BREAKS = (
    *(drop_path, drop_method, rename, drop_field, drop_nested_field, may_be_missing, may_be_null),
    *(require_field, drop_choice, narrow, require_parameter, drop_parameter, need_session),
    *(drop_code, drop_media),
)


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_it_notices_what_would_break_a_client(change: Callable[[Any], None]) -> None:
    broken = fresh()
    change(broken)
    assert breaking(CONTRACT, broken)


def test_it_lets_additions_pass() -> None:
    grown = fresh()
    schemas = grown["components"]["schemas"]
    schemas["Job"]["properties"]["colour"] = {"type": "string"}
    schemas["JobState"]["enum"].append("paused")
    schemas["ReasonEnum"]["enum"].append("too_late")
    schemas["NewReferenceSet"]["properties"]["name"] = {"type": "string"}
    grown["paths"]["/v1/poses"] = {"get": {"operationId": "listPoses", "responses": {}}}
    assert breaking(CONTRACT, grown) == []
    assert read(WRITTEN) == CONTRACT
