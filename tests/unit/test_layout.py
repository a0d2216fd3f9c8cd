"""Layout: a module is found by its name, and its test at the same place (`tests/README.md`)."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.crd_schema import CHECKOUT

PACKAGES = {
    "agentidp": "agentidp",
    "operator": "operator/agent_operator",
    "token_service": "token_service",
    "management_api": "management_api",
    "kubectl_agentidp": "kubectl_agentidp",
}
TESTS = CHECKOUT / "tests"
UNIT_TESTS = TESTS / "unit"

MAX_MODULES_OF_A_FOLDER = 9
MIN_LINES_OF_A_MODULE = 40
MIN_WORDS_OF_A_DOCSTRING = 5

WITHOUT_A_TEST = {
    "agentidp": {
        **{
            f"agentidp/domain/resources/{name}.py": "fields only, which `test_crd_fields` compares with the CRDs"
            for name in ("agent", "credential", "organization", "pending_change", "secret", "token_revocation")
        },
    },
    "operator": {
        "operator/agent_operator/wiring.py": "builds the parts: the integration tests run it",
    },
    "token_service": {
        "token_service/server.py": "life of the process: the integration tests run it",
        "token_service/wiring.py": "builds the parts: the integration tests run it",
    },
    "management_api": {
        "management_api/main.py": "starts the process: the integration tests run it",
        "management_api/server.py": "life of the process: the integration tests run it",
        "management_api/wiring.py": "builds the parts: the integration tests run it",
    },
    "kubectl_agentidp": {},
}
"""Modules without a test of their name, each with the reason."""

SMALL_MODULES = {
    "agentidp": {
        "agentidp/authentication/bearer.py": "one function, which several programs use",
        "agentidp/cache/organizations.py": "one index, whose mechanism is in `store`",
        "agentidp/domain/identity/valid_after.py": "one rule, which three programs apply",
        "agentidp/domain/lifecycle/delivery_blockers.py": "one rule, which status, metrics and plugin apply",
        "agentidp/domain/lifecycle/repair_backoff.py": "the operator uses it for every status, too",
        "agentidp/domain/resources/token_revocation.py": "one kind",
        "agentidp/domain/tokens/compact_jws.py": "the form of all tokens, which three modules read here first",
        "agentidp/http_server/content_length.py": "one rule, which both HTTP programs apply",
        "agentidp/http_server/probes.py": "two URLs, as one module has each other one",
        "agentidp/http_server/tracing.py": "imports nothing of OpenTelemetry, which `spans` does",
        "agentidp/runtime/command_line.py": "what every console script begins with",
        "agentidp/runtime/garbage_collection.py": "one setting of the interpreter, and why",
        "agentidp/runtime/metrics.py": "the registry that every program begins with",
        "agentidp/runtime/pools/group_counts.py": "one small structure, which four modules use",
        "agentidp/runtime/replicas.py": "one look-up, which two programs use",
    },
    "operator": {
        "operator/agent_operator/cache/refresh.py": "the one live read of the cache, which reconcilers of all kinds use",
        "operator/agent_operator/clock.py": "read by all folders, so it is below them",
        "operator/agent_operator/limits.py": "every limit on one screen",
        "operator/agent_operator/reconcilers/token_revocation.py": "one reconciler for each kind",
    },
    "token_service": {
        "token_service/main.py": "the console script",
        "token_service/server.py": "the life of the process, in one function",
    },
    "management_api": {
        "management_api/main.py": "the console script",
    },
    "kubectl_agentidp": {},
}
"""Modules of fewer than 40 lines, each with the reason."""

NOUNS = {"Binding", "String", "Setting"}
"""Nouns that end like a participle: `status.binding` of an AgentCredential."""

PARTICIPLE = re.compile(
    r"\w*(ed|ing)|Bound|Built|Chosen|Drawn|Done|Found|Given|Held|Kept|Known|Made|Put|Read|Seen|Sent|Shown|Taken|Told|Written"
)


def modules(folder: Path) -> list[Path]:
    """The modules of a folder and of those below it, without `__init__`."""
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(), str(path))


def nodes(pattern: str) -> Iterator[tuple[Path, ast.AST]]:
    """The syntax nodes of all files that a pattern selects, with the path of each."""
    for path in sorted(CHECKOUT.glob(pattern)):
        for node in ast.walk(tree(path)):
            yield path, node


def product_nodes(package: str) -> Iterator[tuple[Path, ast.AST]]:
    """The syntax nodes of a product package."""
    return nodes(f"{PACKAGES[package]}/**/*.py")


def place(path: Path, node: ast.AST | None = None) -> str:
    """A path in the checkout, and the line of the node."""
    return f"{path.relative_to(CHECKOUT)}" + (f":{getattr(node, 'lineno', 1)}" if node else "")


def sources(package: str) -> Path:
    """The folder of a product package."""
    return CHECKOUT / PACKAGES[package]


def mirrored_test(package: str, module: Path) -> Path:
    """Where the test of a module is: at the mirrored place."""
    inside = module.relative_to(sources(package))
    return UNIT_TESTS / package / inside.parent / f"test_{inside.name}"


def modules_without_a_test(package: str) -> list[str]:
    """Modules whose test is not at the mirrored place, and that have no reason to be without."""
    missing = [place(module) for module in modules(sources(package)) if is_without_a_test(package, module)]
    return [path for path in missing if path not in WITHOUT_A_TEST[package]]


def is_without_a_test(package: str, module: Path) -> bool:
    """Whether a module is there, and its test is not."""
    return module.exists() and not mirrored_test(package, module).exists()


def small_modules(package: str) -> list[str]:
    """Modules of fewer than 40 lines that have no reason to be so small."""
    small = [place(module) for module in modules(sources(package)) if is_small(module)]
    return [path for path in small if path not in SMALL_MODULES[package]]


def is_small(module: Path) -> bool:
    """Whether a module is there, and has fewer than 40 lines."""
    return module.exists() and len(module.read_text().splitlines()) < MIN_LINES_OF_A_MODULE


def large_folders(package: str) -> list[str]:
    """Folders of more than nine modules."""
    sizes = Counter(module.parent for module in modules(sources(package)))
    return [f"{place(folder)}: {size} modules" for folder, size in sizes.items() if size > MAX_MODULES_OF_A_FOLDER]


def participles(package: str) -> list[str]:
    """Classes that are named by a participle alone. An exception may be: it is named for what has happened."""
    return [
        f"{place(path, node)} {node.name}"
        for path, node in product_nodes(package)
        if isinstance(node, ast.ClassDef)
        and PARTICIPLE.fullmatch(node.name.strip("_"))
        and node.name.strip("_") not in NOUNS
        and node.name not in exceptions()
    ]


@cache
def exceptions() -> frozenset[str]:
    """The names of all classes of the product that inherit from an exception."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for package in PACKAGES
        for _, node in product_nodes(package)
        if isinstance(node, ast.ClassDef)
    }
    found = {"Exception", "BaseException"}
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return frozenset(found)


def short_docstrings(package: str) -> list[str]:
    """Docstrings of four words or fewer, which say no more than the name."""
    return [
        f"{place(path, node)} {docstring}"
        for path, node in product_nodes(package)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and (docstring := ast.get_docstring(node))
        and len(docstring.split()) < MIN_WORDS_OF_A_DOCSTRING
    ]


def patches(pattern: str) -> list[str]:
    """Where a test patches a constant of a module, or something private, instead of passing another value."""
    return [
        f"{place(path, node)} {name}"
        for path, node in nodes(pattern)
        if (name := patched_name(node)) and (name.isupper() or is_private(name))
    ]


def patched_name(node: ast.AST) -> str:
    """What `monkeypatch.setattr(module, "NAME", …)`, `patch("module.NAME")` or `module.NAME = …` replace; else ""."""
    match node:
        case ast.Call(func=ast.Attribute(attr="setattr" | "delattr" | "patch" | "object") | ast.Name(id="setattr" | "patch")):
            texts = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            return texts[0].rpartition(".")[2] if texts else ""
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=name)]) if owner not in {"self", "cls"}:
            return name
    return ""


def private_reads(pattern: str) -> list[str]:
    """Where a test reads a private attribute of something, or imports a private name."""
    return [f"{place(path, node)} {name}" for path, node in nodes(pattern) for name in private_names(node)]


def private_names(node: ast.AST) -> list[str]:
    """The private names that a node takes from elsewhere."""
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")) | ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
            return []
        case ast.Attribute(attr=name) if is_private(name):
            return [name]
        case ast.ImportFrom(names=names):
            return [alias.name for alias in names if is_private(alias.name)]
    return []


def is_private(name: str) -> bool:
    """Whether a name is private; a named tuple's `_replace`, `_asdict` and `_fields` are public."""
    return name.startswith("_") and not name.startswith("__") and name not in {"_replace", "_asdict", "_fields"}


PRODUCT_RULES: dict[str, Callable[[str], list[str]]] = {
    "modules without a test": modules_without_a_test,
    "small modules": small_modules,
    "large folders": large_folders,
    "participles": participles,
    "short docstrings": short_docstrings,
}
TEST_RULES: dict[str, Callable[[str], list[str]]] = {"patches": patches, "private reads": private_reads}
TEST_FILES = (
    "tests/unit/*.py",
    *(f"tests/unit/{folder.name}/**/*.py" for folder in sorted(UNIT_TESTS.iterdir()) if folder.is_dir()),
    *(f"tests/{folder}/**/*.py" for folder in ("integration", "e2e", "support")),
)
CASES = [(rule, find, package) for rule, find in PRODUCT_RULES.items() for package in PACKAGES] + [
    (rule, find, files) for rule, find in TEST_RULES.items() for files in TEST_FILES
]


@pytest.mark.parametrize(("rule", "find", "where"), CASES, ids=[f"{where}: {rule}" for rule, _, where in CASES])
def test_layout_rule_holds(rule: str, find: Callable[[str], list[str]], where: str) -> None:
    """No offence is added to those that are left."""
    offences = find(where)
    assert offences == []


@pytest.mark.parametrize("package", PACKAGES)
def test_module_without_a_test_is_listed_only_while_it_has_none(package: str) -> None:
    """An entry that has become unnecessary goes."""
    listed = WITHOUT_A_TEST[package]
    assert [path for path in listed if not is_without_a_test(package, CHECKOUT / path)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_small_module_is_listed_only_while_it_is_small(package: str) -> None:
    """An entry that has become unnecessary goes."""
    assert [path for path in SMALL_MODULES[package] if not is_small(CHECKOUT / path)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    {
        'monkeypatch.setattr(module, "LIMIT", 1)': "LIMIT",
        'monkeypatch.setattr("package.module.LIMIT", 1)': "LIMIT",
        'mock.patch("package.module.LIMIT", 1)': "LIMIT",
        'patch.object(module, "LIMIT", 1)': "LIMIT",
        "module.LIMIT = 1": "LIMIT",
        'monkeypatch.setenv("LIMIT", "1")': "",
    }.items(),
)
def test_patched_name_is_found(source: str, found: str) -> None:
    """However a test replaces a constant."""
    assert {patched_name(node) for node in ast.walk(ast.parse(source))} - {""} == {found} - {""}


@pytest.mark.parametrize(
    ("source", "found"),
    {
        "thing._state": ["_state"],
        "thing()._state.public": ["_state"],
        "from module import _private": ["_private"],
        "self._state": [],
        "super()._state": [],
        "named._replace(field=1)": [],
        "thing.__struct_fields__": [],
    }.items(),
)
def test_private_name_is_found(source: str, found: list[str]) -> None:
    """Wherever it is read, but for a test's own classes."""
    assert [name for node in ast.walk(ast.parse(source)) for name in private_names(node)] == found
