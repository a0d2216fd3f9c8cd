"""The README: it links every guide."""

from tests.support.crd_schema import CHECKOUT
from tests.support.guides import GUIDES


def test_readme_links_every_guide() -> None:
    """A guide that nobody finds is of no use."""
    readme = (CHECKOUT / "README.md").read_text()
    assert [path.name for path in GUIDES.glob("*.md") if f"(docs/guides/{path.name})" not in readme] == []
