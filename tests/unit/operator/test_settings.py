"""Settings of the operator: what follows from them, and what is refused."""

from datetime import timedelta

import pytest

from agent_operator.settings import OperatorSettings
from agentidp.domain.tokens.signing_keys import Algorithm, KeyPolicy
from agentidp.runtime.settings import InvalidSettings, read_settings

ISSUER = {"AGENTIDP_ISSUER": "https://idp.example"}


def test_settings_of_the_operator_name_the_endpoints_of_secrets() -> None:
    """The token endpoint is the issuer's, unless a setting names another one."""
    assert read_settings(OperatorSettings, ISSUER).endpoints.token_endpoint == "https://idp.example/api/v1/token"
    inside = {"AGENTIDP_TOKEN_ENDPOINT": "http://token.svc/api/v1/token"}
    assert read_settings(OperatorSettings, ISSUER | inside).endpoints.token_endpoint == "http://token.svc/api/v1/token"


def test_settings_of_the_operator_have_the_policy_of_signing_keys() -> None:
    """Durations are written as in Kubernetes resources."""
    given = {"AGENTIDP_SIGNING_ALGORITHM": "RS256", "AGENTIDP_SIGNING_KEY_LIFETIME": "48h"}
    policy = read_settings(OperatorSettings, ISSUER | given).key_policy
    assert policy == KeyPolicy(Algorithm.RS256, timedelta(days=2), timedelta(hours=1))


@pytest.mark.parametrize("variable", ["AGENTIDP_BCRYPT_COST", "AGENTIDP_WORKERS", "AGENTIDP_RESYNC"])
def test_settings_of_the_operator_that_are_invalid_are_named(variable: str) -> None:
    """The error names the variable."""
    with pytest.raises(InvalidSettings, match=variable):
        read_settings(OperatorSettings, ISSUER | {variable: "many"})
