"""`kubectl agentidp` is to the API server who kubectl is with the same kubeconfig, or is refused. kubectl itself is the oracle.

"works with your own kubeconfig and your own rights" (README). The API server's audit log says as whom each of them came. Where
kubectl sends nothing, the plugin sends nothing; where the plugin alone sends nothing, the case says why.
"""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.audited import AGENTS, Audited, Outcome, audit_flags
from tests.support.certificates import Authority
from tests.support.control_planes import installed_cluster
from tests.support.kubeconfigs import Home, a_kubeconfig, a_plugin, encoded, printing
from tests.support.waiting import eventually

BETA = "client.authentication.k8s.io/v1beta1"
EXTRA = {"scopes/of": ["a", "b"], "Reason": ["ü"]}
CLIENTS = Authority.new("clients")
JANE, JOHN = CLIENTS.for_client("jane", "devs"), CLIENTS.for_client("john", "ops")


class Stage(NamedTuple):
    """A home folder, and what a kubeconfig needs to reach the API server as its admin."""

    home: Home
    audited: Audited
    server: dict[str, Any]
    token: str

    def compare(self, *flags: str, **options: Any) -> tuple[Outcome, Outcome]:
        """What came of kubectl, and of the plugin."""
        return (
            self.audited.kubectl(self.home.path, *flags, **options),
            self.audited.plugin(self.home.path, *flags, **options),
        )


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """With users that have client certificates."""
    folder = tmp_path_factory.mktemp("audited")
    authority = folder / "clients.crt"
    authority.write_text(CLIENTS.certificate)
    flags = [*audit_flags(folder), f"--client-ca-file={authority}"]
    with installed_cluster(folder / "cluster", flags) as cluster:
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
        eventually("agents are served", lambda: cluster.kubectl("get", "--raw", AGENTS, check=False).returncode == 0)
        yield Audited(cluster, folder)


@pytest.fixture
def stage(audited: Audited, tmp_path: Path) -> Stage:
    """With every file that a case names."""
    home = Home(tmp_path)
    config = yaml.safe_load(audited.cluster.kubeconfig.read_text())
    server, token = config["clusters"][0]["cluster"], config["users"][0]["user"]["token"]
    home.file(".kube/ca.crt", audited.cluster.layout.certificate_authority.read_text())
    home.file(".kube/token", f"{token}\n")
    home.signed(".kube/jane", JANE)
    home.signed(".kube/john", JOHN)
    home.program(".kube/plugins/gives-token", printing({"token": token}))
    home.program("bin/on-path", printing({"token": token}))
    home.program("bin/gives-certificate", printing({"clientCertificateData": JANE.certificate, "clientKeyData": JANE.key}))
    home.program("bin/gives-half", printing({"clientCertificateData": JANE.certificate}))
    home.program("bin/gives-nothing", printing({}))
    home.program("bin/gives-no-status", printing(None))
    home.program("bin/gives-beta", printing({"token": token}, BETA))
    home.program("bin/expired", printing({"token": token, "expirationTimestamp": "2020-01-01T00:00:00Z"}))
    home.program("bin/fails", "echo 'log in first' >&2\nexit 3")
    home.program("bin/chats", "echo hello")
    home.program("bin/by-variable", f'[ "$1" = now ] && printf \'{printing({"token": "%s"}).splitlines()[1]}\' "$GIVEN"')
    home.file("bin/not-executable", "#!/bin/sh\n")
    return Stage(home, audited, server, token)


Build = Callable[[Stage], dict[str, Any] | str]


def user(**fields: Any) -> Build:
    """A kubeconfig with this user; TOKEN stands for the admin's."""
    return lambda stage: a_kubeconfig(stage.server, json.loads(json.dumps(fields).replace("TOKEN", stage.token)))


def server(**fields: Any) -> Build:
    """A kubeconfig with this cluster, over what it has else; None leaves out."""

    def build(stage: Stage) -> dict[str, Any]:
        merged = stage.server | fields
        return a_kubeconfig({name: value for name, value in merged.items() if value is not None}, {"token": stage.token})

    return build


def changed(**fields: Any) -> Build:
    """A good kubeconfig with other fields at the top."""
    return lambda stage: a_kubeconfig(stage.server, {"token": stage.token}) | fields


def plugin(command: str, **fields: Any) -> Build:
    """A kubeconfig whose user has a credential plugin."""
    return user(**a_plugin(command, **fields))


def text(content: str) -> Build:
    """What may be no kubeconfig."""
    return lambda _: content


AS = {"token": "TOKEN", "as": "bob"}
FULL = AS | {"as-uid": "7", "as-groups": ["g1", "g2"], "as-user-extra": EXTRA}
CASES: dict[str, tuple[Build, tuple[str, ...]]] = {
    "a token": (user(token="TOKEN"), ()),
    "a token that is not valid": (user(token="of nobody"), ()),
    "a token file, relative to the kubeconfig": (user(tokenFile="token"), ()),
    "a token file counts before a token": (user(token="of nobody", tokenFile="token"), ()),
    "a token counts where its file is missing": (user(token="TOKEN", tokenFile="missing"), ()),
    "a token file that is missing": (user(tokenFile="missing"), ()),
    "a client certificate, in files": (user(**{"client-certificate": "jane.crt", "client-key": "jane.key"}), ()),
    "a client certificate, as data": (
        user(**{"client-certificate-data": encoded(JANE.certificate), "client-key-data": encoded(JANE.key)}),
        (),
    ),
    "a certificate in a file, its key as data": (
        user(**{"client-certificate": "jane.crt", "client-key-data": encoded(JANE.key)}),
        (),
    ),
    "a client certificate and a token": (
        user(token="TOKEN", **{"client-certificate": "jane.crt", "client-key": "jane.key"}),
        (),
    ),
    "a client certificate without a key": (user(**{"client-certificate": "jane.crt"}), ()),
    "a client certificate with another's key": (user(**{"client-certificate": "jane.crt", "client-key": "john.key"}), ()),
    "a client certificate twice": (
        user(
            **{
                "client-certificate": "jane.crt",
                "client-certificate-data": encoded(JANE.certificate),
                "client-key": "jane.key",
            }
        ),
        (),
    ),
    "a client key twice": (
        user(**{"client-certificate": "jane.crt", "client-key": "jane.key", "client-key-data": encoded(JANE.key)}),
        (),
    ),
    "a client certificate that is missing": (user(**{"client-certificate": "missing.crt", "client-key": "jane.key"}), ()),
    "data that is not base64": (user(**{"client-certificate-data": "%%%", "client-key-data": "%%%"}), ()),
    "a password": (user(username="jane", password="secret"), ()),
    "a password and a token": (user(username="jane", password="secret", token="TOKEN"), ()),
    "a user to act as": (user(**AS), ()),
    "a user with groups, uid and extra to act as": (user(**FULL), ()),
    "groups to act as, without a user": (user(token="TOKEN", **{"as-groups": ["g"]}), ()),
    "a uid to act as, without a user": (user(token="TOKEN", **{"as-uid": "7"}), ()),
    "--as": (user(token="TOKEN"), ("--as", "bob")),
    "--as over a kubeconfig that names another": (user(**FULL), ("--as", "jill")),
    "--as-group over a kubeconfig's groups": (user(**FULL), ("--as-group", "h", "--as-group=i")),
    "--as-uid over a kubeconfig's uid": (user(**FULL), ("--as-uid", "8")),
    "--as-user-extra over a kubeconfig's": (user(**FULL), ("--as-user-extra", "Reason=x", "--as-user-extra", "more=y=z")),
    "all of them": (user(token="TOKEN"), ("--as=a", "--as-group=b", "--as-group=c", "--as-uid=d", "--as-user-extra=e=f")),
    "--as-group without a user": (user(token="TOKEN"), ("--as-group", "g")),
    "--as of nobody": (user(token="TOKEN"), ("--as", "")),
    "null is as if it were not there": (user(token="TOKEN", tokenFile=None, exec=None, **{"as": None, "as-groups": None}), ()),
    "a field that nobody knows": (user(token="TOKEN", colour="red"), ()),
    "a token that is a number": (user(token=5), ()),
    "an auth-provider that kubectl does not have": (user(**{"auth-provider": {"name": "nobody"}}), ()),
    "an auth-provider that was removed": (user(**{"auth-provider": {"name": "gcp"}}), ()),
    "a plugin by a path, relative to the kubeconfig": (plugin("./plugins/gives-token"), ()),
    "a plugin by a path without a dot": (plugin("plugins/gives-token"), ()),
    "a plugin on the PATH": (plugin("on-path"), ()),
    "a plugin beside the kubeconfig, by its name": (plugin("token"), ()),
    "a plugin with arguments and variables": (
        plugin("by-variable", args=["now"], env=[{"name": "GIVEN", "value": "TOKEN"}]),
        (),
    ),
    "a plugin that gives a certificate": (plugin("gives-certificate"), ()),
    "a plugin that gives a certificate and acts as another": (
        user(**a_plugin("on-path"), **{"as": "bob"}),
        (),
    ),
    "a plugin whose credential has expired": (plugin("expired"), ()),
    "a plugin beside a token is not asked": (user(token="TOKEN", **a_plugin("fails")), ()),
    "a plugin beside a certificate is not asked": (
        user(**{"client-certificate": "jane.crt", "client-key": "jane.key"}, **a_plugin("fails")),
        (),
    ),
    "a plugin that is missing": (plugin("missing"), ()),
    "a plugin that is missing, by a path": (plugin("./missing"), ()),
    "a plugin that may not be run": (plugin("not-executable"), ()),
    "a plugin that fails": (plugin("fails"), ()),
    "a plugin that prints something else": (plugin("chats"), ()),
    "a plugin that gives nothing": (plugin("gives-nothing"), ()),
    "a plugin that gives no status": (plugin("gives-no-status"), ()),
    "a plugin that gives half a pair": (plugin("gives-half"), ()),
    "a plugin of the older version": (plugin("gives-beta", apiVersion=BETA), ()),
    "a plugin of the older version without a mode": (plugin("gives-beta", apiVersion=BETA, interactiveMode=None), ()),
    "a plugin that gives the older version": (plugin("gives-beta"), ()),
    "a plugin of a version that was removed": (plugin("on-path", apiVersion=BETA.replace("beta", "alpha")), ()),
    "a plugin without a version": (plugin("on-path", apiVersion=None), ()),
    "a plugin without a command": (plugin(""), ()),
    "a plugin without a mode": (plugin("on-path", interactiveMode=None), ()),
    "a plugin of an unknown mode": (plugin("on-path", interactiveMode="Sometimes"), ()),
    "a plugin that never asks": (plugin("on-path", interactiveMode="Never"), ()),
    "a plugin that has to ask, and cannot": (plugin("on-path", interactiveMode="Always"), ()),
    "a plugin with a variable without a name": (plugin("on-path", env=[{"value": "x"}]), ()),
    "a plugin and an auth-provider": (user(**a_plugin("on-path"), **{"auth-provider": {"name": "oidc"}}), ()),
    "an authority in a file": (server(**{"certificate-authority": "ca.crt", "certificate-authority-data": None}), ()),
    "no authority": (server(**{"certificate-authority-data": None}), ()),
    "another authority": (server(**{"certificate-authority-data": encoded(CLIENTS.certificate)}), ()),
    "an authority that is none": (server(**{"certificate-authority-data": encoded("hello")}), ()),
    "an authority that is missing": (server(**{"certificate-authority": "missing", "certificate-authority-data": None}), ()),
    "an authority twice": (server(**{"certificate-authority": "ca.crt"}), ()),
    "no verification": (server(**{"certificate-authority-data": None, "insecure-skip-tls-verify": True}), ()),
    "no verification, with an authority": (server(**{"insecure-skip-tls-verify": True}), ()),
    "the name that the server has": (server(**{"tls-server-name": "kubernetes.default.svc"}), ()),
    "a name that the server does not have": (server(**{"tls-server-name": "other.example"}), ()),
    "a proxy that nobody is": (server(**{"proxy-url": "http://127.0.0.1:1"}), ()),
    "a proxy of an unknown scheme": (server(**{"proxy-url": "ftp://127.0.0.1:1"}), ()),
    "no compression": (server(**{"disable-compression": True}), ()),
    "no server": (server(server=None), ()),
    "a server without a scheme": (server(server="127.0.0.1:1"), ()),
    "a server with a slash at its end": (lambda stage: server(server=f"{stage.server['server']}/")(stage), ()),
    "a dead server": (server(server="https://127.0.0.1:1"), ()),
    "a context that is not there": (user(token="TOKEN"), ("--context", "missing")),
    "a user that is not there": (user(token="TOKEN"), ("--user", "missing")),
    "a cluster that is not there": (user(token="TOKEN"), ("--cluster", "missing")),
    "a current context that is not there": (changed(**{"current-context": "missing"}), ()),
    "a context whose cluster is not there": (
        changed(contexts=[{"name": "here", "context": {"cluster": "no", "user": "here"}}]),
        (),
    ),
    "no context, but a cluster and a user": (
        changed(contexts=[], **{"current-context": ""}),
        ("--cluster=here", "--user=here"),
    ),
    "another kind": (changed(kind="Secret"), ()),
    "another version": (changed(apiVersion="v2"), ()),
    "neither kind nor version": (changed(kind=None, apiVersion=None), ()),
    "two users of one name": (changed(users=[{"name": "here", "user": {}}, {"name": "here", "user": {}}]), ()),
    "an empty file": (text(""), ()),
    "a list": (text("- a"), ()),
    "no YAML": (text("a: ["), ()),
    "a kubeconfig flag that names two files": (user(token="TOKEN"), (f"--kubeconfig=.kube/config{os.pathsep}.kube/config",)),
    "a kubeconfig flag": (user(token="TOKEN"), ("--kubeconfig=.kube/config",)),
}


@pytest.mark.parametrize(("build", "flags"), CASES.values(), ids=CASES)
def test_the_plugin_is_who_kubectl_is(stage: Stage, build: Build, flags: tuple[str, ...]) -> None:
    """Seen as the same user, with the same groups, extra and impersonation; or not seen at all, and told in sentences."""
    stage.home.write(build(stage))
    kubectl, plugin = stage.compare(*flags)
    assert plugin.seen_as == kubectl.seen_as, (kubectl, plugin)
    assert (plugin.status == 0) == (kubectl.status == 0), (kubectl, plugin)
    require_sentences(plugin)


STRICTER: dict[str, tuple[Build, str]] = {
    "kubectl has a client for OpenID Connect of its own": (
        user(**{"auth-provider": {"name": "oidc", "config": {"id-token": "x", "idp-issuer-url": "https://x"}}}),
        "Use an exec plugin",
    ),
    "kubectl asks for a password": (user(), "has no credentials"),
    "kubectl takes proxies that speak SOCKS": (server(**{"proxy-url": "socks5://127.0.0.1:1"}), "Name an HTTP proxy"),
}


@pytest.mark.parametrize(("build", "told"), STRICTER.values(), ids=STRICTER)
def test_what_the_plugin_does_not_have_it_refuses(stage: Stage, build: Build, told: str) -> None:
    """With what to do; nothing is sent as somebody else."""
    stage.home.write(build(stage))
    refused = stage.audited.plugin(stage.home.path)
    assert (refused.seen_as, refused.status) == ((), 1)
    assert told in refused.said
    require_sentences(refused)


FIRST, SECOND = user(token="TOKEN"), user(token="of nobody")
SEVERAL = {
    "the first that names a user": "{home}/first:{home}/second",
    "whatever the order is": "{home}/second:{home}/first",
    "one is missing": "{home}/missing:{home}/first",
    "one is named twice": "{home}/first:{home}/first:{home}/second",
    "one is empty": "{home}/empty:{home}/first",
    "paths that are relative": "first:second",
    "one cannot be read": "{home}/first:{home}/broken",
}


@pytest.mark.parametrize("paths", SEVERAL.values(), ids=SEVERAL)
def test_several_files_are_one_kubeconfig(stage: Stage, paths: str) -> None:
    """As KUBECONFIG lists them."""
    stage.home.write(FIRST(stage), "first")
    stage.home.write(SECOND(stage), "second")
    stage.home.write("", "empty")
    stage.home.write("a: [", "broken")
    kubectl, plugin = stage.compare(variables={"KUBECONFIG": paths.format(home=stage.home.path)})
    assert (plugin.seen_as, plugin.status == 0) == (kubectl.seen_as, kubectl.status == 0), (kubectl, plugin)


INFORMED: dict[str, dict[str, Any]] = {
    "all of it": {"provideClusterInfo": True},
    "without the cluster": {},
    "in the older version": {"provideClusterInfo": True, "apiVersion": BETA, "command": "gives-beta"},
}


@pytest.mark.parametrize("fields", INFORMED.values(), ids=INFORMED)
def test_a_plugin_is_told_what_kubectl_tells_it(stage: Stage, fields: dict[str, Any]) -> None:
    """The same ExecCredential in KUBERNETES_EXEC_INFO, the cluster with its authority and its extension among it."""
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x", "nothing": None}}
    cluster = {name: value for name, value in stage.server.items() if name != "certificate-authority-data"}
    more = {"certificate-authority": "ca.crt", "tls-server-name": "kubernetes.default.svc", "disable-compression": True}
    user = a_plugin(**{"command": "on-path"} | fields)
    stage.home.write(a_kubeconfig(cluster | more | {"extensions": [extension]}, user))
    stage.audited.kubectl(stage.home.path)
    by_kubectl = stage.home.infos()
    plugin = stage.audited.plugin(stage.home.path)
    assert plugin.status == 0, plugin
    assert stage.home.infos() == by_kubectl[:1]


@pytest.mark.parametrize("mode", ["Always", "IfAvailable", "Never"])
def test_a_plugin_can_ask_at_a_terminal(stage: Stage, mode: str) -> None:
    """What is typed reaches it, as with kubectl; not where it says that it never asks."""
    answer = json.dumps({"token": "%s"})
    document = f'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {answer}}}'
    stage.home.program("bin/asks", f"echo Token? >&2\nread typed || exit 4\nprintf '{document}' \"$typed\"")
    stage.home.write(plugin("asks", interactiveMode=mode)(stage))
    kubectl, ours = (typed(stage, run) for run in (stage.audited.kubectl, stage.audited.plugin))
    assert (ours.seen_as, ours.status == 0) == (kubectl.seen_as, kubectl.status == 0), (kubectl, ours)
    assert (ours.status == 0) == (mode != "Never")
    assert "Token?" in ours.said


def typed(stage: Stage, run: Callable[..., Outcome]) -> Outcome:
    """With the token typed at a terminal."""
    controller, terminal = pty.openpty()
    try:
        os.write(controller, f"{stage.token}\n".encode())
        return run(stage.home.path, stdin=terminal)
    finally:
        os.close(terminal)
        os.close(controller)


def test_a_missing_plugin_is_told_with_how_to_get_it(stage: Stage) -> None:
    """In the words of the kubeconfig, whose control characters do not reach the terminal."""
    stage.home.write(plugin("missing", installHint="Run \x1b[31mbrew install it.")(stage))
    for command in (["status"], ["rotate", "x"], ["suspend", "x"], ["token", "x"]):
        done = subprocess.run(
            ["kubectl-agentidp", *command],
            env={"HOME": str(stage.home.path), "PATH": f"{Path(sys.executable).parent}:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "the credential plugin missing is not installed." in done.stderr
        assert "brew install it." in done.stderr
        assert "\x1b" not in done.stderr


def test_what_a_failing_plugin_says_is_seen(stage: Stage) -> None:
    """And its exit status."""
    stage.home.write(plugin("fails")(stage))
    refused = stage.audited.plugin(stage.home.path)
    assert "log in first\n" in refused.said
    assert "the credential plugin fails failed with exit status 3." in refused.said


ALLOWED = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: "
POLICIES: dict[str, tuple[str, dict[str, str]]] = {
    "nothing about plugins": ("", {}),
    "all": ("credentialPluginPolicy: AllowAll", {}),
    "none": ("credentialPluginPolicy: DenyAll", {}),
    "one, by its name": (ALLOWED + "[{name: on-path}]", {}),
    "one, as a command": (ALLOWED + "[{command: on-path}]", {}),
    "one, by its path": (ALLOWED + "[{command: HOME/bin/on-path}]", {}),
    "another one": (ALLOWED + "[{command: gives-token}]", {}),
    "an empty list": ("credentialPluginPolicy: Allowlist", {}),
    "an unknown policy": ("credentialPluginPolicy: Perhaps", {}),
    "none, but turned off": ("credentialPluginPolicy: DenyAll", {"KUBERC": "off"}),
    "none, but turned off by the gate": ("credentialPluginPolicy: DenyAll", {"KUBECTL_KUBERC": "false"}),
    "a file that is not there": ("", {"KUBERC": "/no/such"}),
}


@pytest.mark.parametrize(("policy", "variables"), POLICIES.values(), ids=POLICIES)
def test_a_plugin_that_kubectl_may_not_run_is_not_run(stage: Stage, policy: str, variables: dict[str, str]) -> None:
    """A kuberc says which may."""
    preference = f"apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{policy}\n"
    stage.home.file(".kube/kuberc", preference.replace("HOME", str(stage.home.path)))
    stage.home.write(plugin("on-path")(stage))
    kubectl, ours = stage.compare(variables=variables)
    assert (ours.seen_as, ours.status == 0) == (kubectl.seen_as, kubectl.status == 0), (kubectl, ours)
    require_sentences(ours)


def require_sentences(outcome: Outcome) -> None:
    """Nothing of Python, and no secret of a kubeconfig."""
    assert "Traceback" not in outcome.said
    assert not any(word in outcome.said for word in ("Error:", "Exception", "secret"))
