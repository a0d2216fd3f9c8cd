"""Links of the documentation to what is in the repository only: the site names it, and the build ends where it is not there.

MkDocs itself checks the links between pages.
"""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from mkdocs.exceptions import PluginError

from tests.support.crd_schema import CHECKOUT


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """As MkDocs loads them."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "docs" / "site"))
    return importlib.import_module("hooks")


def shown(hooks: ModuleType, markdown: str, page: str = "guides/rotation.md") -> str:
    """A page of docs/ as MkDocs gets it."""
    file = SimpleNamespace(src_path=page, generated_by=None)
    text: str = hooks.on_page_markdown(markdown, SimpleNamespace(file=file))
    return text


THERE = {
    "a file of the repository is named": ("[`x`](../../examples/rotation.yaml)", "`x`"),
    "and so is a folder": ("[x](../../examples/clients)", "x"),
    "a page of the site is linked": ("[x](../concepts.md#rotation)", "[x](../concepts.md#rotation)"),
    "as is a page elsewhere": ("[x](https://idp.example/x)", "[x](https://idp.example/x)"),
}


@pytest.mark.parametrize(("markdown", "expected"), THERE.values(), ids=THERE)
def test_site_link_to_an_existing_target(hooks: ModuleType, markdown: str, expected: str) -> None:
    """Stays one where the site has its target."""
    assert shown(hooks, f"See {markdown}.") == f"See {expected}."


@pytest.mark.parametrize("target", ["../../examples/rotations.yaml", "../examples/rotation.yaml", "../../../rotation.yaml"])
def test_site_link_to_a_missing_target_ends_the_build(hooks: ModuleType, target: str) -> None:
    """Though it would not be a link on the site: on the repository's pages it is one."""
    with pytest.raises(PluginError, match=rf"docs/guides/rotation.md links to {target}, which the repository does not have"):
        shown(hooks, f"See [this]({target}).")


def test_site_checks_the_links_of_the_readme(hooks: ModuleType, tmp_path: Path) -> None:
    """Its paths begin at the root of the repository."""
    (tmp_path / "LICENSE").touch()
    (tmp_path / "README.md").write_text("[free](LICENSE), [how](docs/concepts.md), ![so](docs/picture.svg)")
    assert hooks.readme(tmp_path) == "free, [how](concepts.md), ![so](picture.svg)"
    (tmp_path / "LICENSE").unlink()
    with pytest.raises(PluginError, match=r"README.md links to LICENSE, which the repository does not have"):
        hooks.readme(tmp_path)


def test_site_builds_without_a_warning(tmp_path: Path) -> None:
    """A link between pages leads to a page and a heading that exist (`strict` in mkdocs.yml; not with `--quiet`)."""
    command = [Path(sys.executable).parent / "mkdocs", "build", "--site-dir", tmp_path]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
