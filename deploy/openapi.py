"""What drf-spectacular cannot see: the one error shape, on every operation."""

from typing import Any

ERROR = {
    "type": "object",
    "required": ["code", "detail", "attr"],
    "properties": {
        "code": {"type": "string", "description": "Stable; switch on this."},
        "detail": {"type": "string", "description": "A sentence for the person."},
        "attr": {"type": ["string", "null"], "description": "The field, if any."},
    },
}
ERRORS = {
    "type": "object",
    "required": ["type", "errors"],
    "properties": {
        "type": {"type": "string", "enum": ["validation_error", "client_error", "server_error"]},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ErrorDetail"}},
    },
}
METHODS = ("get", "post", "put", "patch", "delete")


def add_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Every operation may answer with an error of the one shape."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(Errors=ERRORS, ErrorDetail=ERROR)
    answer = {
        "description": "Refused, or not possible right now.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
    }
    for operations in result.get("paths", {}).values():
        for method in METHODS:
            if method in operations:
                operations[method]["responses"]["default"] = answer
    return result
