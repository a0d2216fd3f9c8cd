"""Reasons: each has a sentence, and the committed page has them all."""

import importlib
import re

import pytest

from agentidp.domain.resources.reasons import Reason
from tests.support.crd_schema import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reference" / "reasons.md").read_text()


def test_reasons_are_camel_case() -> None:
    """Kubernetes API conventions, "Typical status properties": a reason is a CamelCase word."""
    assert [reason for reason in Reason if not re.fullmatch(r"([A-Z][a-z]+)+", reason)] == []


def test_reasons_page_is_generated_from_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make reference` writes the page anew."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "docs" / "site"))
    assert importlib.import_module("reference").reasons(CHECKOUT) == PAGE


def test_reasons_page_has_a_sentence_for_each() -> None:
    """`docs/concepts.md` promises it."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert [reason for reason in Reason if len(rows.get(reason, "").split()) < 5] == []
