"""The resources as typed values: the kinds of `crds/`, and core kinds that the programs read or write. No decision.

A Struct decodes the JSON of the API server as it is (camelCase, RFC 3339), and ignores fields that no program uses.
"""

from agentidp.domain.resources.agent import (
    Agent,
    AgentPhase,
    AgentSpec,
    AgentState,
    AgentStatus,
    CredentialCount,
    CredentialPolicy,
    Workload,
)
from agentidp.domain.resources.credential import (
    AgentCredential,
    AgentRef,
    Binding,
    CredentialPhase,
    CredentialSpec,
    CredentialState,
    CredentialStatus,
    ProvidedHash,
    Reissues,
    Retirement,
    Rotation,
    SecretHash,
    SecretKeys,
    SecretTemplate,
)
from agentidp.domain.resources.meta import (
    Condition,
    ConditionStatus,
    NamespacedName,
    ObjectMeta,
    ObjectRef,
    OwnerReference,
    Time,
)
from agentidp.domain.resources.organization import (
    Administrator,
    AdministratorScope,
    Organization,
    OrganizationLimits,
    OrganizationSpec,
    OrganizationStatus,
)
from agentidp.domain.resources.pending_change import (
    CredentialRef,
    Operation,
    PendingChange,
    PendingChangeSpec,
    PendingState,
    PreviousSecret,
)
from agentidp.domain.resources.secret import Secret, SecretMeta
from agentidp.domain.resources.token_revocation import TokenRevocation, TokenRevocationSpec

GROUP = "idp.sentryagent.ai"
VERSION = "v1alpha1"

__all__ = [
    "GROUP",
    "VERSION",
    "Administrator",
    "AdministratorScope",
    "Agent",
    "AgentCredential",
    "AgentPhase",
    "AgentRef",
    "AgentSpec",
    "AgentState",
    "AgentStatus",
    "Binding",
    "Condition",
    "ConditionStatus",
    "CredentialCount",
    "CredentialPhase",
    "CredentialPolicy",
    "CredentialRef",
    "CredentialSpec",
    "CredentialState",
    "CredentialStatus",
    "NamespacedName",
    "ObjectMeta",
    "ObjectRef",
    "Operation",
    "Organization",
    "OrganizationLimits",
    "OrganizationSpec",
    "OrganizationStatus",
    "OwnerReference",
    "PendingChange",
    "PendingChangeSpec",
    "PendingState",
    "PreviousSecret",
    "ProvidedHash",
    "Reissues",
    "Retirement",
    "Rotation",
    "Secret",
    "SecretHash",
    "SecretKeys",
    "SecretMeta",
    "SecretTemplate",
    "Time",
    "TokenRevocation",
    "TokenRevocationSpec",
    "Workload",
]
