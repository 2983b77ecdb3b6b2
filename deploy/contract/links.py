"""How one answer leads to the next request: the `links` of the OpenAPI document, one table.

A client's author reads here what can be done with an id that was just received; whoever tests the
API by walking through it finds the way. Owns no address: an operation is named by its id.
"""

from collections.abc import Mapping
from typing import Any, Final

BODY: Final = "$response.body#/"
# Parameters of the operation → where in the answer, or in the request, they stand.
Where = Mapping[str, str]
ITS_ID: Final[Where] = {"id": f"{BODY}id"}
FIRST: Final[Where] = {"id": f"{BODY}results/0/id"}
SAME: Final[Where] = {"id": "$request.path.id"}
_JOB: Final = ("getJob", "streamJobEvents", "downloadJobArchive", "cancelJob")
_PORTRAIT: Final = (
    *("getPortrait", "updatePortrait", "downloadPortrait", "getPortraitPrompt"),
    *("createPortraitLink", "getPortraitReceipt", "reportPortrait", "deletePortrait"),
)
_SET: Final = ("getReferenceSet", "putPhoto", "deletePhoto", "deleteReferenceSet")
_ERASES: Final = {"getErasure": ITS_ID}


def _each(operations: tuple[str, ...], where: Where) -> dict[str, Where]:
    return dict.fromkeys(operations, where)


# (operation, status) → operation that follows → its parameters.
FOLLOWS: Final[dict[tuple[str, str], Mapping[str, Where]]] = {
    ("createReferenceSet", "201"): _each(_SET, ITS_ID),
    ("listReferenceSets", "200"): _each(_SET, {"id": f"{BODY}0/id"}),
    ("getReferenceSet", "200"): _each(("putPhoto", "deleteReferenceSet"), ITS_ID),
    ("putPhoto", "200"): _each(("getReferenceSet", "deletePhoto"), SAME),
    ("putPhoto", "202"): _each(("getReferenceSet", "deletePhoto"), SAME),
    ("createJob", "202"): _each(_JOB, ITS_ID),
    ("listJobs", "200"): _each(_JOB, FIRST),
    ("getJob", "200"): {
        **_each(_JOB, ITS_ID),
        "retryItem": {**ITS_ID, "item_id": f"{BODY}items/0/id"},
        "getPortrait": {"id": f"{BODY}items/0/portrait"},
        "listPortraits": {"job": f"{BODY}id"},
    },
    ("cancelJob", "200"): _each(("getJob",), ITS_ID),
    ("retryItem", "202"): _each(("getJob",), SAME),
    ("listPortraits", "200"): _each(_PORTRAIT, FIRST),
    ("getPortrait", "200"): _each(_PORTRAIT, ITS_ID),
    ("updatePortrait", "200"): _each(("getPortrait", "downloadPortrait"), ITS_ID),
    ("listSessions", "200"): {"endSession": {"name": f"{BODY}0/id"}},
    ("listStyles", "200"): {"downloadStyleTrial": {"slug": f"{BODY}0/id"}},
    ("createExport", "202"): _each(("getExport", "downloadExport"), ITS_ID),
    ("getExport", "200"): _each(("downloadExport",), ITS_ID),
    ("createFaceClaim", "202"): {"getFaceClaim": ITS_ID},
    ("createRequest", "202"): _each(("verifyRequest", "getRequest"), ITS_ID),
    ("listRequests", "200"): _each(("verifyRequest", "getRequest"), {"id": f"{BODY}0/id"}),
    ("createProvenanceCheck", "202"): {"getProvenanceCheck": ITS_ID},
    ("deletePortrait", "202"): {**_ERASES, **_each(("getPortrait", "downloadPortrait"), SAME)},
    ("deletePhoto", "202"): _ERASES,
    ("deleteReferenceSet", "202"): {**_ERASES, "getReferenceSet": SAME},
    ("eraseMe", "202"): _ERASES,
}


def of(operation: str, status: str) -> dict[str, Any]:
    """The links of one answer, as OpenAPI writes them; empty where nothing follows."""
    return {
        name: {"operationId": name, "parameters": dict(where)}
        for name, where in FOLLOWS.get((operation, status), {}).items()
    }
