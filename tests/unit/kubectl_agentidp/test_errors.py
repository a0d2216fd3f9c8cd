"""What a refusal of the API server says to the person who met it."""

from typing import Any, NamedTuple

import pytest

from agentidp.domain.resources import NamespacedName
from agentidp.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, Unreachable
from agentidp.kube.kinds import AGENTS, ORGANIZATIONS, SECRETS, Kind
from kubectl_agentidp.errors import CommandError, NoAnswer, explained

SERVER = "https://kube.example"
SCREENER = NamespacedName("talent", "screener")


class Attempt(NamedTuple):
    """What was tried, and the answer."""

    verb: str
    kind: Kind[Any]
    where: NamespacedName
    error: ApiError


def told(attempt: Attempt) -> CommandError:
    """What is said of it."""
    verb, kind, where, error = attempt
    with pytest.raises(CommandError) as failure, explained(verb, kind, where, SERVER):
        raise error
    return failure.value


CANNOT = 'User "jane" cannot patch resource "agents" in API group "idp.sentryagent.ai" in the namespace "talent"'
SAID = {
    "an object that is not there": (
        Attempt("get", AGENTS, SCREENER, NotFound(404, "NotFound", 'agents "screener" not found')),
        "there is no Agent 'screener' in namespace 'talent'.",
        "`kubectl get agents.idp.sentryagent.ai -n talent` lists what is there; -n chooses another namespace.",
    ),
    "a kind that is not there": (
        Attempt("list", AGENTS, NamespacedName("talent", ""), NotFound(404, "Unexplained", "404 page not found")),
        "the cluster does not know agents.idp.sentryagent.ai.",
        "AgentIdP is not installed there, or this is another cluster: see kubectl config current-context.",
    ),
    "a right that is missing": (
        Attempt("patch", AGENTS, SCREENER, Forbidden(403, "Forbidden", CANNOT)),
        CANNOT,
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
            " Whether the change was made is not known: `kubectl agentidp status` tells."
        ),
    ),
}


@pytest.mark.parametrize(("attempt", "problem", "advice"), SAID.values(), ids=SAID)
def test_a_failure_says_what_it_was_and_what_to_do(attempt: Attempt, problem: str, advice: str) -> None:
    """Verb and resource are named where a right is missing."""
    failure = told(attempt)
    assert (failure.problem, failure.advice) == (problem, advice)


def test_no_answer_is_told_apart() -> None:
    """Whoever waits may go on waiting."""
    assert isinstance(told(Attempt("get", AGENTS, SCREENER, Unreachable("cut"))), NoAnswer)


def test_a_conflict_is_left_to_whoever_can_decide_again() -> None:
    """It is no failure yet."""
    with pytest.raises(Conflict), explained("patch", AGENTS, SCREENER, SERVER):
        raise Conflict(409, "Conflict", "the object has been modified")
