"""The text of `status`, line by line, and its JSON."""

import json
from textwrap import dedent

from msgspec.structs import replace

from agentidp.domain.resources import Binding, CredentialCount, CredentialPhase
from agentidp.domain.resources.conditions import READY
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.status import as_json, as_text, report
from tests.support.worlds import (
    AGENT_ID,
    DAY,
    HOUR,
    NOW,
    a_condition,
    a_credential,
    a_hash,
    a_registered_agent,
    an_agent,
    an_issued_credential,
    restated,
)

REGISTERED = a_registered_agent(message="It may get tokens.")
AGENT = replace(REGISTERED, status=replace(REGISTERED.status, credentials=CredentialCount(active=1, total=2)))
ROTATED = restated(
    an_issued_credential(a_hash(1, ends=23 * HOUR), a_hash(2, ends=2 * HOUR), a_hash(3)),
    next_rotation_at=NOW + 30 * DAY,
    binding=Binding(name="pair"),
    conditions=(a_condition(READY, Reason.ISSUED, message="It works."),),
)
REVOKED = restated(
    a_credential(),
    phase=CredentialPhase.REVOKED,
    observed_generation=1,
    conditions=(a_condition(READY, Reason.CREDENTIAL_REVOKED, holds=False, message="For good."),),
)


def exactly(text: str) -> str:
    """A block of text without the indentation that it has here."""
    return dedent(text).strip("\n")


def test_status_of_a_namespace() -> None:
    """Agents and credentials have a table each; the message is the last column, because it is long."""
    rows = report([AGENT], [ROTATED, REVOKED], NOW)
    assert as_text(rows, NOW, namespaced=False) == exactly("""
        AGENT      PHASE    REASON       CREDENTIALS   MESSAGE
        screener   Active   Registered   1/2           It may get tokens.

        CREDENTIAL     AGENT      PHASE     REASON              SECRET   OVERLAP          NEXT DUE                 MESSAGE
        screener-key   screener   Active    Issued              pair     2, ends in 23h   end of overlap in 120m   It works.
        screener-key   screener   Revoked   CredentialRevoked   -        -                -                        For good.
    """)


def test_status_of_all_namespaces() -> None:
    """The namespace is the first column; a dash stands for a missing value."""
    rows = report([an_agent("new", namespace="one"), an_agent("new", namespace="another")], [], NOW)
    assert as_text(rows, NOW, namespaced=True) == exactly("""
        NAMESPACE   AGENT   PHASE   REASON   CREDENTIALS   MESSAGE
        one         new     -       -        -             The operator has not acted on the latest change of the spec yet.
        another     new     -       -        -             The operator has not acted on the latest change of the spec yet.
    """)


def test_status_of_nothing_is_empty() -> None:
    """There is no header without rows."""
    assert as_text(report([], [], NOW), NOW, namespaced=False) == ""


def test_status_as_json() -> None:
    """Times are absolute, and every column of the tables is in it."""
    rows = json.loads(as_json(report([AGENT], [ROTATED], NOW)))
    assert rows["agents"] == [
        {
            "namespace": "talent",
            "name": "screener",
            "agentId": AGENT_ID,
            "standing": {
                "phase": "Active",
                "ready": True,
                "reason": "Registered",
                "message": "It may get tokens.",
                "upToDate": True,
            },
            "credentials": {"active": 1, "total": 2},
        }
    ]
    (credential,) = rows["credentials"]
    assert (credential["agent"], credential["secret"]) == ("screener", "pair")
    assert credential["nextDue"] == {"at": "2026-03-01T14:00:00Z", "what": "EndOfOverlap"}
    assert [one["until"] for one in credential["overlapping"]] == ["2026-03-01T14:00:00Z", "2026-03-02T11:00:00Z"]


def test_status_has_no_hashes() -> None:
    """They are no secrets, but a screen does not need them."""
    rows = report([AGENT], [ROTATED], NOW)
    hashes = [one.hash for one in ROTATED.status.secret_hashes]
    assert not any(one in as_json(rows) + as_text(rows, NOW, namespaced=True) for one in hashes)
