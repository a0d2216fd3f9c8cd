"""Authorities and client certificates are replaced while programs run. Nobody restarts a program.

As rotations in a cluster do it: the file gets the new authority beside the former one, then the server shows a certificate of
the new one, then the former one goes. README: "Cut off in milliseconds"; a program that cannot connect hears of nothing.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec
import pytest
import yaml

from agentidp.authentication.reviews import SELF_REVIEWS
from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity, source_of
from devcluster.access import Access
from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, Layout
from devcluster.programs import MANAGEMENT_API, OPERATOR, PROGRAMS, TOKEN_SERVICE, Program, Programs
from tests.support.certificates import Authority, Signed
from tests.support.control_planes import installed_cluster
from tests.support.kubeconfigs import Home, a_kubeconfig
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_served

FORMER, NEW, CLIENTS = (Authority.new(name) for name in ("former", "new", "clients"))


class AccessByFile(Access):
    """Kubeconfigs that name the file of the authorities, as those of pods do."""

    def identity(self, namespace: str, service_account: str) -> Path:
        """One of a ServiceAccount."""
        path = super().identity(namespace, service_account)
        return by_file(path, self.directory / "authorities.crt")


def by_file(kubeconfig: Path, authorities: Path) -> Path:
    """The same kubeconfig, with the authorities in a file."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    del cluster["certificate-authority-data"]
    config["clusters"][0]["cluster"] = cluster | {"certificate-authority": str(authorities)}
    kubeconfig.write_text(yaml.safe_dump(config))
    return kubeconfig


@dataclass(frozen=True)
class Stage:
    """A cluster whose serving certificate is ours to change."""

    cluster: ControlPlane
    folder: Path

    @property
    def authorities(self) -> Path:
        """The file that programs trust."""
        return self.cluster.access.directory / "authorities.crt"

    def trust(self, *authorities: Authority) -> None:
        """Write the file anew, in one step, as kubelet does."""
        beside = self.authorities.with_suffix(".new")
        beside.write_text("".join(one.certificate for one in authorities))
        beside.replace(self.authorities)

    def serve(self, signed: Signed) -> None:
        """Restart the API server with this certificate: every connection ends."""
        self.cluster.stop(API_SERVER)
        show(self.folder, signed)
        self.cluster.start(API_SERVER)


def show(folder: Path, signed: Signed) -> None:
    """What the API server is to show."""
    (folder / "server.crt").write_text(signed.certificate)
    (folder / "server.key").write_text(signed.key)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The admin trusts both authorities; programs trust the former one."""
    folder = tmp_path_factory.mktemp("rotated")
    show(folder, FORMER.for_server())
    directory = folder / "cluster"
    layout = Layout(directory, directory)
    layout.certificates.mkdir(parents=True)
    layout.certificate_authority.write_text(FORMER.certificate + NEW.certificate)
    (folder / "clients.crt").write_text(CLIENTS.certificate)
    flags = [
        f"--tls-cert-file={folder / 'server.crt'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        f"--client-ca-file={folder / 'clients.crt'}",
    ]
    with installed_cluster(directory, flags) as cluster:
        stage = Stage(cluster, folder)
        stage.trust(FORMER)
        yield stage


@pytest.fixture
def programs(stage: Stage, tmp_path: Path) -> Iterator[Programs]:
    """All three."""
    stage.trust(FORMER)
    stage.serve(FORMER.for_server())
    access = AccessByFile(stage.cluster.access.kubeconfig, stage.cluster.access.directory)
    with Programs.launch(access, tmp_path) as programs:
        yield programs


@pytest.fixture
def second_operator(stage: Stage, programs: Programs, tmp_path: Path) -> Iterator[Programs]:
    """An operator that stands by."""
    access = AccessByFile(stage.cluster.access.kubeconfig, stage.cluster.access.directory)
    settings = {"AGENTIDP_ISSUER": programs.token_url}
    with Programs.launch(access, tmp_path / "second", settings, chosen=[OPERATOR]) as second:
        yield second


@pytest.fixture
def tenant(stage: Stage) -> Iterator[Tenant]:
    """As the admin."""
    with Objects(stage.cluster.kubeconfig) as objects:
        yield Tenant.new(objects)


def test_programs_follow_a_new_authority(stage: Stage, programs: Programs, tenant: Tenant) -> None:
    """Every program works on, without a restart: the operator issues, the token service hears of it, REST shows it."""
    before = tenant.issue("before")
    assert is_served(before)
    stage.trust(FORMER, NEW)
    stage.serve(NEW.for_server())
    after = tenant.issue("after")
    eventually("the token service has heard of the new credential", lambda: is_served(after))
    assert is_served(before)
    bearer = stage.cluster.kubectl("create", "token", "default", "--namespace=default").stdout.strip()
    eventually("REST works on", lambda: asks_rest(programs, bearer))
    stage.trust(NEW)
    stage.serve(NEW.for_server())
    last = tenant.issue("last")
    eventually("so it does without the former one", lambda: is_served(last))
    assert not programs.ended()
    for name in (OPERATOR.name, TOKEN_SERVICE.name, MANAGEMENT_API.name):
        assert "read again after a change" in programs.log(name).read_text()


def test_half_a_file_does_not_take_effect(stage: Stage, programs: Programs, tenant: Tenant) -> None:
    """The former content stays in use, and the log says so; the rest of the file then does."""
    stage.authorities.write_text(NEW.certificate[:200])
    tenant.issue("meanwhile")
    log = programs.log(OPERATOR.name)
    eventually("it is told", lambda: "does not hold valid certificates" in log.read_text())
    stage.authorities.write_text(NEW.certificate)
    stage.serve(NEW.for_server())
    eventually("the new authority is trusted", lambda: is_served(tenant.issue("later")))


@pytest.mark.usefixtures("second_operator")
def test_an_operator_takes_over_while_a_file_is_half_written(stage: Stage, programs: Programs, tenant: Tenant) -> None:
    """It was started before; what it begins when it leads does not read the files for a first time."""
    tenant.issue("before")
    stage.authorities.write_text(NEW.certificate[:200])
    programs.stop(OPERATOR.name)
    for name in ("seen-in-the-first-list", "heard-of-by-a-watch"):
        tenant.issue(name)


def test_an_authority_that_was_taken_out_is_not_trusted(stage: Stage, programs: Programs, tenant: Tenant) -> None:
    """A server that shows a certificate of it is nobody; what the token service knows stays in force meanwhile."""
    pair = tenant.issue()
    stage.trust(NEW)
    stage.serve(FORMER.for_server())
    log = programs.log(TOKEN_SERVICE.name)
    eventually("the server is refused", lambda: "its certificate is not accepted" in log.read_text())
    assert is_served(pair)
    stage.trust(FORMER)
    later = tenant.issue("later")
    eventually("it is trusted again", lambda: is_served(later))


def asks_rest(programs: Programs, bearer: str) -> bool:
    """Whether REST knows the caller: a right may be missing."""
    answer = httpx.get(f"{programs.url(MANAGEMENT_API.name)}/api/v1/agents", headers={"Authorization": f"Bearer {bearer}"})
    return answer.status_code in {HTTPStatus.OK, HTTPStatus.FORBIDDEN}


async def name_of(cluster: KubeClient) -> str:
    """As whom the API server takes the caller."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = msgspec.json.decode(await cluster.request("POST", SELF_REVIEWS, body=body))
    return str(answer["status"]["userInfo"]["username"])


REPLACED = {
    "a client certificate in files": {"client-certificate": "client.crt", "client-key": "client.key"},
    "a token in a file": {"tokenFile": "token"},
    "a user in the kubeconfig itself": {"token": "{token}"},
}


@pytest.mark.parametrize("user", REPLACED.values(), ids=REPLACED)
async def test_a_program_is_who_its_files_say(stage: Stage, tmp_path: Path, user: dict[str, str]) -> None:
    """With the next request after they were replaced, and while they are half written whoever it was before."""
    home = Home(tmp_path)
    stage.trust(FORMER, NEW)
    accounts = {name: new_token(stage, name) for name in ("first", "second")}

    def become(name: str) -> None:
        home.signed("client", CLIENTS.for_client(name, "people"))
        home.file("token", accounts[name])
        text = {key: value.format(token=accounts[name]) for key, value in user.items()}
        server = {"server": stage.cluster.server, "certificate-authority": str(stage.authorities)}
        home.write(a_kubeconfig(server, text), "kubeconfig")

    become("first")
    cluster = KubeClient(ClientIdentity(source_of({"KUBECONFIG": str(tmp_path / "kubeconfig")})), "tests")
    first = await name_of(cluster)
    assert first.endswith("first")
    for name in ("client.crt", "token", "kubeconfig"):
        home.file(name, (tmp_path / name).read_text()[:0])
    assert await name_of(cluster) == first
    become("second")
    assert (await name_of(cluster)).endswith("second")
    await cluster.close()


async def test_another_api_server_is_not_gone_over_to(stage: Stage, tmp_path: Path) -> None:
    """Nobody's credentials go to a server that they are not for."""
    home = Home(tmp_path)
    stage.trust(FORMER, NEW)
    server = {"server": stage.cluster.server, "certificate-authority": str(stage.authorities)}
    home.write(a_kubeconfig(server, {"token": new_token(stage, "first")}), "kubeconfig")
    cluster = KubeClient(ClientIdentity(source_of({"KUBECONFIG": str(tmp_path / "kubeconfig")})), "tests")
    home.write(a_kubeconfig(server | {"server": "https://other.example"}, {"token": "of-another-cluster"}), "kubeconfig")
    assert (await name_of(cluster)).endswith("first")
    await cluster.close()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.name)
def test_a_program_whose_kubeconfig_cannot_be_used_says_so(program: Program, tmp_path: Path) -> None:
    """In a sentence that says what to do, and ends with 2."""
    config = Home(tmp_path).write(a_kubeconfig({"server": "https://127.0.0.1:1"}, {"auth-provider": {"name": "gcp"}}))
    settings = {"KUBECONFIG": str(config), "AGENTIDP_ISSUER": "https://idp.example"}
    listen = {program.listen_setting: "127.0.0.1:0", "AGENTIDP_TOKEN_SERVICE_URL": "http://127.0.0.1:1"}
    command = Path(sys.executable).parent / program.name
    done = subprocess.run([command], env=os.environ | settings | listen, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "has an auth-provider, which is not supported. Use an exec plugin" in done.stderr
    assert "Traceback" not in done.stderr


def new_token(stage: Stage, name: str) -> str:
    """Of a ServiceAccount."""
    stage.cluster.kubectl("create", "serviceaccount", name, "--namespace=default", check=False)
    return stage.cluster.kubectl("create", "token", name, "--namespace=default").stdout.strip()
