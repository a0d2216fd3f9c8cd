"""Secret generator: what it makes, and what of it may be shown."""

import bcrypt

from agentidp.domain.secrets.client_secrets import PREFIX, hint_of
from agentidp.runtime.pools.secret_generator import SecretGenerator

COST = 4


async def test_secret_generator_makes_a_secret_its_hash_and_its_hint() -> None:
    """The hint is that of the credential."""
    secret = await SecretGenerator(1, COST).make("credential")
    assert secret.value.startswith(PREFIX)
    assert bcrypt.checkpw(secret.value.encode(), secret.hashed.encode())
    assert secret.hint == hint_of("credential", secret.value.encode())
    assert secret.of("another").hint == hint_of("another", secret.value.encode())


async def test_generated_secret_has_no_value_in_its_repr() -> None:
    """A traceback shows it."""
    secret = await SecretGenerator(1, COST).make("credential")
    assert secret.value not in repr(secret)
    assert secret.hashed not in repr(secret)
