"""The OpenAPI document of the token service is true."""

import base64
from pathlib import Path

from devcluster.programs import Programs
from tests.support.openapi import try_out
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_served


def test_every_answer_is_documented(programs: Programs, tenant: Tenant, tmp_path: Path) -> None:
    """As a client that is served: no 5xx, no answer that is not documented, nothing taken that should not be."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    basic = base64.b64encode(f"{pair.client_id}:{pair.client_secret}".encode()).decode()
    document = f"{programs.token_url}/openapi.json"
    assert "Tested: 14" in try_out(document, "schemathesis-token-service.toml", f"Basic {basic}", tmp_path)
    assert is_served(pair)
