"""Through which proxy an API server is reached."""

import pytest

from agentidp.kube.config.proxy import proxy_to

PROXY = "http://proxy.example:3128"
EXEMPT = "kubernetes.default.svc,10.96.0.0/12, .corp.example ,192.0.2.7,near.example:6443"
ENVIRONMENT = {"HTTPS_PROXY": PROXY, "NO_PROXY": f"{EXEMPT},*.wild.example,fd00::/8,[2001:db8::1]:443"}
CHOICES = {
    "the environment's, if the kubeconfig names none": ("https://api.example:6443", "", PROXY),
    "the kubeconfig's before the environment's": ("https://api.example", "http://other.example", "http://other.example"),
    "the kubeconfig's, also for a server that is exempt": ("https://10.96.0.1", "http://other.example", "http://other.example"),
    "none where none is set for the scheme": ("http://api.example", "", None),
    "none for a server that is exempt by its name": ("https://kubernetes.default.svc", "", None),
    "none for what is below that name": ("https://a.kubernetes.default.svc", "", None),
    "one for what only ends like it": ("https://akubernetes.default.svc", "", PROXY),
    "none for an exempt address, whatever its port": ("https://192.0.2.7:6443", "", None),
    "none for an address of an exempt network": ("https://10.96.0.1", "", None),
    "none for an address of an exempt network of version 6": ("https://[fd12::1]:6443", "", None),
    "none for an exempt address of version 6 and its port": ("https://[2001:db8::1]", "", None),
    "one for another port of it": ("https://[2001:db8::1]:6443", "", PROXY),
    "none for what is below an exempt domain": ("https://api.corp.example", "", None),
    "one for the domain itself, where it begins with a dot": ("https://corp.example", "", PROXY),
    "none below a domain with a star": ("https://api.wild.example", "", None),
    "none for an exempt port": ("https://near.example:6443", "", None),
    "one for another port": ("https://near.example", "", PROXY),
    "none for this machine, which is always exempt": ("https://127.0.0.1:6443", "", None),
    "none for this machine by its name": ("https://localhost:6443", "", None),
    "none for this machine in version 6": ("https://[::1]:6443", "", None),
}


@pytest.mark.parametrize(("server", "named", "proxy"), CHOICES.values(), ids=CHOICES)
def test_proxy_is_chosen_by_the_environment(server: str, named: str, proxy: str | None) -> None:
    """As Go's net/http, and so kubectl, chooses it (golang.org/x/net/http/httpproxy)."""
    assert (proxy_to(server, named, ENVIRONMENT) or None) == proxy


@pytest.mark.parametrize("environment", [{}, {"https_proxy": ""}, {"https_proxy": PROXY, "no_proxy": "*"}])
def test_proxy_is_none_without_one_or_with_all_exempt(environment: dict[str, str]) -> None:
    """Nothing set, nothing said, or everything exempt."""
    assert not proxy_to("https://api.example", "", environment)


def test_proxy_may_be_in_small_letters_and_without_a_scheme() -> None:
    """As curl has them."""
    assert proxy_to("https://api.example", "", {"https_proxy": "proxy.example:3128"}) == PROXY
