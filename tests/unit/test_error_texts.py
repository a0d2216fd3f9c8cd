"""What people read when something is wrong: sentences that say what to do, and no name or repr of an exception.

CONTRIBUTING.md promises it. Conditions, events, HTTP errors and the plugin are held by what they say; log calls by their code.
"""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentidp.domain.identity.registration import AgentInput, register
from agentidp.domain.resources import AgentState, CredentialState, OrganizationLimits, Rotation
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.connection import failure_text
from agentidp.kube.errors import Conflict, Invalid, TooLarge, Unreachable
from agentidp.runtime.logs import place_of
from tests.support.crd_schema import CHECKOUT
from tests.support.reconciling import ApiServer, Operator
from tests.support.stories import a_foreign_secret, mended
from tests.support.worlds import (
    DAY,
    HOUR,
    NOW,
    a_registered_agent,
    a_secret,
    a_uid,
    an_agent,
    an_issued_credential,
    an_organization,
    respecified,
    with_metadata,
)

PROGRAMS = ("agentidp", "operator", "token_service", "management_api", "kubectl_agentidp")
SENTENCE = re.compile(r"[A-Z][^\n]*[.)]")
EXCEPTION = re.compile(r"\b(?!InvalidError)[A-Z]\w+(?:Error|Exception)\b|Traceback|<class |<[a-z_.]+ object at")
TEXT_OF = {"OAuthError": 1, "invalid_request": 0, "unavailable": 0, "too_many_requests": 0, "ApiFailure": 2, "CommandError": 0}
"""Where constructors of errors that people see take the text."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """All modules of the programs."""
    for program in PROGRAMS:
        for path in sorted((CHECKOUT / program).rglob("*.py")):
            yield str(path.relative_to(CHECKOUT)), ast.parse(path.read_text())


def calls() -> Iterator[tuple[str, ast.Call]]:
    """All calls in them, each with its place."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{path}:{node.lineno}", node


def test_error_texts_name_no_exception_class() -> None:
    """`type(error).__name__` means something to whoever wrote the program; a log's trace has it."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "__name__" and isinstance(node.value, ast.Call)
    ]
    assert found == []


def test_error_texts_hold_no_repr_of_an_exception() -> None:
    """Neither `repr(error)` nor `{error!r}` of a name that an `except` has bound."""
    found = []
    for path, tree in modules():
        for handler in (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name):
            for node in ast.walk(handler):
                shown = node.value if isinstance(node, ast.FormattedValue) and node.conversion == ord("r") else None
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "repr":
                    shown = node.args[0]
                if isinstance(shown, ast.Name) and shown.id == handler.name:
                    found.append(f"{path}:{node.lineno}")
    assert found == []


def test_error_texts_of_requests_and_commands_are_sentences() -> None:
    """They end with a full stop. OAuth's may begin with the name of a parameter, and a command's follow `error: `."""
    broken = []
    for place, call in calls():
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        position = TEXT_OF.get(name)
        if position is None or len(call.args) <= position:
            continue
        begins, ends = edges(call.args[position])
        capital = name != "ApiFailure" or begins is None or not begins[:1].islower()
        if not capital or (ends is not None and not ends.endswith((".", "?", ":"))):
            broken.append(f"{place}: {ast.unparse(call.args[position])}")
    assert broken == []


def edges(text: ast.expr) -> tuple[str | None, str | None]:
    """How a text begins and ends; None where a value stands there."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    first, last = (
        one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None for one in (parts[0], parts[-1])
    )
    return first, last


STATES = st.sampled_from(AgentState)
ORGANIZATIONS = st.sampled_from(
    [
        None,
        an_organization(),
        an_organization(admits=("elsewhere",)),
        an_organization(limits=OrganizationLimits(agents=0)),
    ]
)
VALID = st.sampled_from([None, NOW - HOUR, NOW + HOUR])


@settings(deadline=None)
@given(STATES, ORGANIZATIONS, VALID, st.booleans(), st.booleans(), st.booleans())
def test_error_texts_of_agents_are_sentences(
    state: AgentState,
    organization: object,
    valid: object,
    deleted: bool,
    full: bool,
    rivalled: bool,
) -> None:
    """Each condition, in every state."""
    agent = an_agent(state=state, organization_id="acme", tokens_valid_after=valid, scopes=("a:b",), agent_id=a_uid(5))
    agent = with_metadata(agent, deletion_timestamp=NOW if deleted else None)
    rivals = (a_registered_agent(a_uid(5), name="other", uid=a_uid(5)),) if rivalled else ()
    status = register(AgentInput(agent, rivals=rivals, organization=organization, organization_full=full), NOW)  # type: ignore[arg-type]
    for told in status.conditions:
        require_sentence(told.message)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(CredentialState),
    st.sampled_from([None, NOW - HOUR, NOW + DAY]),
    st.sampled_from(["as written", "missing", "edited", "foreign"]),
    st.integers(0, 5),
    st.sampled_from(["ready", "none", "not ready", "suspended", "replaced"]),
    st.booleans(),
)
def test_error_texts_of_credentials_are_sentences(
    state: CredentialState,
    expires: object,
    secret: str,
    repairs: int,
    agent: str,
    deleted: bool,
) -> None:
    """Each condition, in every state; and the reason is one that the reference documents."""
    agents = {
        "ready": a_registered_agent(),
        "none": None,
        "not ready": a_registered_agent(reason=Reason.ORGANIZATION_NOT_FOUND, message="Organization 'acme' does not exist."),
        "suspended": a_registered_agent(reason=Reason.AGENT_SUSPENDED, state=AgentState.SUSPENDED),
        "replaced": a_registered_agent(a_uid(7), uid=a_uid(7)),
    }
    credential = mended(repairs, respecified(an_issued_credential(), state=state, expires_at=expires, rotation=Rotation()))
    credential = with_metadata(credential, deletion_timestamp=NOW if deleted else None)
    found = {"as written": a_secret(credential), "edited": a_secret(credential, b"edited"), "foreign": a_foreign_secret()}
    world = ApiServer(credential, agents[agent], [found[secret]] if secret in found else [])
    Operator(world).bring_to_rest(NOW + timedelta(seconds=1))
    for told in world.credential.status.conditions:
        require_sentence(told.message)
        assert told.reason in {reason.value for reason in Reason}


def require_sentence(message: str) -> None:
    """One or more, with no name of an exception."""
    assert SENTENCE.fullmatch(message), message
    assert not EXCEPTION.search(message), message


FAILURES = [
    TimeoutError(),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientConnectionError(),
    aiohttp.ClientPayloadError(),
    ConnectionResetError(),
    Unreachable("the API server closed the connection"),
    TooLarge("the answer has more bytes than 1048576"),
    Conflict(409, "Conflict", "the object has been modified"),
    Invalid(422, "Invalid", "spec.email must be one address"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_error_texts_of_failed_requests_have_words(failure: Exception) -> None:
    """Many exceptions have none of their own; a log with an empty `why` helps nobody."""
    text = failure_text(failure)
    assert len(text.split()) >= 3, text
    assert not EXCEPTION.search(text)


def test_error_texts_of_unexpected_errors_have_their_place() -> None:
    """Where the words may quote what somebody wrote, the place is what a report needs."""
    with pytest.raises(KeyError) as raised:
        {}["a secret"]
    assert place_of(raised.value).startswith(f"{Path(__file__).name}:")
    assert place_of(KeyError("never raised")) == "unknown"
