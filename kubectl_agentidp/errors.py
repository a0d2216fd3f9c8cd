"""What went wrong, as two sentences for the person who typed the command: what it was, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from agentidp.domain.resources import NamespacedName
from agentidp.kube.errors import ApiError, ConfigError, Conflict, Forbidden, Invalid, NotFound, Unreachable
from agentidp.kube.kinds import Kind
from kubectl_agentidp.views.names import full_name


class CommandError(Exception):
    """The command could not do what it was asked; `advice` is what to do next."""

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice


class NoAnswer(CommandError):
    """The API server did not answer: trying again may help."""


@contextmanager
def explained(verb: str, kind: Kind[Any], where: NamespacedName, server: str) -> Iterator[None]:
    """Turns the API server's refusal of `verb` on the object (or the collection, where it has no name) into a Failure.

    A Conflict stays what it is: whoever meets one can decide again.
    """
    try:
        yield
    except Conflict:
        raise
    except ConfigError as error:
        raise CommandError(error.message, error.advice) from error
    except Unreachable as error:
        raise _unreachable(error, verb, server) from error
    except ApiError as error:
        raise _failure(error, verb, kind, where) from error


def keeps_changing(kind: Kind[Any], where: NamespacedName, conflict: Conflict) -> CommandError:
    """Somebody else writes it all the time."""
    return CommandError(f"{kind.name} {where} keeps changing: {conflict.message}", "Nothing was done; try again.")


def _unreachable(error: Unreachable, verb: str, server: str) -> NoAnswer:
    """No answer: a change may have been made all the same."""
    check = "Check the context (kubectl config current-context) and the network"
    unknown = ". Whether the change was made is not known: `kubectl agentidp status` tells."
    advice = check + (unknown if verb == "patch" else ", then try again.")
    return NoAnswer(f"the API server {server} did not answer: {error.message}", advice)


def _failure(error: ApiError, verb: str, kind: Kind[Any], where: NamespacedName) -> CommandError:
    match error:
        case NotFound():
            return _not_found(error, kind, where)
        case Forbidden():
            return _forbidden(error, verb, kind, where)
        case Invalid():
            return CommandError(f"the API server refuses this change: {error.message}", "Nothing was done.")
    if error.status == HTTPStatus.UNAUTHORIZED:
        return CommandError("the API server does not accept your identity.", "Log in again, or choose another --context.")
    return CommandError(f"the API server could not {verb} {kind.plural}: {error}", "Try again.")


def _not_found(error: NotFound, kind: Kind[Any], where: NamespacedName) -> CommandError:
    """Of a kind that it does not serve, the API server says so without a `metav1.Status`."""
    if error.reason != "NotFound":
        return CommandError(
            f"the cluster does not know {full_name(kind)}.",
            "AgentIdP is not installed there, or this is another cluster: see kubectl config current-context.",
        )
    scope = f" in namespace {where.namespace!r}" if where.namespace else ""
    listing = f"kubectl get {full_name(kind)}" + (f" -n {where.namespace}" if where.namespace else "")
    return CommandError(
        f"there is no {kind.name} {where.name!r}{scope}.", f"`{listing}` lists what is there; -n chooses another namespace."
    )


def _forbidden(error: Forbidden, verb: str, kind: Kind[Any], where: NamespacedName) -> CommandError:
    """Which right is missing; other refusals (a quota, admission) have nothing to do with rights."""
    if not error.is_about_rights:
        return CommandError(f"the API server refuses this: {error.message}")
    scope = f" in namespace {where.namespace!r}" if where.namespace else ", cluster-wide"
    return CommandError(
        error.message, f"Ask for a role that allows the verb {verb!r} on the resource {full_name(kind)!r}{scope}."
    )
