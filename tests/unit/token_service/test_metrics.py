"""Metrics: events are counted, by labels that exist from the start of the program."""

from prometheus_client.parser import text_string_to_metric_families

from agentidp.domain.resources import CredentialState
from tests.support.token_services import CLIENT, GRANT, OTHER_SECRET, SECRET, ServedAlone, the_credential
from tests.support.worlds import AGENT_ID


async def metrics(served: ServedAlone) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values."""
    text = (await served.http.get("/metrics")).text
    assert SECRET not in text
    assert AGENT_ID not in text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


async def test_metrics_count_requests_by_outcome_and_route(served: ServedAlone) -> None:
    """By outcome and route, and the time that it took."""
    await served.token()
    await served.token()
    await served.token(CLIENT)
    await served.token(CLIENT | GRANT | {"client_secret": OTHER_SECRET})
    told = await metrics(served)
    assert told["agentidp_requests_total", "ok", "token"] == 2
    assert told["agentidp_requests_total", "invalid_request", "token"] == 1
    assert told["agentidp_requests_total", "invalid_client", "token"] == 1
    assert told["agentidp_refusals_total", "WrongSecret"] == 1
    assert told["agentidp_secret_checks_total", "match"] == 1
    assert told["agentidp_look_ups_total",] == 1
    assert told["agentidp_request_duration_seconds_count", "token"] == 4
    assert told["agentidp_request_duration_seconds_sum", "token"] > 0
    assert told["agentidp_request_duration_seconds_bucket", "+Inf", "token"] == 4
    assert told["agentidp_index_objects", "agents"] == 1
    assert told["agentidp_index_objects", "agentcredentials"] == 1
    assert told["agentidp_signing_key_age_seconds",] > 0


async def test_metrics_count_failures_by_reason(served: ServedAlone) -> None:
    """The caller is not told which it was."""
    served.declare(the_credential(state=CredentialState.REVOKED))
    await served.token()
    assert (await metrics(served))["agentidp_refusals_total", "CredentialRevoked"] == 1


async def test_metrics_have_no_new_series_by_requests(served: ServedAlone) -> None:
    """Label sets are bounded."""
    before = set(await metrics(served))
    for number in range(20):
        await served.token({"grant_type": f"type-{number}", "client_id": f"client-{number}"})
        await served.http.post(f"/token-{number}")
    assert set(await metrics(served)) == before
