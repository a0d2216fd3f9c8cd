"""Reference pages, made from what they describe: the CRDs, the reasons, the settings. So they cannot be out of date."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from agentidp.domain.secrets import MIN_COST

Schema = dict[str, Any]
PROGRAMS = ("agent_operator", "token_service", "management_api")
CONSTANTS = {"MIN_COST": str(MIN_COST)}
BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def resources(root: Path) -> str:
    """Every field of the four kinds."""
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


def reasons(root: Path) -> str:
    """Every reason that a condition or an event may carry."""
    tree = ast.parse((root / "agentidp/domain/reasons.py").read_text())
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    rows = [f"| `{value}` | {_cell(text)} |" for _, value, text in _assigned(body)]
    head = "# Reasons\n\nWhat `Ready`, `SecretDelivered` and events carry. A value never changes its meaning.\n\n"
    return head + "| reason | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"


def settings(root: Path) -> str:
    """Every environment variable of every program."""
    parts = ["# Settings", "Environment variables; the chart's values set them. `--help` of each program lists its own."]
    found = (path for path in sorted(root.glob("**/settings.py")) if path.parent.name in PROGRAMS)
    programs = {path.parent.name.replace("_", " "): path for path in found}
    for title, path in ({"all programs": root / "agentidp/runtime/settings.py"} | programs).items():
        tree = ast.parse(path.read_text())
        classes = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"))
        rows = [
            f"| `AGENTIDP_{name.upper()}` | {default and f'`{default}`'} | {_cell(text)} |"
            for node in classes
            for name, default, text in _assigned(node.body)
        ]
        if rows:
            parts += [f"## {title.capitalize()}", "| variable | default | meaning |\n|---|---|---|\n" + "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


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


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, str, str]]:
    """Name, value and docstring of each assignment."""
    for statement, following in zip(body, [*body[1:], None], strict=True):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, _value(value), _docstring(following)
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                yield name, _value(value) if value else "required", _docstring(following)


def _docstring(following: ast.stmt | None) -> str:
    match following:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
    return ""


def _value(value: ast.expr) -> str:
    """As the environment has it."""
    match value:
        case ast.Constant(value=None) | ast.Call(args=[], keywords=[]):
            return ""
        case ast.Constant(value=str() | int() | float() as plain):
            return str(plain)
        case ast.Call(
            func=ast.Name(id="timedelta"), keywords=[ast.keyword(arg=str(unit), value=ast.Constant(value=int(count)))]
        ):
            return f"{count}{unit[0]}"
        case ast.Call(func=ast.Name(id="Listen"), args=[ast.Constant(value=str(host)), ast.Constant(value=int(port))]):
            return f"{host}:{port}"
        case ast.Name(id=name):
            return CONSTANTS[name]
        case ast.Attribute(attr=name):
            return name
        case ast.BoolOp(values=[ast.Call(func=ast.Attribute(attr="cpu_count")), _]):
            return "one a core"
    return ast.unparse(value)


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
