"""Settings of the operator."""

from datetime import timedelta

import pytest

from agent_operator.settings import OperatorSettings
from agentidp.runtime.settings import InvalidSettings, read_settings

ISSUER = {"AGENTIDP_ISSUER": "https://idp.example"}


def test_settings_derive_the_token_endpoint_from_the_issuer() -> None:
    """Unless another one is set."""
    assert read_settings(OperatorSettings, ISSUER).endpoints.token_endpoint == "https://idp.example/api/v1/token"
    other = read_settings(OperatorSettings, ISSUER | {"AGENTIDP_TOKEN_ENDPOINT": "http://inside.example/token"})
    assert other.endpoints.token_endpoint == "http://inside.example/token"
    assert other.endpoints.issuer == "https://idp.example"


def test_settings_hold_the_key_policy() -> None:
    """As the environment writes durations."""
    settings = read_settings(OperatorSettings, ISSUER | {"AGENTIDP_SIGNING_KEY_LIFETIME": "720h"})
    assert settings.key_policy.lifetime == timedelta(days=30)


@pytest.mark.parametrize("cost", ["9", "15", "ten"])
def test_settings_refuse_a_bcrypt_cost_out_of_bounds(cost: str) -> None:
    """The chart's schema has the same bounds, 10 to 14."""
    with pytest.raises(InvalidSettings, match="AGENTIDP_BCRYPT_COST"):
        read_settings(OperatorSettings, ISSUER | {"AGENTIDP_BCRYPT_COST": cost})
