"""Errors of the Kubernetes API: each status code has its exception, whatever the body."""

import msgspec
import pytest

from agentidp.kube.errors import ApiError, Conflict, Forbidden, Gone, Invalid, NotFound, error_from


def status(code: int, reason: str = "Because", message: str = "a message") -> bytes:
    """A `metav1.Status`."""
    return msgspec.json.encode({"kind": "Status", "code": code, "reason": reason, "message": message})


@pytest.mark.parametrize(
    ("code", "kind"), [(403, Forbidden), (404, NotFound), (409, Conflict), (410, Gone), (422, Invalid), (500, ApiError)]
)
def test_error_from_has_the_exception_of_its_code(code: int, kind: type[ApiError]) -> None:
    """The code of the body counts: an event of a watch has no other (API conventions, "HTTP Status codes")."""
    error = error_from(0, status(code))
    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (code, "Because", "a message")


def test_error_from_what_is_no_status_quotes_its_begin() -> None:
    """A gateway may answer with a page; the status code of the response counts then."""
    error = error_from(404, b"<html>" + b"x" * 1000)
    assert type(error) is NotFound
    assert error.message.startswith("<html>xxx")
    assert len(error.message) == 200


def test_forbidden_is_about_rights_where_rbac_says_so() -> None:
    """A quota or a terminating namespace has nothing to do with rights."""
    rbac = 'agents.idp.sentryagent.ai is forbidden: User "jane" cannot list resource "agents"'
    assert Forbidden(403, "Forbidden", rbac).is_about_rights
    assert not Forbidden(403, "Forbidden", "exceeded quota: compute").is_about_rights
