"""Settings of `make up`: which are accepted, and which are refused."""

from pathlib import Path

import pytest

from devcluster.errors import DevclusterError
from devcluster.settings import UpSettings, read_settings


def test_settings_default_to_a_new_control_plane() -> None:
    """Also when KUBECONFIG happens to be set: a cluster that was not started here is never used by accident."""
    assert read_settings([], {"KUBECONFIG": __file__}) == UpSettings(kubeconfig=None, programs={})


def test_settings_select_an_existing_cluster() -> None:
    """KUBECONFIG together with the explicit choice."""
    assert read_settings([], {"CLUSTER": "kubeconfig", "KUBECONFIG": __file__}).kubeconfig == Path(__file__).resolve()


def test_settings_reach_the_programs() -> None:
    """A value may hold equals signs and spaces."""
    programs = read_settings(["AGENTIDP_LOG_LEVEL=debug", "AGENTIDP_ISSUER=http://x?a=b c"], {}).programs
    assert programs == {"AGENTIDP_LOG_LEVEL": "debug", "AGENTIDP_ISSUER": "http://x?a=b c"}


@pytest.mark.parametrize(
    "argument", ["AGENTIDP_LOG_LEVEL", "LOG_LEVEL=debug", "AGENTIDP_=1", "agentidp_log_level=debug", "=debug"]
)
def test_settings_refuse_unknown_names(argument: str) -> None:
    """With an example of one that would do."""
    with pytest.raises(DevclusterError, match=f"'{argument}' is not a setting.*such as AGENTIDP_LOG_LEVEL=debug"):
        read_settings([argument], {})


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"CLUSTER": "minikube"}, "CLUSTER=minikube: it should be"),
        ({"CLUSTER": "kind"}, "kind create cluster"),
        ({"CLUSTER": "kubeconfig"}, "KUBECONFIG='' should be"),
        ({"CLUSTER": "kubeconfig", "KUBECONFIG": "/no/such/file"}, "KUBECONFIG='/no/such/file' should be"),
    ],
)
def test_settings_refuse_an_unusable_cluster(environment: dict[str, str], reason: str) -> None:
    """The message names the variable and what it should be."""
    with pytest.raises(DevclusterError, match=reason):
        read_settings([], environment)
