"""What holds for the chart whatever its values are: what a linter of manifests would ask, and what this project asks."""

import pytest
import yaml

from agent_operator.settings import OperatorSettings
from agentidp.runtime.settings import PREFIX, CommonSettings, read_settings
from devcluster.chart import CHART, VALUE_FILES, helm
from devcluster.install import NAMESPACE
from management_api.settings import ManagementApiSettings
from tests.support.chart import Manifest, of_kind, pods, rendered
from token_service.settings import TokenServiceSettings

SETTINGS: dict[str, type[CommonSettings]] = {
    "agentidp-operator": OperatorSettings,
    "agentidp-token-service": TokenServiceSettings,
    "agentidp-management-api": ManagementApiSettings,
}
SCRAPED = {"agentidp-operator": "probes", "agentidp-token-service": "metrics", "agentidp-management-api": "metrics"}
"""The port of each program that its metrics are on."""
CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


@pytest.fixture(params=VALUE_FILES)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """The chart with each value file in turn."""
    return rendered(*VALUE_FILES[request.param])


@pytest.mark.parametrize("values", VALUE_FILES)
def test_helm_finds_nothing_to_say(values: str) -> None:
    """Not even a warning."""
    found = helm("lint", "--strict", "--quiet", str(CHART), *VALUE_FILES[values])
    assert (found.returncode, found.stdout.strip()) == (0, ""), found.stdout + found.stderr


def test_everything_is_in_the_namespace_of_the_release(manifests: list[Manifest]) -> None:
    """Also where `helm template` is used, which gives no namespace to what has none."""
    for one in manifests:
        assert (one["kind"] in CLUSTER_WIDE) == ("namespace" not in one["metadata"]), one["metadata"]
        assert one["metadata"].get("namespace", NAMESPACE) == NAMESPACE


def test_nothing_is_declared_twice(manifests: list[Manifest]) -> None:
    """Two of one name would overwrite each other."""
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests]
    assert len(names) == len(set(names))


def test_every_container_is_held_to_what_it_needs(manifests: list[Manifest]) -> None:
    """Requests and a bound for memory; nothing to write to but /tmp; no user of the image's choice."""
    for name, pod in pods(manifests).items():
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert not pod["enableServiceLinks"], f"{name}: variables of Services would look like settings"
        for container in pod["containers"]:
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert ":latest" not in container["image"]


def test_every_program_is_probed(manifests: list[Manifest]) -> None:
    """So that a rolling update waits for it, and a stuck one is started again."""
    for name, one in of_kind("Deployment", manifests).items():
        for container in one["spec"]["template"]["spec"]["containers"]:
            assert container.keys() >= {"startupProbe", "readinessProbe", "livenessProbe"}, name


def test_every_deployment_survives_the_loss_of_a_node(manifests: list[Manifest]) -> None:
    """More than one replica, spread, with a budget for drains."""
    budgets = [one["spec"]["selector"] for one in of_kind("PodDisruptionBudget", manifests).values()]
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind("HorizontalPodAutoscaler", manifests).values()}
    for name, one in of_kind("Deployment", manifests).items():
        assert one["spec"].get("replicas", 0) > 1 or (name in scaled and "replicas" not in one["spec"])
        assert one["spec"]["selector"] in budgets
        assert one["spec"]["template"]["spec"]["topologySpreadConstraints"]


def test_selectors_find_their_pods_and_no_others(manifests: list[Manifest]) -> None:
    """Of Services, budgets, policies and deployments."""
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in of_kind("Deployment", manifests).values()]
    labels += [one["metadata"]["labels"] for one in of_kind("Pod", manifests).values()]
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"):
        for name, one in of_kind(kind, manifests).items():
            selector = one["spec"].get("selector") or one["spec"]["podSelector"]
            wanted = selector.get("matchLabels", selector).items()
            assert sum(wanted <= found.items() for found in labels) == 1, f"{kind} {name}"


def test_ports_that_are_named_exist(manifests: list[Manifest]) -> None:
    """A Service that leads to no port is found by no linter."""
    named = {port["name"] for pod in pods(manifests).values() for one in pod["containers"] for port in one.get("ports", [])}
    for name, service in of_kind("Service", manifests).items():
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, name


def test_a_program_runs_as_its_own_service_account(manifests: list[Manifest]) -> None:
    """Each Deployment has one, and no two share one."""
    used = [pod["serviceAccountName"] for pod in pods(manifests).values() if "serviceAccountName" in pod]
    assert len(used) == len(set(used))
    assert set(used) <= of_kind("ServiceAccount", manifests).keys()


def test_programs_take_the_settings_that_they_are_given(manifests: list[Manifest]) -> None:
    """Each variable is one of the program's, and all of them together are valid."""
    for container in programs(manifests):
        kind = SETTINGS[container["command"][0]]
        given = environment(container)
        assert given.keys() <= {PREFIX + field.upper() for field in kind.__struct_fields__}
        read_settings(kind, given)


@pytest.mark.parametrize("program", SETTINGS)
def test_the_values_show_the_programs_own_defaults(program: str) -> None:
    """What values.yaml says is what a program does that is told nothing; and every setting of a program is there."""
    (container,) = [one for one in programs(rendered()) if one["command"] == [program]]
    kind = SETTINGS[program]
    given = read_settings(kind, environment(container))
    told = ("ISSUER", "TOKEN_SERVICE_URL", "METRICS_LISTEN")
    where = {f"{PREFIX}{name}": environment(container).get(f"{PREFIX}{name}", "") for name in told}
    assert given == read_settings(kind, {name: url for name, url in where.items() if url})


@pytest.mark.parametrize("program", SETTINGS)
def test_every_setting_of_a_program_is_a_value_of_the_chart(program: str) -> None:
    """A setting that the chart cannot say is one that an administrator does not find."""
    options = ["--set=tokenEndpoint=https://x.example/t"]
    options += [f"--set={section}.settings.hashingThreads=3" for section in ("operator", "tokenService", "managementApi")]
    options += [f"--set={section}.settings.tracesCollector=http://x.example" for section in ("tokenService", "managementApi")]
    options.append("--set=managementApi.settings.apiAudience=https://x.example")
    (container,) = [one for one in programs(rendered(*options)) if one["command"] == [program]]
    assert environment(container).keys() == {PREFIX + field.upper() for field in SETTINGS[program].__struct_fields__}


WRONG = {
    "a value that does not exist": "--set=operator.replica=3",
    "a setting that does not exist": "--set=operator.settings.worker=3",
    "an issuer with a trailing slash": "--set=issuer=https://idp.example.com/",
    "a cost that the programs refuse": "--set=operator.settings.bcryptCost=31",
    "a duration without a unit": "--set=operator.settings.resync=10",
    "an Ingress without a host": "--set=ingress.enabled=true",
    "a route without a Gateway": "--set=httpRoute.enabled=true",
    "cert-manager without an issuer": "--set=tls.certManager.enabled=true",
}


@pytest.mark.parametrize("url", ["", "https://docs.example/runbooks.html"])
def test_alerts_lead_to_where_the_runbooks_are_published(url: str) -> None:
    """Each to its own section; where nothing is said, nowhere. The rest is as the file says."""
    options = ("--set=monitoring.alerts.enabled=true", f"--set=monitoring.alerts.runbooksUrl={url}")
    (rules,) = of_kind("PrometheusRule", rendered(*options)).values()
    text = (CHART / "files" / "alerts.yaml").read_text().replace("$NAMESPACE", NAMESPACE)
    expected = yaml.safe_load(text)
    for rule in (rule for group in expected["groups"] for rule in group["rules"]):
        if url:
            rule["annotations"]["runbook_url"] = f"{url}#{rule['alert'].lower()}"
    assert rules["spec"] == expected


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_in_the_values_is_refused(wrong: str) -> None:
    """By the schema, before anything is installed."""
    refused = helm("template", "agentidp", str(CHART), WRONG[wrong])
    assert refused.returncode != 0
    assert "values don't meet the specifications" in refused.stderr


@pytest.mark.parametrize(
    ("ahead", "is_refused"), [("4m59s", True), ("5m", True), ("5m1s", False), ("1h", False), ("1h1m", False)]
)
def test_a_key_signs_when_no_key_set_without_it_is_kept_any_more(ahead: str, is_refused: bool) -> None:
    """The values say that it must be published for longer than resource servers may keep the key set, which is five minutes."""
    rendered = helm("template", "agentidp", str(CHART), f"--set=operator.settings.signingKeyPublishedAhead={ahead}")
    assert ("jwksMaxAgeSeconds" in rendered.stderr) == is_refused
    assert (rendered.returncode != 0) == is_refused


def test_the_issuer_follows_from_how_it_is_reached() -> None:
    """Nothing has to be said twice."""
    assert issuer("its own values") == f"http://agentidp-token-service.{NAMESPACE}.svc"
    assert issuer("ingress-values") == "https://idp.example.com"
    assert issuer("gateway-values") == "https://example.com/agents/idp"


@pytest.mark.parametrize("values", ["ingress-values", "gateway-values"])
def test_only_what_is_for_the_public_is_led_to(values: str) -> None:
    """No probe, no metrics, no usage."""
    manifests = rendered(*VALUE_FILES[values])
    paths = {
        path["path"] for one in of_kind("Ingress", manifests).values() for path in one["spec"]["rules"][0]["http"]["paths"]
    }
    for route in of_kind("HTTPRoute", manifests).values():
        paths |= {match["path"]["value"] for rule in route["spec"]["rules"] for match in rule["matches"]}
    prefix = "/agents/idp" if values == "gateway-values" else ""
    expected = {"/token", "/api/v1/token", "/.well-known"} | ({"/api/v1/agents"} if values == "gateway-values" else set())
    assert paths == expected | {f"{prefix}/api/v1/token", f"{prefix}/.well-known"}


def test_a_certificate_that_is_there_is_used() -> None:
    """The Ingress names its Secret, and nobody is asked for another one."""
    told = rendered("--set=ingress.enabled=true,ingress.host=idp.example.com,tls.secretName=idp-certificate")
    (ingress,) = of_kind("Ingress", told).values()
    assert ingress["spec"]["tls"] == [{"hosts": ["idp.example.com"], "secretName": "idp-certificate"}]
    assert of_kind("Certificate", told) == {}


def test_an_ingress_without_a_certificate_has_no_tls() -> None:
    """As where something before it ends TLS."""
    (ingress,) = of_kind("Ingress", rendered("--set=ingress.enabled=true,ingress.host=idp.example.com")).values()
    assert "tls" not in ingress["spec"]


@pytest.mark.parametrize("keep", [True, False])
def test_the_kinds_outlive_the_release_unless_told_otherwise(keep: bool) -> None:
    """By an annotation, which Helm reads; nothing else about them differs."""
    found = of_kind("CustomResourceDefinition", rendered(f"--set=crds.keep={str(keep).lower()}")).values()
    assert [one["metadata"].get("annotations") for one in found] == [{"helm.sh/resource-policy": "keep"} if keep else None] * 5
    assert [one["spec"] for one in found] == [one["spec"] for one in of_kind("CustomResourceDefinition", rendered()).values()]


def test_without_the_rest_api_nobody_has_its_rights() -> None:
    """It could make credentials for every agent, so who does not need it has neither its pods nor its roles."""
    without = rendered("--set=managementApi.enabled=false")
    assert [one["metadata"]["name"] for one in without if "management" in yaml.safe_dump(one["metadata"])] == []
    subjects = [
        who["name"]
        for kind in ("ClusterRoleBinding", "RoleBinding")
        for one in of_kind(kind, without).values()
        for who in one["subjects"]
    ]
    assert set(subjects) == {"agentidp-operator", "agentidp-token-service"}


def programs(manifests: list[Manifest]) -> list[Manifest]:
    """The containers of the programs."""
    return [one for pod in pods(manifests).values() for one in pod["containers"] if one["command"][0] in SETTINGS]


def environment(container: Manifest) -> dict[str, str]:
    """The program's own variables."""
    return {one["name"]: one["value"] for one in container["env"] if one["name"].startswith(PREFIX)}


def issuer(values: str) -> str:
    """What all programs are told, which is the same."""
    containers = programs(rendered(*VALUE_FILES[values]))
    (one,) = {environment(container)[f"{PREFIX}ISSUER"] for container in containers}
    return one


def test_programs_share_what_they_must() -> None:
    """The signing keys' Secret and the issuer are told to all programs alike."""
    common = [{PREFIX + field.upper() for field in CommonSettings.__struct_fields__}] * len(SETTINGS)
    told = [environment(container) for container in programs(rendered("--set=signingKeys.secretName=keys"))]
    first, *others = [{name: one[name] for name in names} for one, names in zip(told, common, strict=True)]
    assert first[f"{PREFIX}SIGNING_KEYS_SECRET"] == "keys"
    assert all(one == first for one in others)


def test_who_must_reach_the_token_service_may_also_where_agents_are_named() -> None:
    """The other programs, and the pod of `helm test`, are not forgotten when the network is narrowed."""
    policy = of_kind("NetworkPolicy", rendered(*VALUE_FILES["gateway-values"]))["agentidp-token-service"]
    peers = [one["podSelector"]["matchLabels"] for one in policy["spec"]["ingress"][0]["from"] if "podSelector" in one]
    assert {peer["app.kubernetes.io/component"] for peer in peers} == {"operator", "management-api", "test"}


def test_metrics_are_for_whoever_may_scrape_alone(manifests: list[Manifest]) -> None:
    """They have a port of their own, and no Service that can lead out of the cluster leads there, nor does a route."""
    policies = of_kind("NetworkPolicy", manifests)
    for name, port in SCRAPED.items():
        if name not in of_kind("Deployment", manifests):
            continue
        (container,) = pods(manifests)[name]["containers"]
        where = {one["name"]: one["containerPort"] for one in container["ports"]}[port]
        listens = environment(container).get(f"{PREFIX}METRICS_LISTEN") or environment(container)[f"{PREFIX}PROBE_LISTEN"]
        assert listens.rpartition(":")[2] == str(where)
        leading = [one["spec"] for one in of_kind("Service", manifests).values() if port in targets(one, name)]
        assert [one.get("clusterIP") for one in leading] == ["None"]
        assert [[each["targetPort"] for each in one["ports"]] for one in leading] == [[port]]
        for rule in policies[name]["spec"]["ingress"] or []:
            scraped = [each["port"] for each in rule["ports"]]
            assert port not in scraped or (scraped == [port] and rule["from"])


def test_nobody_may_scrape_by_default_but_who_is_in_a_namespace_called_monitoring() -> None:
    """By why how many secrets are refused, any pod could tell what the token service's answers do not."""
    policies = of_kind("NetworkPolicy", rendered())
    monitoring = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    for name, port in SCRAPED.items():
        (rule,) = [one for one in policies[name]["spec"]["ingress"] if one["ports"][0]["port"] == port]
        assert rule["from"] == monitoring


def test_where_nobody_is_said_to_scrape_nobody_may() -> None:
    """An empty list of peers would mean everybody."""
    for policy in of_kind("NetworkPolicy", rendered("--set-json=networkPolicies.metricsFrom=[]")).values():
        assert not [one for one in policy["spec"].get("ingress") or [] if one["ports"][0]["port"] in SCRAPED.values()]
        assert "Ingress" in policy["spec"]["policyTypes"]


def test_prometheus_is_led_to_the_metrics(manifests: list[Manifest]) -> None:
    """Each monitor finds one Service, which has the port that it names, and Prometheus asks each pod behind it."""
    services = [one for one in of_kind("Service", manifests).values() if one["spec"]["selector"]]
    for name, monitor in of_kind("ServiceMonitor", manifests).items():
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        (service,) = [one for one in services if wanted <= one["metadata"]["labels"].items()]
        (endpoint,) = monitor["spec"]["endpoints"]
        (port,) = [one for one in service["spec"]["ports"] if one["name"] == endpoint["port"]]
        assert port["targetPort"] == SCRAPED[name]
        assert service["spec"]["selector"] == of_kind("Deployment", manifests)[name]["spec"]["selector"]["matchLabels"]


def targets(service: Manifest, program: str) -> list[str]:
    """The ports of this program's pods that a Service leads to."""
    is_of = service["spec"]["selector"]["app.kubernetes.io/component"] == program.removeprefix("agentidp-")
    return [one["targetPort"] for one in service["spec"]["ports"]] if is_of else []


SPARSE = (
    "apiServer.to[0].ipBlock.cidr=10.0.0.1/32",
    "dnsTo[0].ipBlock.cidr=10.0.0.2/32",
    "tracesTo[0].ipBlock.cidr=10.0.0.3/32",
)


def test_what_a_program_may_reach_can_be_narrowed_to_addresses() -> None:
    """By default the API server, name servers and the collector of traces may be anywhere: nobody knows where they are."""
    told = [f"--set={program}.settings.tracesCollector=http://traces.example" for program in ("tokenService", "managementApi")]
    for options, narrowed in (((), False), (SPARSE, True)):
        policies = of_kind("NetworkPolicy", rendered(*told, *(f"--set=networkPolicies.{one}" for one in options)))
        for name in SCRAPED:
            rules = policies[name]["spec"]["egress"]
            anywhere = [rule for rule in rules if not rule.get("to")]
            assert bool(anywhere) != narrowed, name
            assert all("ports" in rule for rule in rules)


@pytest.mark.parametrize(("url", "port"), [("http://collector.traces:4318", 4318), ("https://traces.example", 443)])
def test_the_collector_of_traces_is_within_reach(url: str, port: int) -> None:
    """Of the programs that send them, and only where there is one."""
    told = [f"--set={program}.settings.tracesCollector={url}" for program in ("tokenService", "managementApi")]
    traced, untraced = (of_kind("NetworkPolicy", rendered("--set=managementApi.enabled=true", *flags)) for flags in (told, []))
    for program in ("agentidp-token-service", "agentidp-management-api"):
        more = [rule for rule in traced[program]["spec"]["egress"] if rule not in untraced[program]["spec"]["egress"]]
        assert more == [{"ports": [{"port": port, "protocol": "TCP"}]}]
