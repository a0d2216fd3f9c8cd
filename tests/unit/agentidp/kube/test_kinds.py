"""Kinds: paths of the API, and manifests (Kubernetes API concepts, "Resource URIs")."""

import pytest

from agentidp.domain.resources import Secret, SecretMeta
from agentidp.kube.kinds import AGENTS, ORGANIZATIONS, SECRETS, Projection


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (AGENTS.path(), "/apis/idp.sentryagent.ai/v1alpha1/agents"),
        (AGENTS.path("talent"), "/apis/idp.sentryagent.ai/v1alpha1/namespaces/talent/agents"),
        (AGENTS.path("talent", "a", "status"), "/apis/idp.sentryagent.ai/v1alpha1/namespaces/talent/agents/a/status"),
        (ORGANIZATIONS.path("", "acme"), "/apis/idp.sentryagent.ai/v1alpha1/organizations/acme"),
        (SECRETS.path("talent", "a"), "/api/v1/namespaces/talent/secrets/a"),
    ],
)
def test_kind_has_the_paths_of_the_api(path: str, expected: str) -> None:
    """The core group has a path of its own; a cluster-scoped kind has no namespace."""
    assert path == expected


def test_kind_decodes_what_it_encodes() -> None:
    """Data of a Secret is base64 in the manifest only."""
    secret = Secret(metadata=SecretMeta(name="a", namespace="talent"), data={"key": b"value"})
    manifest = SECRETS.encode(secret)
    assert (manifest["apiVersion"], manifest["kind"], manifest["data"]) == ("v1", "Secret", {"key": "dmFsdWU="})
    assert SECRETS.decode(b'{"metadata":{"name":"a","namespace":"talent"},"data":{"key":"dmFsdWU="}}') == secret


def test_projection_keeps_a_part_of_each_object() -> None:
    """Lists and watches of it are those of the kind."""
    names = Projection(SECRETS, lambda secret: secret.metadata.name)
    assert (names.plural, names.path("talent")) == ("secrets", SECRETS.path("talent"))
    assert names.decode(b'{"metadata":{"name":"a"}}') == "a"
