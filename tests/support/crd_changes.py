"""Changes of a resource that exists, by sentence: what never changes, what is final, what only moves forward."""

from typing import Any, NamedTuple

from tests.support.crd_schema import Manifest
from tests.support.manifests import AGENT_ID, BCRYPT, OTHER_BCRYPT, OTHER_ID, a_credential, a_resource, an_agent

HINT, OTHER_HINT = "0a1b2c3d", "4d3c2b1a"
WORKLOADS = [{"serviceAccountName": "screener"}]
NOON, EVENING = "2026-03-01T12:00:00Z", "2026-03-01T18:00:00Z"


class Change(NamedTuple):
    """What exists, the change of its spec (None removes a field), and how the message of a refusal begins."""

    before: Manifest
    spec: dict[str, Any]
    message: str = ""


REFUSED_CHANGES = {
    "an agent's id is added": Change(an_agent(), {"agentId": AGENT_ID}, "spec.agentId cannot be added"),
    "an agent's id is changed": Change(an_agent(agentId=AGENT_ID), {"agentId": OTHER_ID}, "spec.agentId cannot be added"),
    "an agent's id is removed": Change(an_agent(agentId=AGENT_ID), {"agentId": None}, "spec.agentId cannot be added"),
    "an agent changes its organization": Change(
        an_agent(organizationId="acme"), {"organizationId": "other"}, "spec.organizationId cannot be changed"
    ),
    "an agent leaves its organization": Change(
        an_agent(organizationId="acme"), {"organizationId": None}, "spec.organizationId cannot be changed"
    ),
    "a decommissioned agent is made active": Change(
        an_agent(state="Decommissioned"), {"state": "Active"}, "spec.state cannot leave Decommissioned"
    ),
    "a decommissioned agent is suspended": Change(
        an_agent(state="Decommissioned"), {"state": "Suspended"}, "spec.state cannot leave Decommissioned"
    ),
    "a decommissioned agent's state is removed": Change(
        an_agent(state="Decommissioned"), {"state": None}, "spec.state cannot leave Decommissioned"
    ),
    "an agent without secrets loses its last workload": Change(
        an_agent(workloads=WORKLOADS, credentialPolicy="WorkloadOnly"),
        {"workloads": None},
        "spec.credentialPolicy WorkloadOnly needs spec.workloads",
    ),
    "the kill switch moves back": Change(
        an_agent(tokensValidAfter=EVENING), {"tokensValidAfter": NOON}, "spec.tokensValidAfter only moves forward"
    ),
    "the kill switch moves back by its zone": Change(
        an_agent(tokensValidAfter=NOON),
        {"tokensValidAfter": "2026-03-01T12:30:00+01:00"},
        "spec.tokensValidAfter only moves forward",
    ),
    "the kill switch is removed": Change(
        an_agent(tokensValidAfter=NOON), {"tokensValidAfter": None}, "spec.tokensValidAfter only moves forward"
    ),
    "a credential changes its agent": Change(
        a_credential(), {"agentRef": {"name": "other"}}, "spec.agentRef.name cannot be changed"
    ),
    "a revoked credential is made active": Change(
        a_credential(state="Revoked"), {"state": "Active"}, "spec.state cannot leave Revoked"
    ),
    "a revoked credential's state is removed": Change(
        a_credential(state="Revoked"), {"state": None}, "spec.state cannot leave Revoked"
    ),
    "a hash is added to a Secret": Change(
        a_credential(secret={}), {"secretHash": {"hash": BCRYPT}}, "spec.secret and spec.secretHash exclude"
    ),
    "a new hash keeps the former hint": Change(
        a_credential(secretHash={"hash": BCRYPT, "hint": HINT}),
        {"secretHash": {"hash": OTHER_BCRYPT}},
        "spec.secretHash.hint belongs to the former hash",
    ),
    "a change that is being rolled back is pending again": Change(
        a_resource("PendingChange", {"state": "RollingBack"}), {"state": "Pending"}, "spec.state cannot leave RollingBack"
    ),
    "a change that is being rolled back has no state": Change(
        a_resource("PendingChange", {"state": "RollingBack"}), {"state": None}, "spec.state cannot leave RollingBack"
    ),
    "a pending change is given another hash": Change(
        a_resource("PendingChange"), {"hash": OTHER_BCRYPT}, "spec cannot be changed"
    ),
    "a pending change is given what was before it": Change(
        a_resource("PendingChange"), {"previous": {"hash": OTHER_BCRYPT}}, "spec cannot be changed"
    ),
    "a revocation is put off": Change(
        a_resource("TokenRevocation"), {"expiresAt": "2026-04-01T00:00:00Z"}, "spec cannot be changed"
    ),
    "a revocation is given a client": Change(a_resource("TokenRevocation"), {"clientId": AGENT_ID}, "spec cannot be changed"),
}

ALLOWED_CHANGES = {
    "an agent joins an organization": Change(an_agent(), {"organizationId": "acme"}),
    "an agent is suspended": Change(an_agent(), {"state": "Suspended"}),
    "a suspended agent is made active": Change(an_agent(state="Suspended"), {"state": "Active"}),
    "a suspended agent is decommissioned": Change(an_agent(state="Suspended"), {"state": "Decommissioned"}),
    "a decommissioned agent is described better": Change(an_agent(state="Decommissioned"), {"owner": "Talent"}),
    "the kill switch is thrown": Change(an_agent(), {"tokensValidAfter": NOON}),
    "an agent takes no secrets any more": Change(an_agent(workloads=WORKLOADS), {"credentialPolicy": "WorkloadOnly"}),
    "an agent takes secrets again": Change(
        an_agent(workloads=WORKLOADS, credentialPolicy="WorkloadOnly"), {"credentialPolicy": None, "workloads": None}
    ),
    "the kill switch moves forward": Change(an_agent(tokensValidAfter=NOON), {"tokensValidAfter": EVENING}),
    "an agent with an id and everything else fixed is changed": Change(
        an_agent(agentId=AGENT_ID, organizationId="acme", tokensValidAfter=NOON), {"version": "1.5.0"}
    ),
    "a credential is revoked": Change(a_credential(), {"state": "Revoked"}),
    "a revoked credential is told when it expires": Change(a_credential(state="Revoked"), {"expiresAt": NOON}),
    "a rotation is asked for earlier than before": Change(
        a_credential(rotation={"requestedAt": EVENING}), {"rotation": {"requestedAt": NOON}}
    ),
    "a Secret gives way to a hash": Change(
        a_credential(secret={"name": "screener"}), {"secret": None, "secretHash": {"hash": BCRYPT}}
    ),
    "a new hash brings its hint": Change(
        a_credential(secretHash={"hash": BCRYPT, "hint": HINT}), {"secretHash": {"hash": OTHER_BCRYPT, "hint": OTHER_HINT}}
    ),
    "a new hash leaves the hint out": Change(
        a_credential(secretHash={"hash": BCRYPT, "hint": HINT}), {"secretHash": {"hash": OTHER_BCRYPT, "hint": None}}
    ),
    "a hash gets its hint later": Change(a_credential(secretHash={"hash": BCRYPT}), {"secretHash": {"hint": HINT}}),
    "a pending change is rolled back": Change(a_resource("PendingChange"), {"state": "RollingBack"}),
    "an organization names an administrator": Change(
        a_resource("Organization"), {"administrators": [{"namespace": "a", "scopes": ["agents:read"]}]}
    ),
    "an organization admits another namespace": Change(
        a_resource("Organization", {"namespaces": ["a"]}), {"namespaces": ["a", "b"]}
    ),
}
