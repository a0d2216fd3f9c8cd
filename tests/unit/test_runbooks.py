"""Runbooks: the messages that they quote are those of the programs."""

import re

import pytest

from tests.support.crd_schema import CHECKOUT

PAGE = (CHECKOUT / "docs" / "runbooks.md").read_text()
SOURCES = "".join(
    path.read_text()
    for package in ("agentidp", "operator/agent_operator", "token_service", "management_api")
    for path in (CHECKOUT / package).rglob("*.py")
)
OF_KUBERNETES = {"exceeded quota"}
COMMANDS = ("kubectl ", "helm ")
QUOTED = sorted(set(re.findall(r"`([a-zA-Z…][a-z…]*(?: [a-zA-Z,…]+)+)`", PAGE)) - OF_KUBERNETES)


@pytest.mark.parametrize("message", [message for message in QUOTED if not message.startswith(COMMANDS)])
def test_runbooks_quote_messages_of_the_programs(message: str) -> None:
    """Somebody searches the log for these words. An ellipsis stands for a name."""
    pattern = r"[^\n]*".join(re.escape(part.strip()) for part in message.split("…"))
    assert re.search(pattern, SOURCES)


def test_runbooks_quote_messages() -> None:
    """The search for quotations finds them."""
    assert len(QUOTED) > 8
