"""Through which proxy an API server is reached."""

import pytest
from kubernetes.aio.client import Configuration

from agentidp.kube.cluster import proxy_to

ENVIRONMENT = {"https_proxy": "http://proxy.example:3128", "no_proxy": "kubernetes.default.svc,127.0.0.1"}
CHOICES = {
    "the environment's, if the kubeconfig names none": ("https://api.example:6443", None, "http://proxy.example:3128"),
    "the kubeconfig's before the environment's": ("https://api.example", "http://other.example", "http://other.example"),
    "none for a server that is exempt": ("https://kubernetes.default.svc", None, None),
    "none for an exempt address, whatever its port": ("https://127.0.0.1:6443", None, None),
    "none where none is set for the scheme": ("http://api.example", None, None),
}


@pytest.mark.parametrize(("server", "named", "proxy"), CHOICES.values(), ids=CHOICES)
def test_the_proxy_is(server: str, named: str | None, proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As curl and kubectl would choose it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found = Configuration()
    found.host, found.proxy = server, named
    assert proxy_to(found) == proxy
