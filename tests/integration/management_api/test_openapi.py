"""The OpenAPI document of the management API is true."""

from pathlib import Path

from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.management import BASE, Api
from tests.support.openapi import try_out


def test_openapi_documents_every_answer(api: Api, all_programs: Programs, tmp_path: Path) -> None:
    """No 5xx, no status, header or body that is not documented, nothing refused that should be taken, nor the other way round.

    All checks are on (one of them not for GETs, see the configuration), in all phases: examples, bounds, chance, sequences.
    """
    document = all_programs.url(MANAGEMENT_API.name) + BASE + "/openapi.json"
    told = try_out(document, "schemathesis-management.toml", api.client.headers["Authorization"], tmp_path)
    assert "Tested: 11" in told
