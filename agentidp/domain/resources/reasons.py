"""Every reason that a condition or an event may carry: what machines match on, documented for people."""

from enum import StrEnum


class Reason(StrEnum):
    """CamelCase, as the API conventions ask; a value never changes its meaning."""

    # Agents
    REGISTERED = "Registered"
    """The agent has its id and may get tokens."""
    AGENT_ID_CONFLICT = "AgentIdConflict"
    """Another agent has this id; delete this one, or declare it with an id of its own."""
    ORGANIZATION_NOT_FOUND = "OrganizationNotFound"
    """The Organization that the agent claims does not exist."""
    ORGANIZATION_NOT_ADMITTED = "OrganizationNotAdmitted"
    """The Organization does not list the agent's namespace in `spec.namespaces`."""
    ORGANIZATION_LIMIT_REACHED = "OrganizationLimitReached"
    """The Organization has as many agents as `spec.limits.agents` allows; older agents come first."""
    AGENT_SUSPENDED = "AgentSuspended"
    """`spec.state` of the agent is Suspended: no tokens until it is Active again."""
    AGENT_DECOMMISSIONED = "AgentDecommissioned"
    """`spec.state` of the agent is Decommissioned: no tokens, for ever."""
    AGENT_DELETED = "AgentDeleted"
    """The agent is being deleted and waits for a finalizer: no tokens."""
    DAILY_LIMIT_REACHED = "DailyLimitReached"
    """The agents of the Organization have had the tokens that `spec.limits.tokensPerDay` allows a day (UTC), at one replica."""
    SCOPES_FORBIDDEN = "ScopesForbidden"
    """The Organization's `spec.allowedScopes` does not list some of the agent's scopes: its tokens do not carry them."""
    SCOPES_GRANTED = "ScopesGranted"
    """The agent's tokens may carry all scopes that it declares."""
    TOKENS_NOT_VALID_YET = "TokensNotValidYet"
    """`spec.tokensValidAfter` of the agent is in the future: no tokens before that time, which the message has."""

    # Credentials
    ISSUED = "Issued"
    """The credential has a secret and works."""
    PROVIDED = "Provided"
    """The credential works with the hash in `spec.secretHash`."""
    AGENT_NOT_FOUND = "AgentNotFound"
    """No agent of the name `spec.agentRef.name` is in the credential's namespace."""
    AGENT_REPLACED = "AgentReplaced"
    """The agent of that name has another id than the one this credential was made for; declare a new credential."""
    SECRETS_NOT_ALLOWED = "SecretsNotAllowed"
    """`spec.credentialPolicy` of the agent is WorkloadOnly: its secrets are kept, and accepted again with SecretsAllowed."""
    AGENT_NOT_READY = "AgentNotReady"
    """The agent has no id yet, or may not get tokens; its own Ready condition says why."""
    CREDENTIAL_LIMIT_REACHED = "CredentialLimitReached"
    """The agent has as many credentials as its Organization's `spec.limits.credentialsPerAgent` allows, or the operator."""
    CREDENTIAL_REVOKED = "CredentialRevoked"
    """`spec.state` of the credential is Revoked, for ever."""
    CREDENTIAL_EXPIRED = "CredentialExpired"
    """`spec.expiresAt` has passed; a later one makes the operator issue a fresh secret."""
    CREDENTIAL_DELETED = "CredentialDeleted"
    """The credential is being deleted."""
    NOT_ISSUED = "NotIssued"
    """No secret has been made yet."""
    ROTATION_REQUESTED = "RotationRequested"
    """`spec.rotation.requestedAt` is later than the last rotation."""
    ROTATION_SCHEDULED = "RotationScheduled"
    """`spec.rotation.every` has passed since the last rotation."""

    EXPIRY_POSTPONED = "ExpiryPostponed"
    """`spec.expiresAt` was moved on or removed while the credential worked: it works for longer."""
    OLD_SECRET_IN_USE = "OldSecretInUse"  # noqa: S105
    """`spec.rotation.retire` is WhenUnused, and an old secret was used lately or its use is unknown. The note names users."""

    # Secrets
    SECRET_DELIVERED = "SecretDelivered"  # noqa: S105
    """The Secret holds the pair."""
    SECRET_MISSING = "SecretMissing"  # noqa: S105
    """The Secret is gone; a new value is issued under the same ids."""
    SECRET_DRIFTED = "SecretDrifted"  # noqa: S105
    """The Secret's value matches no current hash; a new value is issued under the same ids."""
    SECRET_METADATA_DRIFTED = "SecretMetadataDrifted"  # noqa: S105
    """The Secret's keys, labels or owner are not as declared; they are repaired, its value is kept."""
    SECRET_NOT_OWNED = "SecretNotOwned"  # noqa: S105
    """A Secret of this name exists and is not this credential's; it is never touched. Remove it, or choose another name."""
    SECRET_CONTESTED = "SecretContested"  # noqa: S105
    """Something else keeps changing the Secret; stopped until the spec changes or the cool-off ends."""
    SECRET_REMOVED = "SecretRemoved"  # noqa: S105
    """The Secret was removed: nothing would accept its value, or the pair is in a Secret of another name."""
    SECRET_NOT_WANTED = "SecretNotWanted"  # noqa: S105
    """The secret's owner keeps it: `spec.secretHash` is used, and no Secret is written."""

    # Organizations
    ORGANIZATION_ACCEPTED = "Accepted"
    """The organization is in use."""

    # What the API server would not let the operator do
    API_FORBIDDEN = "Forbidden"
    """The operator may not do this; check its ClusterRole."""
    API_REFUSED = "Refused"
    """The API server refused the write (a quota, an invalid name, a terminating namespace); its words are in the message."""
