"""Every right that the chart gives, written out: who has it, and where. A rule that is added to the chart is added here, too.

What Kubernetes lets everybody do is not the chart's.
"""

from typing import NamedTuple

from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, OPERATOR, TOKEN_SERVICE

Rules = dict[str, set[str]]
"""The verbs for each resource, which is written `agents.idp.sentryagent.ai/status`, with `[name]` where one object is meant."""

READ = {"get", "list", "watch"}

OPERATOR_EVERYWHERE: Rules = {
    "agents.idp.sentryagent.ai": READ,
    "agentcredentials.idp.sentryagent.ai": READ,
    "organizations.idp.sentryagent.ai": READ,
    "agents.idp.sentryagent.ai/status": {"update"},
    "agentcredentials.idp.sentryagent.ai/status": {"update"},
    "organizations.idp.sentryagent.ai/status": {"update"},
    "secrets": READ | {"create", "patch", "delete"},
    "events.events.k8s.io": {"create"},
    "leases.coordination.k8s.io[agentidp-operator]": {"list"},
    "subjectaccessreviews.authorization.k8s.io": {"create"},
}
OPERATOR_AT_HOME: Rules = {
    "tokenrevocations.idp.sentryagent.ai": {"list", "watch", "delete"},
    "leases.coordination.k8s.io": {"create"},
    "leases.coordination.k8s.io[agentidp-operator]": {"get", "patch"},
}
TOKEN_SERVICE_EVERYWHERE: Rules = {
    "agents.idp.sentryagent.ai": READ,
    "agentcredentials.idp.sentryagent.ai": READ,
    "organizations.idp.sentryagent.ai": READ,
    "serviceaccounts": {"get"},
}
ISSUER_URLS = {"/.well-known/openid-configuration", "/openid/v1/jwks"}
TOKEN_SERVICE_AT_HOME: Rules = {
    "secrets[agentidp-signing-keys]": READ,
    "tokenrevocations.idp.sentryagent.ai": READ | {"create"},
}
MANAGEMENT_API_EVERYWHERE: Rules = {
    "agents.idp.sentryagent.ai": READ | {"create", "patch", "delete"},
    "agentcredentials.idp.sentryagent.ai": READ | {"create", "patch", "delete"},
    "organizations.idp.sentryagent.ai": READ,
    "tokenreviews.authentication.k8s.io": {"create"},
    "subjectaccessreviews.authorization.k8s.io": {"create"},
}
MANAGEMENT_API_AT_HOME: Rules = {
    "tokenrevocations.idp.sentryagent.ai": READ,
    "pendingchanges.idp.sentryagent.ai": {"list", "create", "patch", "delete"},
    "serviceaccounts/token[agentidp-management-api]": {"create"},
}
EVERYBODY: Rules = {
    "selfsubjectreviews.authentication.k8s.io": {"create"},
    "selfsubjectaccessreviews.authorization.k8s.io": {"create"},
    "selfsubjectrulesreviews.authorization.k8s.io": {"create"},
}
"""What Kubernetes lets every identity do."""

DECLARE = {"create", "update", "patch", "delete", "deletecollection"}
USERS: dict[str, Rules] = {
    "agentidp-view": {
        "agents.idp.sentryagent.ai": READ,
        "agentcredentials.idp.sentryagent.ai": READ,
        "tokenrevocations.idp.sentryagent.ai": READ,
        "organizations.idp.sentryagent.ai": READ,
    },
    "agentidp-edit": {"agents.idp.sentryagent.ai": DECLARE, "agentcredentials.idp.sentryagent.ai": DECLARE},
    "agentidp-admin": {"tokenrevocations.idp.sentryagent.ai": {"create", "delete"}},
}
"""What people get in a namespace, by the ClusterRole that extends one of the cluster's own."""


class Role(NamedTuple):
    """What the chart calls a role, where it is bound ("" is everywhere), and what it gives."""

    kind: str
    name: str
    namespace: str
    rules: Rules


PROGRAM_ROLES = (
    Role("ClusterRole", OPERATOR.name, "", OPERATOR_EVERYWHERE),
    Role("Role", OPERATOR.name, NAMESPACE, OPERATOR_AT_HOME),
    Role("ClusterRole", TOKEN_SERVICE.name, "", TOKEN_SERVICE_EVERYWHERE),
    Role("Role", TOKEN_SERVICE.name, NAMESPACE, TOKEN_SERVICE_AT_HOME),
    Role("ClusterRole", MANAGEMENT_API.name, "", MANAGEMENT_API_EVERYWHERE),
    Role("Role", MANAGEMENT_API.name, NAMESPACE, MANAGEMENT_API_AT_HOME),
)
"""Each is bound to the ServiceAccount of its own name."""


class Resource(NamedTuple):
    """A resource as rules and reviews have it."""

    group: str
    plural: str
    subresource: str
    name: str

    @property
    def attributes(self) -> dict[str, str]:
        """For an access review."""
        return {"group": self.group, "resource": self.plural, "subresource": self.subresource, "name": self.name}


def together(*rules: Rules) -> Rules:
    """The rights of several roles."""
    keys = {key for one in rules for key in one}
    return {key: set().union(*(one.get(key, set()) for one in rules)) for key in keys}


def parsed(written: str) -> Resource:
    """What a key of Rules means."""
    full, _, name = written.partition("[")
    full, _, subresource = full.partition("/")
    plural, _, group = full.partition(".")
    return Resource(group, plural, subresource, name.rstrip("]"))


def written(group: str, resource: str, name: str) -> str:
    """A resource of a rule as a key of Rules."""
    plural, _, subresource = resource.partition("/")
    full = f"{plural}.{group}" if group else plural
    return full + (f"/{subresource}" if subresource else "") + (f"[{name}]" if name else "")


def gives(rules: Rules, resource: Resource, verb: str) -> bool:
    """Whether the rules let somebody do this: a rule without a name is about all names."""
    anyone = resource._replace(name="")
    return any(verb in verbs and parsed(key) in {resource, anyone} for key, verbs in rules.items())
