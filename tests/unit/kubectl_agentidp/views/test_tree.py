"""The text of `tree`, line by line."""

from textwrap import dedent

from msgspec.structs import replace

from agentidp.domain.resources import (
    AgentCredential,
    AgentRef,
    CredentialPhase,
    CredentialPolicy,
    ObjectMeta,
    Organization,
    OrganizationSpec,
    Workload,
)
from agentidp.domain.resources.conditions import READY
from agentidp.domain.resources.organization import OrganizationTier
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.tree import TreeResources, draw
from tests.support.worlds import (
    AGENT_ID,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    a_condition,
    a_credential,
    a_hash,
    a_registered_agent,
    an_issued_credential,
    restated,
)

HINTS = {number: a_hash(number).hint for number in (1, 2)}
OTHER_ID = "2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9"


def renamed(credential: AgentCredential, name: str, agent: str = "screener") -> AgentCredential:
    """The same credential with another name, of another agent."""
    spec = replace(credential.spec, agent_ref=AgentRef(name=agent))
    return replace(credential, metadata=replace(credential.metadata, name=name), spec=spec)


ROTATED = renamed(an_issued_credential(a_hash(1, made=-2 * DAY, ends=23 * HOUR), a_hash(2)), "app")
PROVIDED = renamed(an_issued_credential(a_hash(1, hint=False)), "laptop")
REVOKED = renamed(
    restated(
        a_credential(),
        phase=CredentialPhase.REVOKED,
        observed_generation=1,
        conditions=(a_condition(READY, Reason.CREDENTIAL_REVOKED, holds=False, message="For good."),),
    ),
    "old",
)
NEW = renamed(a_credential(), "new", agent="gone")
ACME = Organization(
    metadata=ObjectMeta(name="acme"), spec=OrganizationSpec(display_name="Acme Corp.", tier=OrganizationTier.ENTERPRISE)
)
EMPTY = Organization(metadata=ObjectMeta(name="empty"))
SCREENER = a_registered_agent(organization_id="acme")
ROUTER = a_registered_agent(OTHER_ID, name="router")


def exactly(text: str) -> str:
    """A block of text without the indentation that it has here."""
    return dedent(text).strip("\n")


def test_tree_of_a_namespace() -> None:
    """Organizations come first, then agents of no organization, then credentials without an agent."""
    resources = TreeResources([ROUTER, SCREENER], [ROTATED, PROVIDED, NEW, REVOKED], [ACME])
    assert draw(resources, NOW) == exactly(f"""
        Organization acme  Acme Corp.  Enterprise
        └── Agent screener  Active  {AGENT_ID}
            ├── Credential app  Active  next: end of overlap 2026-03-02T11:00:00Z (in 23h)
            │   ├── hash {HINTS[1]}  created 2026-02-27T12:00:00Z (2d ago)  until 2026-03-02T11:00:00Z (in 23h)
            │   └── hash {HINTS[2]}  created 2026-03-01T11:00:00Z (60m ago)
            ├── Credential laptop  Active
            │   └── hash without hint  created 2026-03-01T11:00:00Z (60m ago)
            └── Credential old  Revoked  For good.
        No organization
        └── Agent router  Active  {OTHER_ID}
        No agent gone
        └── Credential new  Pending  The operator has not acted on the latest change of the spec yet.
    """)


def test_tree_of_all_namespaces() -> None:
    """Agents are drawn with their namespace; an organization without agents is drawn, too."""
    resources = TreeResources([SCREENER, a_registered_agent(OTHER_ID, namespace="sales")], [NEW], [EMPTY], namespaced=True)
    assert draw(resources, NOW) == exactly(f"""
        Organization acme
        └── Agent talent/screener  Active  {AGENT_ID}
        Organization empty
        No organization
        └── Agent sales/screener  Active  {OTHER_ID}
        No agent talent/gone
        └── Credential new  Pending  The operator has not acted on the latest change of the spec yet.
    """)


def test_tree_has_a_credential_below_the_agent_of_its_namespace() -> None:
    """Agents of two namespaces may have the same name."""
    stranger = a_registered_agent(OTHER_ID, namespace="sales")
    assert draw(TreeResources([stranger, SCREENER], [REVOKED], namespaced=True), NOW) == exactly(f"""
        Organization acme
        └── Agent talent/screener  Active  {AGENT_ID}
            └── Credential old  Revoked  For good.
        No organization
        └── Agent sales/screener  Active  {OTHER_ID}
    """)


def test_tree_has_workloads_below_their_agent() -> None:
    """They come before its credentials; an agent with the policy WorkloadOnly is marked."""
    workloads = tuple(Workload(service_account_name=name) for name in ("screener", "batch"))
    agent = a_registered_agent(workloads=workloads, credential_policy=CredentialPolicy.WORKLOAD_ONLY)
    assert draw(TreeResources([agent], [REVOKED]), NOW) == exactly(f"""
        No organization
        └── Agent screener  Active  {AGENT_ID}  takes no secrets
            ├── Workload of ServiceAccount screener
            ├── Workload of ServiceAccount batch
            └── Credential old  Revoked  For good.
    """)


def test_tree_has_the_last_use_of_a_hash() -> None:
    """It shows whether a former secret is still in use before its overlap is ended."""
    used = replace(a_hash(1), last_used_at=NOW - 5 * MINUTE)
    assert draw(TreeResources([SCREENER], [an_issued_credential(used)]), NOW).endswith(
        f"└── hash {HINTS[1]}  created 2026-03-01T11:00:00Z (60m ago)  last used 2026-03-01T11:55:00Z (5m ago)"
    )


def test_tree_of_nothing_is_empty() -> None:
    """The command prints a remark instead."""
    assert draw(TreeResources([], []), NOW) == ""


def test_tree_has_no_hash_values() -> None:
    """The hint tells two hashes apart."""
    text = draw(TreeResources([SCREENER], [ROTATED, PROVIDED]), NOW)
    assert not any(entry.hash in text for entry in (*ROTATED.status.secret_hashes, *PROVIDED.status.secret_hashes))
