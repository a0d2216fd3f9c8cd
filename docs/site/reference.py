"""Reference pages, generated from their sources: CRDs, OpenAPI documents, conditions and reasons, settings.

`make reference` writes the page of reasons into docs/, where it can be read without the site; the others are on the site only.
"""

import ast
import asyncio
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import msgspec
import yaml
from structlog.testing import capture_logs

from agent_operator.settings import OperatorSettings
from agentidp.runtime.settings import PREFIX, CommonSettings, setting_text
from management_api.app import create_app as management_api
from management_api.settings import ManagementApiSettings
from token_service.app import create_app as token_service
from token_service.settings import TokenServiceSettings

Schema = dict[str, Any]
APPLICATIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "Token service": (token_service, "/openapi.json"),
    "Management API": (management_api, "/api/v1/openapi.json"),
}
SETTINGS: dict[str, type[CommonSettings]] = {
    "All programs": CommonSettings,
    "Operator": OperatorSettings,
    "Token service": TokenServiceSettings,
    "Management API": ManagementApiSettings,
}
BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def resources(root: Path) -> str:
    """Every field of the five kinds."""
    parts = ["# Resources", "Group `idp.sentryagent.ai`, version `v1alpha1`. `kubectl explain` tells the same."]
    for path in sorted((root / "crds").glob("*.yaml")):
        crd = yaml.safe_load(path.read_text())["spec"]
        names, schema = crd["names"], crd["versions"][0]["schema"]["openAPIV3Schema"]
        short = ", ".join(f"`{name}`" for name in names.get("shortNames", []))
        parts += [f"## {names['kind']}", f"{schema['description']} {crd['scope']}; short name {short}."]
        for part in ("spec", "status"):
            if part in schema["properties"]:
                rows = "\n".join(_fields(schema["properties"][part], part))
                parts.append(f"| field | type | meaning |\n|---|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def http(_root: Path) -> str:
    """Every call of both programs, from the OpenAPI documents that they serve."""
    parts = [
        "# HTTP",
        "What both programs serve. Each has its OpenAPI document, too: `/openapi.json` and `/api/v1/openapi.json`.",
    ]
    for title, (create_app, path) in APPLICATIONS.items():
        document = asyncio.run(_served(create_app(MagicMock(issuer="https://idp.example")), path))
        parts.append(f"## {title}")
        for names, call in _calls(document):
            parts += _call(names, call, document)
    return "\n\n".join(parts) + "\n"


async def _served(app: Any, path: str) -> Schema:
    """An application's document; to make it takes nothing that the application works with."""
    with capture_logs():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://documents") as client:
            document: Schema = (await client.get(path)).raise_for_status().json()
    return document


def _calls(document: Schema) -> Iterator[tuple[list[str], Schema]]:
    """Each call with its names: some are served under several paths."""
    calls_by_content: list[tuple[list[str], Schema]] = []
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            content = {key: value for key, value in call.items() if key != "operationId"}
            names = next((names for names, same in calls_by_content if same == content), None)
            if names is None:
                calls_by_content.append((names := [], content))
            names.append(f"{method.upper()} {path}")
    yield from calls_by_content


def _call(names: Sequence[str], call: Schema, document: Schema) -> Iterator[str]:
    yield f"### `{names[0]}`"
    if len(names) > 1:
        yield "Also " + ", ".join(f"`{name}`" for name in names[1:]) + "."
    yield " ".join(f"{call.get('summary', '')}. {call.get('description', '')}".split()).removeprefix(". ")
    parameters = [
        f"| `{one['name']}` ({one['in']}) | {_type(schema)} | {_cell(_meaning(one | schema, one.get('required', False)))} |"
        for one in call.get("parameters", [])
        for schema in [_resolved(one["schema"], document)]
    ]
    for content in call.get("requestBody", {}).get("content", {}).values():
        parameters += _fields(_resolved(content["schema"], document), "body")
    if parameters:
        yield "| parameter | type | meaning |\n|---|---|---|\n" + "\n".join(parameters)
    responses = "\n".join(
        f"| {status} | {_cell(response['description'])} |" for status, response in sorted(call["responses"].items())
    )
    yield f"| response | meaning |\n|---|---|\n{responses}"


def _resolved(schema: Schema, document: Schema) -> Schema:
    """With what it refers to in place of the reference, and without the possibility that it is null."""
    if "$ref" in schema:
        return _resolved(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if options:
        return _resolved(options[0], document) | {key: value for key, value in schema.items() if key != "anyOf"}
    parts = {name: _resolved(part, document) for name, part in schema.get("properties", {}).items()}
    return schema | ({"properties": parts} if parts else {})


def reasons(root: Path) -> str:
    """Every condition, and every reason that a condition or an event may carry."""
    resources = root / "agentidp/domain/resources"
    conditions = ast.parse((resources / "conditions.py").read_text()).body
    enum = next(node for node in ast.parse((resources / "reasons.py").read_text()).body if isinstance(node, ast.ClassDef))
    return (
        "\n\n".join(
            [
                "# Conditions and reasons",
                "`make reference` writes this page from `conditions.py` and `reasons.py` in `agentidp/domain/resources`.",
                "## Conditions",
                "They are in `status.conditions`, as the Kubernetes API conventions describe them.",
                _table("condition", conditions),
                "## Reasons",
                "A condition carries one of these as its `reason`, and an event too. A value never changes its meaning.",
                _table("reason", enum.body),
            ]
        )
        + "\n"
    )


def _table(title: str, body: list[ast.stmt]) -> str:
    """The string constants that have a docstring."""
    documented = [(value, text) for _, value, text in _assigned(body) if isinstance(value, ast.Constant) and text]
    rows = [f"| `{ast.literal_eval(value)}` | {_cell(text)} |" for value, text in documented]
    return f"| {title} | meaning |\n|---|---|\n" + "\n".join(rows)


def settings(_root: Path) -> str:
    """Every environment variable of every program."""
    parts = ["# Settings", "Environment variables; the chart's values set them. `--help` of each program lists its own."]
    for title, kind in SETTINGS.items():
        source = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
        text_of = {name: text for name, _, text in _assigned(getattr(source, "body", []))}
        rows = [
            f"| `{PREFIX}{field.name.upper()}` | {_default(field)} | {_cell(text_of[field.name])} |"
            for field in msgspec.structs.fields(kind)
            if field.name in text_of
        ]
        parts += [f"## {title}", "| variable | default | meaning |\n|---|---|---|\n" + "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.name == "hashing_threads":
        return "one a core"
    text = setting_text(field.default)
    return f"`{text}`" if text and field.default is not None else ""


def _fields(schema: Schema, path: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        place, required = f"{path}.{name}", name in schema.get("required", [])
        yield f"| `{place}` | {_type(field)} | {_cell(_meaning(field, required))} |"
        if name != "conditions":
            yield from _fields(field, place)
            yield from _fields(field.get("items", {}), f"{place}[]")


def _type(field: Schema) -> str:
    kind: str = field.get("format") or field.get("type", "any")
    return f"list of {_type(field['items'])}s" if kind == "array" else kind


def _meaning(field: Schema, required: bool) -> str:
    facts = ["Required." if required else ""]
    if "default" in field:
        facts.append(f"Default: `{field['default']}`.")
    if "enum" in field:
        facts.append("One of " + ", ".join(f"`{one}`" for one in field["enum"]) + ".")
    bounds = [text.format(field[key]) for key, text in BOUNDS.items() if key in field]
    if bounds:
        facts.append(", ".join(bounds).capitalize() + ".")
    return " ".join([field.get("description", ""), *filter(None, facts)])


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None, str]]:
    """Name, value and docstring of each assignment."""
    for statement, following in zip(body, [*body[1:], None], strict=True):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value):
                yield name, value, _docstring(following)


def _docstring(following: ast.stmt | None) -> str:
    match following:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
    return ""


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


if __name__ == "__main__":
    repository = Path(__file__).parents[2]
    (repository / "docs/reference/reasons.md").write_text(reasons(repository))
