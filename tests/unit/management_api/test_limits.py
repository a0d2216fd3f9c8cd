"""Limits: each is a positive number, and says what it limits."""

import ast
import inspect
from dataclasses import fields
from itertools import pairwise

import pytest

from management_api import limits
from management_api.limits import DEFAULT_LIMITS, Limits


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_limit_is_positive_and_documented(name: str) -> None:
    """A limit of 0 would stop the program. The name has `max_` or the unit (CONTRIBUTING.md), the text after it says more."""
    assert getattr(DEFAULT_LIMITS, name) > 0
    assert name.startswith("max_") or name.endswith(("_seconds", "_bytes", "_per_second"))
    (declared,) = (node for node in ast.parse(inspect.getsource(limits)).body if isinstance(node, ast.ClassDef))
    documented = {
        field.target.id
        for field, text in pairwise(declared.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    }
    assert name in documented


def test_limits_cannot_be_changed_in_place() -> None:
    """All parts of the program have the same."""
    with pytest.raises(AttributeError):
        DEFAULT_LIMITS.max_body_bytes = 1  # type: ignore[misc]
