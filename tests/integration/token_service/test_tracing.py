"""Traces of requests, as an OpenTelemetry collector gets them."""

import gzip
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from devcluster.cluster import ControlPlane
from devcluster.ports import ReservedPort
from devcluster.programs import MANAGEMENT_API, OPERATOR, TOKEN_SERVICE, Programs
from tests.support.collectors import Collector, attributes_of, collecting
from tests.support.management import BASE, NO_SUCH_ID
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import GRANT, is_served

AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
PARENT = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """One for the module's programs."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """All of them, with that collector."""
    settings = AT_ONCE | {"AGENTIDP_TRACES_COLLECTOR": collector.url}
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), settings) as programs:
        yield programs


def traced(collector: Collector, method: str, url: str, **options: Any) -> tuple[str, Span]:
    """The program and the span of a request that belongs to somebody's trace."""
    trace_id = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{PARENT}-01"}
    httpx.request(method, url, headers=headers, timeout=30, **options)
    (found,) = eventually("its span comes in", lambda: collector.spans_of(trace_id), lambda spans: len(spans) == 1)
    assert found[1].parent_span_id.hex() == PARENT
    assert found[1].kind == Span.SPAN_KIND_SERVER
    return found


def test_a_token_request_is_part_of_the_clients_trace(tenant: Tenant, programs: Programs, collector: Collector) -> None:
    """Named by its route, with its outcome, served or refused; and nothing that the client has sent is in it."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    for secret, status in ((pair.client_secret, 200), ("wrong" + pair.client_secret, 401)):
        form = GRANT | {"client_id": pair.client_id, "client_secret": secret}
        program, span = traced(collector, "POST", f"{pair.token_endpoint}?client_secret={secret}", data=form)
        assert (program, span.name, span.status.code) == (
            "agentidp-token-service",
            "POST /api/v1/token",
            Status.STATUS_CODE_UNSET,
        )
        assert attributes_of(span) == {
            "http.request.method": "POST",
            "url.scheme": "http",
            "http.route": "/api/v1/token",
            "http.response.status_code": status,
        }
    sent = b"".join(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for body in collector.bodies)
    assert pair.client_secret.encode() not in sent
    assert pair.client_id.encode() not in sent


def test_a_span_has_no_id_in_its_name(programs: Programs, collector: Collector) -> None:
    """But the route's parameters; and what is no route at all is not repeated."""
    api = programs.url(MANAGEMENT_API.name)
    program, span = traced(collector, "GET", f"{api}{BASE}/agents/{NO_SUCH_ID}/credentials")
    assert (program, span.name) == ("agentidp-management-api", f"GET {BASE}/agents/{{agentId}}/credentials")
    _, span = traced(collector, "GET", f"{programs.token_url}/no-such-path")
    assert (span.name, attributes_of(span)["http.response.status_code"]) == ("GET", 404)


def test_nothing_waits_for_a_collector_that_is_not_there(
    cluster: ControlPlane, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Tokens are given, and the program ends when it is told to."""
    settings = AT_ONCE | {"AGENTIDP_TRACES_COLLECTOR": f"http://127.0.0.1:{ReservedPort().number}"}
    chosen = [OPERATOR, TOKEN_SERVICE]
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("untraced"), settings, chosen=chosen) as programs:
        pair = tenant.issue()
        eventually("it is served", lambda: is_served(pair))
        log = programs.log(TOKEN_SERVICE.name)
        programs.stop(TOKEN_SERVICE.name)
        assert '"stopped"' in log.read_text()
