"""`token`: which Secret it reads, what it prints, and why it fails without one."""

import json
from pathlib import Path

import jwt
import pytest
from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, Secret
from kubectl_agentidp.commands.token import token_content
from kubectl_agentidp.errors import CommandError
from tests.support.object_server import run_command, serving
from tests.support.odd_endpoints import answering
from tests.support.worlds import a_credential, a_provided_hash, a_secret, an_issued_credential

TOKEN = jwt.encode({"sub": "screener", "scope": "a b"}, "k" * 32, "HS256", headers={"typ": "at+jwt", "kid": "one"})
RESPONSE = json.dumps({"access_token": TOKEN, "token_type": "Bearer"})
ISSUED = an_issued_credential()
SECRET = a_secret(ISSUED)


@pytest.mark.parametrize(
    ("flags", "printed"),
    {"": TOKEN, "-o json": json.dumps(json.loads(RESPONSE), indent=2), "--claims": token_content(TOKEN)}.items(),
)
async def test_token_is_printed(flags: str, printed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone, as the whole response, or as its header and claims."""
    with serving(ISSUED, SECRET) as url, answering(200, RESPONSE) as endpoint:
        await run_command(f"token {ISSUED.metadata.name} --endpoint {endpoint.url} {flags}", url, tmp_path)
    assert capsys.readouterr() == (f"{printed}\n", "")


WITHOUT_A_SECRET: dict[str, tuple[AgentCredential, Secret, str]] = {
    "a provided hash": (a_credential(secret_hash=a_provided_hash()), SECRET, "has a provided hash"),
    "nothing issued yet": (a_credential(), SECRET, "has no Secret. Pending:"),
    "a Secret that misses a key": (ISSUED, replace(SECRET, data={}), "has no key 'token_endpoint'"),
}


@pytest.mark.parametrize(("credential", "secret", "problem"), WITHOUT_A_SECRET.values(), ids=WITHOUT_A_SECRET)
async def test_token_without_client_credentials_fails(
    credential: AgentCredential, secret: Secret, problem: str, tmp_path: Path
) -> None:
    """The error names the reason, and no request is sent."""
    with serving(credential, secret) as url, pytest.raises(CommandError, match=problem) as error:
        await run_command(f"token {credential.metadata.name}", url, tmp_path)
    assert error.value.advice


def test_token_content_is_header_and_claims() -> None:
    """They are one JSON value."""
    content = json.loads(token_content(TOKEN))
    assert content["header"] == {"alg": "HS256", "typ": "at+jwt", "kid": "one"}
    assert content["claims"] == {"sub": "screener", "scope": "a b"}


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.b.c", "e30.e30.c.d", "é.e30.c"])
def test_token_content_of_an_opaque_token_fails(token: str) -> None:
    """The error does not hold the token."""
    with pytest.raises(CommandError, match="the token is not a JWT") as error:
        token_content(token)
    assert not token or token not in error.value.problem
