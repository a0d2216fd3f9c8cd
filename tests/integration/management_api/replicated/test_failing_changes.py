"""A rotation or a new credential while a part of the system is away: 503 in bounded time, and nothing is left half done.

In the end every credential is as it was before the change, and no secret is accepted that nobody was told.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from signal import SIGTERM
from urllib.parse import urlsplit

from devcluster.components import API_SERVER
from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, OPERATOR
from tests.support.management import AN_AGENT, Api
from tests.support.objects import Objects, path_of
from tests.support.refusals import refused
from tests.support.replicated import Asked, Client, Stage, assert_nothing_was_done, frozen
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served


@contextmanager
def half_done(client: Client, credential_id: str) -> Iterator[Asked]:
    """A rotation that is declared and not published, because the operator does nothing while the block runs."""
    before = client.declared_hash(credential_id)
    with frozen(client.stage.operator):
        rotation = Asked(lambda: client.rotate(credential_id))
        eventually("the new hash is declared", lambda: client.declared_hash(credential_id) != before)
        yield rotation


@contextmanager
def without_api_server(stage: Stage, client: Client) -> Iterator[None]:
    """It is away while the block runs, and serves our kinds again afterwards."""
    stage.cluster.stop(API_SERVER)
    try:
        yield
    finally:
        stage.cluster.start(API_SERVER)
    paths = [path_of("AgentCredential", client.tenant.namespace), path_of("PendingChange", NAMESPACE)]
    eventually("it serves our kinds", lambda: all(client.tenant.objects.ask("GET", path).is_success for path in paths))


def test_rotation_does_not_begin_while_a_replica_hangs(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """The old secret works on at the others, without a moment's interruption, and rotations do when the replica is back."""
    credential_id, pair = credential
    version = client.resource(credential_id)["metadata"]["resourceVersion"]
    with frozen(stage.last_replica):
        assert_nothing_was_done(client.rotate(credential_id))
        assert client.resource(credential_id)["metadata"]["resourceVersion"] == version
        assert all(is_served(one) for one in stage.at_each(pair)[:-1])
        known = client.active()
        assert_nothing_was_done(client.api.generate(client.agent_id))
        assert client.active() == known
    assert client.is_as_before(credential_id, pair)
    new = client.pair(client.rotate(credential_id))
    assert stage.all_serve(new)
    assert stage.all_refuse(pair)


def test_rotation_is_rolled_back_when_a_replica_falls_silent(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """Nobody was told the new secret, so the old one is put back."""
    credential_id, pair = credential
    with ExitStack() as meanwhile:
        with half_done(client, credential_id) as rotation:
            meanwhile.enter_context(frozen(stage.last_replica))
        assert_nothing_was_done(rotation.answer())
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair))


def test_revocation_does_not_wait_for_a_replica_to_begin(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """It holds wherever it is known, and the caller is told that this is not everywhere."""
    credential_id, pair = credential
    with frozen(stage.last_replica):
        answer = client.api.revoke(client.agent_id, credential_id)
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
        assert credential_id not in client.active()
        assert not any(is_served(one) for one in stage.at_each(pair)[:-1])
    eventually("all refuse it", lambda: stage.all_refuse(pair))
    assert client.api.revoke(client.agent_id, credential_id).status_code == HTTPStatus.CONFLICT


def test_operator_that_is_away_lets_no_change_take_effect(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """What was declared is taken back; the old secret works meanwhile and afterwards."""
    credential_id, pair = credential
    stage.first.stop(OPERATOR.name)
    try:
        assert_nothing_was_done(client.rotate(credential_id))
        assert_nothing_was_done(client.api.generate(client.agent_id))
        assert client.active() == {credential_id}
        eventually("the old secret works", lambda: stage.all_serve(pair))
    finally:
        stage.first.start(OPERATOR.name)
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair))
    assert client.active() == {credential_id}


def test_api_server_that_is_away_lets_no_change_begin(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """The API server is away from before the request; all that was known is listed."""
    credential_id, pair = credential
    with without_api_server(stage, client):
        answer = client.rotate(credential_id)
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
        assert client.api.generate(client.agent_id).status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert client.api.revoke(client.agent_id, credential_id).status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert client.active() == {credential_id}
        assert stage.all_serve(pair)
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair))
    assert client.active() == {credential_id}


def test_api_server_that_is_away_authenticates_no_user(stage: Stage, client: Client, objects: Objects) -> None:
    """503, not 401: the token may be a good one. What is known of agents is enough for an agent to be let in."""
    with without_api_server(stage, client), Api(stage.api_url, objects.bearer) as administrator:
        refused(administrator.ask("GET", "/agents"), HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE")
        assert client.api.ask("GET", "/agents").status_code == HTTPStatus.OK


def test_rotation_that_loses_the_api_server_is_rolled_back_later(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """The answer says so: nobody was told the new secret."""
    credential_id, pair = credential
    with half_done(client, credential_id) as rotation, without_api_server(stage, client):
        answer = rotation.answer()
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
        assert "rolled back as soon as" in answer.json()["message"]
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair), within=120)


@contextmanager
def confirmed_in_vain(client: Client, credential_id: str) -> Iterator[Asked]:
    """A rotation that is in force and confirmed at the API server; the answer to that is lost, and nobody can ask again."""
    before = client.declared_hash(credential_id)
    wire = client.stage.wire_of_api
    with wire.slowed(0.2):
        rotation = Asked(lambda: client.rotate(credential_id))
        eventually("the new hash is declared", lambda: client.declared_hash(credential_id) != before)
        eventually("it is confirmed", lambda: client.is_at_rest(credential_id))
        with wire.cut():
            yield rotation


def test_rotation_of_which_only_the_last_answer_is_lost_is_returned(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """The secret is in force, so nothing was undone, and the caller gets it."""
    credential_id, pair = credential
    with confirmed_in_vain(client, credential_id) as rotation:
        pass
    new = client.pair(rotation.answer())
    assert stage.all_serve(new)
    assert stage.all_refuse(pair)
    assert client.is_at_rest(credential_id)


def test_rotation_that_cannot_be_returned_is_rolled_back_though_it_was_confirmed(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """As soon as the API server can be reached: nobody knows its secret."""
    credential_id, pair = credential
    with confirmed_in_vain(client, credential_id) as rotation:
        answer = rotation.answer()
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
        assert "rolled back as soon as" in answer.json()["message"]
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair))


@contextmanager
def sent(client: Client, path: str, method: str = "POST") -> Iterator[None]:
    """A request whose sender cuts the connection at the end of the block, without having read anything."""
    address = urlsplit(client.stage.api_url)
    head = (
        f"{method} /api/v1/agents/{client.agent_id}/credentials{path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {client.api.client.headers['Authorization']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 80)) as connection:
        connection.sendall(head.encode() + b"\r\n{}")
        yield


def test_rotation_whose_client_has_disconnected_is_rolled_back(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """The caller's old secret works again."""
    credential_id, pair = credential
    before = client.declared_hash(credential_id)
    with frozen(stage.operator), sent(client, f"/{credential_id}/rotate"):
        eventually("the new hash is declared", lambda: client.declared_hash(credential_id) != before)
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair))
    assert client.declared_hash(credential_id) == before


def test_generation_whose_client_has_disconnected_is_revoked(stage: Stage, client: Client) -> None:
    """Nobody knows its secret."""
    with frozen(stage.operator), sent(client, ""):
        (credential_id,) = eventually("it is there", client.declared)
    eventually("it is revoked", lambda: client.resource(credential_id)["spec"].get("state") == "Revoked")
    eventually("it is at rest", lambda: client.is_at_rest(credential_id))
    assert not client.active()


def test_revocation_whose_client_has_disconnected_stays(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """It was asked for, and there is nothing that only the answer tells."""
    credential_id, pair = credential
    with stage.wire.held_up(), sent(client, f"/{credential_id}", "DELETE"):
        eventually("it is declared", lambda: client.resource(credential_id)["spec"].get("state") == "Revoked")
    eventually("all refuse it", lambda: stage.all_refuse(pair))
    eventually("it is at rest", lambda: client.is_at_rest(credential_id))


def test_revocation_needs_no_operator(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """The token service goes by what is declared."""
    credential_id, pair = credential
    with frozen(stage.operator):
        answer = client.api.revoke(client.agent_id, credential_id)
        assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text
        assert stage.all_refuse(pair)
    eventually("it is at rest", lambda: client.is_at_rest(credential_id))


def test_rotation_into_a_secret_is_done_when_the_operator_is_back(stage: Stage, client: Client) -> None:
    """The caller is told that it is recorded: whoever may read the Secret gets the new one there, so nothing is lost."""
    old = client.tenant.issue("delivered")
    credential_id = client.tenant.get("AgentCredential", "delivered")["metadata"]["uid"]
    with frozen(stage.operator):
        answer = client.rotate(credential_id)
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
        assert answer.json()["message"].startswith("The rotation is recorded")
        assert stage.all_serve(old)
    new = eventually(
        "the Secret holds another one",
        lambda: client.tenant.pair("delivered"),
        lambda pair: pair.client_secret != old.client_secret,
    )
    eventually("all serve it", lambda: stage.all_serve(new))
    eventually("all refuse the old one", lambda: stage.all_refuse(old))


def test_registration_without_an_operator_gets_its_id_later(stage: Stage, client: Client) -> None:
    """The caller is told that it is recorded, and which id it will have."""
    with frozen(stage.operator):
        answer = client.api.ask("POST", "/agents", json=AN_AGENT)
        assert refused(answer, HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE").keys() == {"agentId"}
        assert answer.json()["message"].startswith("The agent is recorded")
    agent_id = answer.json()["details"]["agentId"]
    eventually("it is there", lambda: client.api.ask("GET", f"/agents/{agent_id}").is_success)


def test_process_that_is_stopped_answers_first(stage: Stage, client: Client, credential: tuple[str, Pair]) -> None:
    """As in a rolling update: the rotation that is under way comes to its end."""
    credential_id, pair = credential
    with half_done(client, credential_id) as rotation:
        stage.api.process(MANAGEMENT_API.name).signal(SIGTERM)
    new = client.pair(rotation.answer())
    stage.api.restart(MANAGEMENT_API.name)
    assert stage.all_refuse(pair)
    assert stage.all_serve(new)
    assert client.is_at_rest(credential_id)


def test_process_that_is_killed_leaves_changes_that_the_next_rolls_back(
    stage: Stage, client: Client, credential: tuple[str, Pair]
) -> None:
    """`kill -9` in the middle of a rotation and of a generation: the resources themselves say what to undo."""
    credential_id, pair = credential
    before = client.declared_hash(credential_id)
    with frozen(stage.operator), sent(client, f"/{credential_id}/rotate"), sent(client, ""):
        eventually("the new hash is declared", lambda: client.declared_hash(credential_id) != before)
        (generated,) = eventually("another one is there", lambda: client.declared().keys() - {credential_id})
        stage.api.kill(MANAGEMENT_API.name)
    stage.api.start(MANAGEMENT_API.name)
    eventually("it is as before", lambda: client.is_as_before(credential_id, pair), within=120)
    eventually("nobody has the other one", lambda: client.active() == {credential_id}, within=120)
    eventually("the other one is at rest", lambda: client.is_at_rest(generated))
