"""What the site has beside the pages in docs/: the README as its first page, and the reference, made from the sources."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference import http, resources, settings
from repository import BrokenLinkError, named

ROOT = Path(__file__).parents[2]
GENERATED = {
    "reference/resources.md": resources,
    "reference/http.md": http,
    "reference/settings.md": settings,
}

FIRST = ("quickstart", "install")
"""The guides that come before the others."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    files.append(File.generated(config, "index.md", content=readme(ROOT)))
    for path, page in GENERATED.items():
        files.append(File.generated(config, path, content=page(ROOT)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """What is in the repository only is named, not linked."""
    if page.file.generated_by is not None:
        return markdown
    return _named(markdown, f"docs/{page.file.src_path}", ROOT)


def on_nav(nav: Any, **_: Any) -> Any:
    """Sections in the order in which people read them."""
    order = ["index", "concepts", "guides", "sizing", "runbooks", "reference", "threat-model", "decisions"]
    nav.items.sort(key=lambda item: order.index(_place(item)) if _place(item) in order else len(order))
    for section in nav.items:
        if _place(section) == "guides":
            section.children.sort(key=lambda page: FIRST.index(page.file.name) if page.file.name in FIRST else len(FIRST))
    return nav


def _place(item: Any) -> str:
    place: str = item.file.src_path.split("/")[0].removesuffix(".md") if item.is_page else item.title.lower()
    return place


def readme(root: Path) -> str:
    """Return the README with links relative to the first page of the site."""
    return _named((root / "README.md").read_text(), "README.md", root).replace("](docs/", "](")


def _named(markdown: str, page: str, root: Path) -> str:
    """Name what only the repository has. A broken link ends the build, as MkDocs' own checks do."""
    try:
        return named(markdown, page, root)
    except BrokenLinkError as broken:
        raise PluginError(str(broken)) from broken
