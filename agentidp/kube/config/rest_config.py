"""`RestConfig`: one API server and one identity, as a value. From a kubeconfig and what overrides it, or from a pod.

What client-go refuses is refused here (`clientcmd`'s validation). What is refused besides is what kubectl would go on with by
asking for a password, or as nobody.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from agentidp.kube.config.impersonation import Impersonation
from agentidp.kube.config.kubeconfig import (
    ClusterEntry,
    ContextEntry,
    ExecConfig,
    Kubeconfig,
    UserEntry,
    decode_base64,
    load_kubeconfig,
)
from agentidp.kube.config.tls import Pem, TlsSource
from agentidp.kube.errors import ConfigError

DEFAULT_NAMESPACE = "default"
EXEC_EXTENSION = "client.authentication.k8s.io/exec"
EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")
SEE_CONTEXTS = "`kubectl config get-contexts` lists what there is; --context and --kubeconfig choose."


class Overrides(Struct, frozen=True):
    """Flags that override a kubeconfig."""

    context: str = ""
    cluster: str = ""
    user: str = ""
    impersonation: Impersonation = Impersonation()


class Login(Struct, frozen=True):
    """Credentials for the API server other than a client certificate."""

    token: str = ""
    token_file: str = ""
    username: str = ""
    password: str = ""
    plugin: ExecConfig | None = None

    def __repr__(self) -> str:
        """The name only, because some fields are secret."""
        return "Login()"


class RestConfig(Struct, frozen=True):
    """The server, its connection, and the identity for it."""

    server: str
    namespace: str = DEFAULT_NAMESPACE
    tls: TlsSource = TlsSource()
    tls_server_name: str = ""
    proxy: str = ""
    compressed: bool = True
    login: Login = Login()
    impersonation: Impersonation = Impersonation()
    exec_extension: Any = None


class KubeconfigSource(Struct, frozen=True):
    """Kubeconfig files that are merged, and what overrides them."""

    files: tuple[Path, ...]
    overrides: Overrides = Overrides()

    def read(self) -> RestConfig:
        """The configuration as the files are now. Raises ConfigError."""
        return chosen(load_kubeconfig(self.files), self.overrides)


class FixedSource(Struct, frozen=True):
    """The source of a configuration that does not change."""

    config: RestConfig
    files: tuple[Path, ...] = ()

    def read(self) -> RestConfig:
        """The configuration that was given."""
        return self.config


class PodSource(Struct, frozen=True):
    """The source of the pod's own ServiceAccount."""

    environment: Mapping[str, str]
    folder: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    impersonation: Impersonation = Impersonation()
    files: tuple[Path, ...] = ()

    def read(self) -> RestConfig:
        """Server and files, as the Kubernetes client finds them. Raises ConfigError outside a pod.

        The files themselves are read later, each time they change: the client would keep the authorities of its start.
        """
        from kubernetes.config.config_exception import ConfigException  # noqa: PLC0415 1.5 s, which only pods wait for
        from kubernetes.config.incluster_config import InClusterConfigLoader  # noqa: PLC0415

        loaded = SimpleNamespace(api_key={})
        token, authorities = (str(self.folder / name) for name in ("token", "ca.crt"))
        loader: Any = InClusterConfigLoader(token, authorities, try_refresh_token=False, environ=self.environment)  # type: ignore[no-untyped-call]
        try:
            loader.load_and_set(loaded)
        except (ConfigException, OSError) as error:
            problem = "there is no kubeconfig, and this is no pod."
            raise ConfigError(problem, "Set KUBECONFIG to the path of a kubeconfig.") from error
        return RestConfig(
            server=loaded.host,
            namespace=self._namespace(),
            tls=TlsSource(authorities=Pem(loaded.ssl_ca_cert)),
            login=Login(token_file=token),
            impersonation=self.impersonation,
        )

    def _namespace(self) -> str:
        file = self.folder / "namespace"
        namespace = self.environment.get("POD_NAMESPACE") or (file.read_text().strip() if file.exists() else "")
        return namespace or DEFAULT_NAMESPACE


def chosen(kubeconfig: Kubeconfig, overrides: Overrides) -> RestConfig:
    """The configuration of the chosen context, by its cluster and user. Raises ConfigError."""
    context = _context(kubeconfig, overrides)
    cluster_name, user_name = overrides.cluster or context.cluster, overrides.user or context.user
    cluster = kubeconfig.clusters.get(cluster_name)
    user = kubeconfig.users.get(user_name) if user_name else UserEntry()
    if cluster is None:
        raise ConfigError(f"the kubeconfig has no cluster {cluster_name!r}.", SEE_CONTEXTS)
    if user is None:
        raise ConfigError(f"the kubeconfig has no user {user_name!r}.", SEE_CONTEXTS)
    for problem in (*_cluster_problems(cluster_name, cluster), *_user_problems(user_name, user)):
        raise problem
    impersonation = overrides.impersonation.over(_impersonation(user))
    if impersonation.lacks_user:
        raise ConfigError("a group, uid or extra to act as is named, but no user.", "Name the user, too: --as, or `as`.")
    return _rest_config(cluster, user, context.namespace or DEFAULT_NAMESPACE, impersonation)


def _context(kubeconfig: Kubeconfig, overrides: Overrides) -> ContextEntry:
    name = overrides.context or kubeconfig.current_context
    if name not in kubeconfig.contexts and (name or not overrides.cluster):
        problem = f"the kubeconfig has no context {name!r}." if name else "the kubeconfig names no current context."
        raise ConfigError(problem, SEE_CONTEXTS)
    return kubeconfig.contexts.get(name, ContextEntry())


def _cluster_problems(name: str, cluster: ClusterEntry) -> Iterator[ConfigError]:
    where = f"the cluster {name!r} of the kubeconfig"
    parts = urlsplit(cluster.server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield ConfigError(f"{where} has no server that is a URL.", "Its `server` should be like https://api.example:6443.")
    if cluster.certificate_authority and cluster.certificate_authority_data:
        yield ConfigError(f"{where} has certificate-authority and certificate-authority-data.", "Remove one of them.")
    if cluster.insecure_skip_tls_verify and (cluster.certificate_authority or cluster.certificate_authority_data):
        yield ConfigError(f"{where} has a certificate authority and insecure-skip-tls-verify.", "Remove one of them.")
    scheme = urlsplit(cluster.proxy_url).scheme
    if cluster.proxy_url and scheme not in {"http", "https"}:
        advice = "Name an HTTP proxy; kubectl takes socks5, too, this program does not."
        yield ConfigError(f"{where} has a proxy-url that is not http or https.", advice)


def _user_problems(name: str, user: UserEntry) -> Iterator[ConfigError]:
    where = f"the user {name!r} of the kubeconfig"
    has_certificate = user.client_certificate or user.client_certificate_data
    if (user.token or user.token_file) and (user.username or user.password):
        yield ConfigError(f"{where} has a token and a password.", "Remove one of them.")
    if user.client_certificate and user.client_certificate_data:
        yield ConfigError(f"{where} has client-certificate and client-certificate-data.", "Remove one of them.")
    if has_certificate and user.client_key and user.client_key_data:
        yield ConfigError(f"{where} has client-key and client-key-data.", "Remove one of them.")
    if has_certificate and not (user.client_key or user.client_key_data):
        yield ConfigError(f"{where} has a client certificate without its key.", "Name it as client-key.")
    if user.auth_provider is not None:
        advice = "Use an exec plugin: `kubectl oidc-login` (kubelogin), gke-gcloud-auth-plugin or kubelogin for Azure."
        yield ConfigError(f"{where} has an auth-provider, which is not supported.", advice)
    if user.exec is not None:
        yield from _plugin_problems(where, user.exec)


def _plugin_problems(where: str, plugin: ExecConfig) -> Iterator[ConfigError]:
    if not plugin.command:
        yield ConfigError(f"{where} has an exec plugin without a command.", "Name its `command`.")
    if plugin.api_version not in EXEC_VERSIONS:
        yield ConfigError(f"{where} has an exec plugin of no known apiVersion.", f"It should be {' or '.join(EXEC_VERSIONS)}.")
    if any(not variable.name for variable in plugin.env):
        yield ConfigError(f"{where} has an exec plugin with a variable that has no name.", "Give each of `env` a `name`.")
    if plugin.interactive_mode not in _modes(plugin):
        advice = f"Its `interactiveMode` should be {', '.join(INTERACTIVE_MODES[:-1])} or {INTERACTIVE_MODES[-1]}."
        yield ConfigError(f"{where} has an exec plugin that does not say whether it asks questions.", advice)


def _modes(plugin: ExecConfig) -> tuple[str, ...]:
    """The valid modes; in the older version the mode may be missing."""
    return ("", *INTERACTIVE_MODES) if plugin.api_version.endswith("beta1") else INTERACTIVE_MODES


def _impersonation(user: UserEntry) -> Impersonation:
    return Impersonation(user.as_user, user.as_uid, user.as_groups, user.as_user_extra)


def _rest_config(cluster: ClusterEntry, user: UserEntry, namespace: str, impersonation: Impersonation) -> RestConfig:
    """The configuration. Over plain HTTP it has no credentials, which could be stolen; `kubectl proxy` needs none."""
    server = cluster.server.rstrip("/")
    is_secure = urlsplit(server).scheme == "https"
    extension = next((item.extension for item in cluster.extensions if item.name == EXEC_EXTENSION), None)
    return RestConfig(
        server=server,
        namespace=namespace,
        tls=_tls(cluster, user) if is_secure else TlsSource(),
        tls_server_name=cluster.tls_server_name,
        proxy=cluster.proxy_url,
        compressed=not cluster.disable_compression,
        login=_login(user) if is_secure else Login(),
        impersonation=impersonation,
        exec_extension=extension,
    )


def _tls(cluster: ClusterEntry, user: UserEntry) -> TlsSource:
    return TlsSource(
        _pem(cluster.certificate_authority, cluster.certificate_authority_data, "certificate-authority-data"),
        _pem(user.client_certificate, user.client_certificate_data, "client-certificate-data"),
        _pem(user.client_key, user.client_key_data, "client-key-data"),
        cluster.insecure_skip_tls_verify,
    )


def _pem(file: str, data: str, what: str) -> Pem:
    return Pem(file, decode_base64(data, what))


def _login(user: UserEntry) -> Login:
    """The credentials; a plugin is used only where there are no others. Raises ConfigError where there are none."""
    others = (user.token, user.token_file, user.username, user.password, user.client_certificate, user.client_certificate_data)
    if not any(others) and user.exec is None:
        raise ConfigError("the user of the context has no credentials.", "Log in again, or choose another --context or --user.")
    return Login(user.token, user.token_file, user.username, user.password, None if any(others) else user.exec)
