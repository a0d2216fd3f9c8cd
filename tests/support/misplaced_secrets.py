"""Requests that have a secret in the wrong place: each parameter, header, and key and value of a body that a document names."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.support.worlds import AGENT_ID

UNDOCUMENTED_HEADERS = ("Authorization", "X-Request-Id", "User-Agent", "Accept", "Cookie")
METHODS = {"get", "post", "put", "patch", "delete"}


class Misplaced(NamedTuple):
    """A request, and what its name in a report is."""

    what: str
    method: str
    path: str
    options: dict[str, Any]


def misplaced(document: dict[str, Any], secret: str) -> Iterator[Misplaced]:
    """Every request of the OpenAPI document that has the secret in one place."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                yield from _of_parameters(document, method, path, operation, secret)
                yield from _of_body(document, method, path, operation, secret)


def _of_parameters(
    document: dict[str, Any], method: str, path: str, operation: dict[str, Any], secret: str
) -> Iterator[Misplaced]:
    filled, body = _filled(path), _example(document, operation)
    options = {} if body is None else {"json": body}
    parameters = [(one["in"], one["name"]) for one in operation.get("parameters", ())]
    parameters += [("query", secret), *(("header", name) for name in UNDOCUMENTED_HEADERS)]
    for place, name in parameters:
        match place:
            case "path":
                yield Misplaced(f"path {name}", method, _filled(path.replace(f"{{{name}}}", secret)), options)
            case "query":
                yield Misplaced(f"query {name}", method, filled, options | {"params": {name: secret}})
            case _:
                yield Misplaced(f"header {name}", method, filled, options | {"headers": {name: secret}})


def _of_body(document: dict[str, Any], method: str, path: str, operation: dict[str, Any], secret: str) -> Iterator[Misplaced]:
    example = _example(document, operation)
    if example is None:
        return
    bodies: dict[str, Any] = {"whole": secret, "list": [secret], "key": example | {secret: secret}}
    for name in _schema(document, operation)["properties"]:
        bodies[f"value of {name}"] = example | {name: secret}
        bodies[f"list in {name}"] = example | {name: [secret]}
        bodies[f"key in {name}"] = example | {name: {secret: secret}}
    for what, body in bodies.items():
        yield Misplaced(f"body, {what}", method, _filled(path), {"json": body})


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", AGENT_ID, path)


def _example(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    schema = _schema(document, operation)
    return schema.get("example", {}) if schema else None


def _schema(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """The schema of a JSON body, or {}."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return {}
    schema: dict[str, Any] = content["schema"]
    references = [schema, *schema.get("allOf", ()), *schema.get("anyOf", ())]
    reference = next((one["$ref"] for one in references if "$ref" in one), None)
    return document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
