"""Schemathesis walks the whole contract: no server error, and no answer that it does not describe.

The short run asks some hundred times, the long one some thousand (`make fuzz`).
"""

import json

import pytest

from deploy import figures
from tests.api.people import People
from tests.fuzz import walking
from tests.fuzz.corpora import FOLDER
from tests.fuzz.size import LONG, TARGET, pick

# What the figure counts; the rest is held as well, and said in its conditions.
SERVER = "not_a_server_error"
SHAPE = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
MORE = (
    *("negative_data_rejection", "missing_required_header", "unsupported_method"),
    *("allow_header_conformance", "use_after_free", "ensure_resource_availability"),
    *("ignored_auth", "object_level_authorization"),
)
WHOLE = 5_000


@pytest.mark.timeout(5400 if LONG else 240)
def test_every_answer_is_as_the_contract_says(people: People) -> None:
    found = walking.walk(
        people,
        checks=(SERVER, *SHAPE, *MORE),
        phases=pick(("examples", "fuzzing", "stateful"), walking.ALL),
        examples=pick(4, 90),
        steps=pick(6, 12),
    )
    faults = sorted(name for name in found.failures if name.startswith(SERVER))
    shapes = sorted(name for name in found.failures if name.startswith(SHAPE))
    answered = ", ".join(f"{status} {n}" for status, n in sorted(found.statuses.items()))
    walked = ", ".join(f"{phase} {n}" for phase, n in sorted(found.phases.items()))
    well = not (faults or shapes)
    figures.record(
        TARGET,
        "schemathesis",
        value=f"{len(faults)} / {len(shapes)}",
        unit="",
        n=found.cases,
        holds=(well and None) if found.cases < WHOLE else well,
        conditions=f"{len(found.asked)} operations; {walked}; answers: {answered};"
        f" {len(found.failures)} other findings",
    )
    if LONG:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "walk.json").write_text(json.dumps(vars(found), indent=1, default=str) + "\n")
    told = "\n\n".join(f"{name}\n{said}" for name, said in found.failures.items())
    assert not found.failures, told
    assert found.errors == []
    assert len(found.asked) >= walking.operations()
    assert found.cases >= pick(200, WHOLE)
