"""Command errors: the problem and the advice for each error of the API server."""

from typing import Any, NamedTuple

import pytest

from agentidp.domain.resources import NamespacedName
from agentidp.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, Unreachable
from agentidp.kube.kinds import AGENTS, ORGANIZATIONS, SECRETS, Kind
from kubectl_agentidp.errors import CommandError, NoAnswer, command_errors

SERVER = "https://kube.example"
SCREENER = NamespacedName("talent", "screener")


class Attempt(NamedTuple):
    """A request, and the error that answered it."""

    verb: str
    kind: Kind[Any]
    where: NamespacedName
    error: ApiError


def command_error(attempt: Attempt) -> CommandError:
    """Return the error that the caller reads."""
    verb, kind, where, error = attempt
    with pytest.raises(CommandError) as failure, command_errors(verb, kind, where, SERVER):
        raise error
    return failure.value


MESSAGE = 'User "jane" cannot patch resource "agents" in API group "idp.sentryagent.ai" in the namespace "talent"'
ERRORS = {
    "an object that is not there": (
        Attempt("get", AGENTS, SCREENER, NotFound(404, "NotFound", 'agents "screener" not found')),
        "there is no Agent 'screener' in namespace 'talent'.",
        "`kubectl get agents.idp.sentryagent.ai -n talent` lists what is there; -n chooses another namespace.",
    ),
    "a kind that is not there": (
        Attempt("list", AGENTS, NamespacedName("talent", ""), NotFound(404, "Unexplained", "404 page not found")),
        "the cluster does not serve agents.idp.sentryagent.ai.",
        "AgentIdP is not installed there, or this is another cluster: see kubectl config current-context.",
    ),
    "a right that is missing": (
        Attempt("patch", AGENTS, SCREENER, Forbidden(403, "Forbidden", MESSAGE)),
        MESSAGE,
        "Ask for a role that allows the verb 'patch' on the resource 'agents.idp.sentryagent.ai' in namespace 'talent'.",
    ),
    "a right that is missing on a core kind": (
        Attempt("get", SECRETS, SCREENER, Forbidden(403, "Forbidden", 'User "jane" cannot get resource "secrets"')),
        'User "jane" cannot get resource "secrets"',
        "Ask for a role that allows the verb 'get' on the resource 'secrets' in namespace 'talent'.",
    ),
    "a right that is missing in the cluster": (
        Attempt("list", ORGANIZATIONS, NamespacedName("", ""), Forbidden(403, "Forbidden", 'User "jane" cannot list resource')),
        'User "jane" cannot list resource',
        "Ask for a role that allows the verb 'list' on the resource 'organizations.idp.sentryagent.ai', cluster-wide.",
    ),
    "an admission rule": (
        Attempt("patch", AGENTS, SCREENER, Forbidden(403, "Forbidden", "denied by policy")),
        "the API server refuses this: denied by policy",
        "",
    ),
    "a value that is not valid": (
        Attempt("patch", AGENTS, SCREENER, Invalid(422, "Invalid", "spec.rotation.overlap must be at most 720h")),
        "the API server refuses this change: spec.rotation.overlap must be at most 720h",
        "Nothing was done.",
    ),
    "an identity that is not accepted": (
        Attempt("get", AGENTS, SCREENER, ApiError(401, "Unauthorized", "Unauthorized")),
        "the API server does not accept your identity.",
        "Log in again, or choose another --context.",
    ),
    "a server in trouble": (
        Attempt("get", AGENTS, SCREENER, ApiError(500, "InternalError", "etcdserver: request timed out")),
        "the API server could not get agents: 500 InternalError: etcdserver: request timed out",
        "Try again.",
    ),
    "no answer": (
        Attempt("get", AGENTS, SCREENER, Unreachable("GET /apis: refused")),
        "the API server https://kube.example did not answer: GET /apis: refused",
        "Check the context (kubectl config current-context) and the network, then try again.",
    ),
    "no answer to a change": (
        Attempt("patch", AGENTS, SCREENER, Unreachable("PATCH /apis: cut")),
        "the API server https://kube.example did not answer: PATCH /apis: cut",
        (
            "Check the context (kubectl config current-context) and the network."
            " The change may have been made: `kubectl agentidp status` shows it."
        ),
    ),
}


@pytest.mark.parametrize(("attempt", "problem", "advice"), ERRORS.values(), ids=ERRORS)
def test_command_error_has_problem_and_advice(attempt: Attempt, problem: str, advice: str) -> None:
    """For a missing right, the advice names verb and resource as RBAC does."""
    failure = command_error(attempt)
    assert (failure.problem, failure.advice) == (problem, advice)


def test_command_error_without_an_answer_is_a_class_of_its_own() -> None:
    """`rotate --wait` goes on waiting after it."""
    assert isinstance(command_error(Attempt("get", AGENTS, SCREENER, Unreachable("cut"))), NoAnswer)


def test_command_errors_leave_a_conflict_as_it_is() -> None:
    """The caller reads the object again and decides again."""
    with pytest.raises(Conflict), command_errors("patch", AGENTS, SCREENER, SERVER):
        raise Conflict(409, "Conflict", "the object has been modified")
