"""Errors of commands: each is two sentences for the caller, the problem and the advice what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from agentidp.domain.resources import NamespacedName
from agentidp.kube.errors import ApiError, ConfigError, Conflict, Forbidden, Invalid, NotFound, Unreachable
from agentidp.kube.kinds import Kind
from kubectl_agentidp.views.printers import kind_name


class CommandError(Exception):
    """The command failed because of `problem`; `advice` says what to do next."""

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice


class NoAnswer(CommandError):
    """The API server did not answer; another try may succeed."""


@contextmanager
def command_errors(verb: str, kind: Kind[Any], where: NamespacedName, server: str) -> Iterator[None]:
    """Raise each error of a request as a CommandError; `where` without a name stands for the collection.

    A Conflict is raised as it is, because the caller can read the object again and decide again.
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
        raise _command_error(error, verb, kind, where) from error


def too_many_conflicts(kind: Kind[Any], where: NamespacedName, conflict: Conflict) -> CommandError:
    """Return the error for an object that another writer changes before each try."""
    return CommandError(f"{kind.name} {where} keeps changing: {conflict.message}", "Nothing was done; try again.")


def _unreachable(error: Unreachable, verb: str, server: str) -> NoAnswer:
    """Say that the API server did not answer, and that a patch may have been applied all the same."""
    check = "Check the context (kubectl config current-context) and the network"
    unknown_outcome = ". The change may have been made: `kubectl agentidp status` shows it."
    advice = check + (unknown_outcome if verb == "patch" else ", then try again.")
    return NoAnswer(f"the API server {server} did not answer: {error.message}", advice)


def _command_error(error: ApiError, verb: str, kind: Kind[Any], where: NamespacedName) -> CommandError:
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
    """Say whether the object or the kind is missing: for an unknown kind the API server sends no `metav1.Status`."""
    if error.reason != "NotFound":
        return CommandError(
            f"the cluster does not serve {kind_name(kind)}.",
            "AgentIdP is not installed there, or this is another cluster: see kubectl config current-context.",
        )
    scope = f" in namespace {where.namespace!r}" if where.namespace else ""
    list_command = f"kubectl get {kind_name(kind)}" + (f" -n {where.namespace}" if where.namespace else "")
    return CommandError(
        f"there is no {kind.name} {where.name!r}{scope}.",
        f"`{list_command}` lists what is there; -n chooses another namespace.",
    )


def _forbidden(error: Forbidden, verb: str, kind: Kind[Any], where: NamespacedName) -> CommandError:
    """Name the missing right; a refusal by a quota or by admission is not about rights."""
    if not error.is_about_rights:
        return CommandError(f"the API server refuses this: {error.message}")
    scope = f" in namespace {where.namespace!r}" if where.namespace else ", cluster-wide"
    return CommandError(
        error.message, f"Ask for a role that allows the verb {verb!r} on the resource {kind_name(kind)!r}{scope}."
    )
