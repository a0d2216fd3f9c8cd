"""What the site has beside the pages in docs/: the README as its first page, and the reference, made from the sources."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference import http, reasons, resources, settings

ROOT = Path(__file__).parents[2]
GENERATED = {
    "reference/resources.md": resources,
    "reference/http.md": http,
    "reference/reasons.md": reasons,
    "reference/settings.md": settings,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    files.append(File.generated(config, "index.md", content=_readme()))
    for path, page in GENERATED.items():
        files.append(File.generated(config, path, content=page(ROOT)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """What is in the repository only is named, not linked."""
    depth = page.file.src_path.count("/")
    return re.sub(rf"\[([^]]+)]\((?:\.\./){{{depth + 1}}}[^)]+\)", r"\1", markdown)


def on_nav(nav: Any, **_: Any) -> Any:
    """Sections in the order in which people read them."""
    order = ["index", "concepts", "guides", "sizing", "runbooks", "reference", "threat-model", "decisions"]
    nav.items.sort(key=lambda item: order.index(_place(item)) if _place(item) in order else len(order))
    return nav


def _place(item: Any) -> str:
    place: str = item.file.src_path.split("/")[0].removesuffix(".md") if item.is_page else item.title.lower()
    return place


def _readme() -> str:
    """Links to pages of docs/ stay links; what is in the repository only is named."""
    named = re.sub(r"\[([^]]+)]\((?!https?:)(?!docs/\S+\.md)[^)]+\)", r"\1", (ROOT / "README.md").read_text())
    return named.replace("](docs/", "](")
