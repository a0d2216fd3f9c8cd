"""`tree`: which resources are listed, and what is printed where there are none."""

from pathlib import Path

import pytest

from agentidp.domain.resources import ObjectMeta, Organization, OrganizationSpec
from tests.support.object_server import run_command, serving
from tests.support.worlds import a_registered_agent, an_issued_credential

ACME = Organization(
    metadata=ObjectMeta(name="acme"), spec=OrganizationSpec(display_name="Acme Corp.", namespaces=("talent", "sales"))
)
OTHER = Organization(metadata=ObjectMeta(name="other"))


async def test_tree_draws_the_organizations_that_agents_of_the_namespace_claim(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other organizations are left out, and agents of other namespaces too."""
    agent, stranger = a_registered_agent(organization_id="acme"), a_registered_agent(namespace="sales")
    with serving(agent, stranger, an_issued_credential(), ACME, OTHER) as url:
        await run_command("tree", url, tmp_path)
    printed = capsys.readouterr().out
    assert printed.startswith("Organization acme  Acme Corp.\n└── Agent screener  Active")
    assert "    └── Credential screener-key  Active" in printed
    assert "other" not in printed


async def test_tree_of_all_namespaces_draws_all_organizations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also if no agent claims one; names are drawn with their namespace."""
    with serving(a_registered_agent(namespace="sales"), OTHER) as url:
        await run_command("tree -A", url, tmp_path)
    printed = capsys.readouterr().out
    assert "Organization other" in printed
    assert "Agent sales/screener" in printed


async def test_tree_of_an_empty_namespace_prints_a_remark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result is empty, and the remark goes to standard error."""
    with serving() as url:
        await run_command("tree", url, tmp_path, namespace="")
        await run_command("tree -A", url, tmp_path)
    assert capsys.readouterr() == (
        "",
        "No agents or credentials in namespace 'default'.\nNo agents or credentials in any namespace.\n",
    )
