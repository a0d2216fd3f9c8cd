"""Links to what is in the repository and not on the site: they are checked here, since MkDocs never sees them."""

import posixpath
import re
from pathlib import Path

LINK = re.compile(r"(?<!!)\[([^]]+)]\(([^)\s#]+)(#[^)\s]+)?\)")
"""Not of an image, not to an anchor of the same page."""
PAGES = "docs/"


class BrokenLinkError(Exception):
    """A page links to a file that the repository does not have."""


def named(markdown: str, page: str, root: Path) -> str:
    """A page's text, in which what is in the repository only is named and not linked. Pages of the site stay linked.

    `page` is its path in the repository, which `root` is. Raises BrokenLinkError.
    """

    def replaced(link: re.Match[str]) -> str:
        text, target = link[1], link[2]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        if "://" in target or (path.startswith(PAGES) and path.endswith(".md")):
            return link[0]
        if path.startswith("..") or not (root / path).exists():
            raise BrokenLinkError(f"{page} links to {target}, which the repository does not have")
        return text

    return LINK.sub(replaced, markdown)
