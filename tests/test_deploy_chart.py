"""The Helm chart renders, with any of its switches turned, to objects that Kubernetes takes, and refuses mistakes."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import gotpl
import gotpl.exts.helm as helm
import jsonschema
import kubernetes_validate
import pytest
import yaml

from understudy.settings import PREFIX, Settings

CHART = Path(__file__).parent.parent / "deploy" / "helm" / "understudy"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Strange keys are found by the schemas of one version; the older one is the oldest that the chart says it runs on.
KUBERNETES = ("1.27", "1.31")
SETTINGS = {PREFIX + each.name.upper() for each in fields(Settings)}
SECRETS = {"database": "postgresql://u:p@h:5432/d", "secret": "s" * 40, "firstApiKey": "k" * 24}
GIVEN = {"secrets": SECRETS}
RAY = {"executor": "ray", "ray": {"address": "head:6379", "numGpus": 0.5, "resources": "render_node=1"}}
PLACED = {
    "nodeSelector": {"gpu": "yes"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "podAnnotations": {"a": "b"},
}
EVERYTHING: dict[str, Any] = {
    "secrets": SECRETS | {"s3AccessKey": "a", "s3SecretKey": "b"},
    "settings": {"record_retention_s": "60", "refuse_faces": "true"},
    "imagePullSecrets": [{"name": "mine"}],
    "blobs": {"endpointUrl": "http://objects:8333"},
    "api": {"publicUrl": "https://video.example", "autoscaling": {"enabled": True}} | PLACED,
    "worker": RAY | PLACED | {"models": {"claimName": "models", "mountPath": "/models"}, "replicas": 0},
    "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
    "ingress": {"enabled": True, "host": "video.example", "className": "nginx", "tlsSecret": "tls"},
    "serviceAccount": {"annotations": {"role": "films"}},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "as it comes": GIVEN,
    "everything": EVERYTHING,
    "renders on ray": GIVEN | {"worker": RAY},
    "a secret of yours": {"secrets": {"existingSecret": "mine"}, "serviceAccount": {"name": "mine"}},
    "no disruption budget": GIVEN | {"api": {"podDisruptionBudget": {"enabled": False}}},
}


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    out = copy.deepcopy(dict(base))
    for name, value in more.items():
        out[name] = merged(out[name], value) if isinstance(value, dict) and isinstance(out.get(name), dict) else value
    return out


def values_of(given: Mapping[str, Any]) -> dict[str, Any]:
    values = merged(yaml.safe_load((CHART / "values.yaml").read_text()), given)
    jsonschema.validate(values, SCHEMA)
    return values


def rendered(given: Mapping[str, Any], release: str = "understudy") -> list[dict[str, Any]]:
    """Return the objects of the chart, as `helm template` would print them."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    context = {
        "Values": values_of(given),
        "Chart": {name[0].upper() + name[1:]: value for name, value in chart.items()},
        "Release": {"Name": release, "Namespace": "films", "Service": "Helm", "IsInstall": True, "Revision": 1},
    }
    sources = {path.name: path.read_text() for path in sorted((CHART / "templates").iterdir())}
    shown = helm.HelmTemplateEngine(sources, strict=True).render(
        {name: context for name in sources if not name.endswith(".tpl")}
    )
    assert shown.pop("NOTES.txt").startswith("Understudy answers")
    return [thing for text in shown.values() for thing in yaml.safe_load_all(text) if thing]


def the(kind: str, things: list[dict[str, Any]], ending: str = "") -> dict[str, Any]:
    (found,) = [each for each in things if each["kind"] == kind and each["metadata"]["name"].endswith(ending)]
    return found


def container(things: list[dict[str, Any]], component: str) -> dict[str, Any]:
    (only,) = the("Deployment", things, component)["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def environment(things: list[dict[str, Any]], component: str) -> dict[str, Any]:
    given = container(things, component)["env"]
    assert len({each["name"] for each in given}) == len(given), "a variable is given twice"
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in given}


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_chart_renders_to_objects_that_kubernetes_takes(name: str, version: str):
    things = rendered(VARIANTS[name])
    assert {"Deployment", "Service"} <= {each["kind"] for each in things}
    for thing in things:
        kubernetes_validate.validate(thing, version, strict=True)


def test_everything_that_can_be_switched_on_is_there():
    assert {each["kind"] for each in rendered(EVERYTHING)} == {
        *("Deployment", "Service", "Secret", "ServiceAccount", "PodDisruptionBudget", "HorizontalPodAutoscaler"),
        "Ingress",
    }


@pytest.mark.parametrize("name", VARIANTS)
def test_containers_are_given_settings_that_there_are(name: str):
    for component in ("api", "worker"):
        for variable in environment(rendered(VARIANTS[name]), component):
            assert variable in SETTINGS or variable.startswith("AWS_")


def test_servers_render_nothing_and_know_what_the_workers_do():
    things = rendered(GIVEN)
    api, worker = environment(things, "api"), environment(things, "worker")
    assert (api["UNDERSTUDY_SLOTS"], worker["UNDERSTUDY_SLOTS"]) == ("0", "1")
    for name in ("UNDERSTUDY_ENGINE", "UNDERSTUDY_DATABASE", "UNDERSTUDY_BLOBS", "UNDERSTUDY_SECRET"):
        assert api[name] == worker[name]


def test_every_secret_that_is_asked_for_is_in_the_secret():
    for name in ("as it comes", "everything"):
        things = rendered(VARIANTS[name])
        secret = the("Secret", things)
        for component in ("api", "worker"):
            for value in environment(things, component).values():
                if isinstance(value, dict):
                    reference = value["secretKeyRef"]
                    assert reference["name"] == secret["metadata"]["name"]
                    assert reference.get("optional") or reference["key"] in secret["stringData"]
    assert "Secret" not in {each["kind"] for each in rendered(VARIANTS["a secret of yours"])}


def test_nothing_secret_is_outside_the_secret():
    things = rendered(EVERYTHING)
    outside = json.dumps([each for each in things if each["kind"] != "Secret"])
    assert not [value for value in SECRETS.values() if value in outside]


@pytest.mark.parametrize("name", VARIANTS)
def test_selectors_find_their_own_pods_and_no_others(name: str):
    things = rendered(VARIANTS[name])
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"].items()
        for each in things
        if each["kind"] == "Deployment"
    }
    for deployment in (each for each in things if each["kind"] == "Deployment"):
        wanted = deployment["spec"]["selector"]["matchLabels"].items()
        assert [pod for pod, labels in pods.items() if wanted <= labels] == [deployment["metadata"]["name"]]
    wanted = the("Service", things)["spec"]["selector"].items()
    assert [pod for pod, labels in pods.items() if wanted <= labels] == ["understudy-api"]


def test_a_pod_has_longer_to_end_than_its_drain_and_the_pause_before_it():
    things = rendered(GIVEN)
    for component in ("api", "worker"):
        pod = the("Deployment", things, component)["spec"]["template"]["spec"]
        drain_s = int(environment(things, component)["UNDERSTUDY_DRAIN_S"])
        pause = container(things, component).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        pause_s = int(pause[1]) if pause else 0
        assert pod["terminationGracePeriodSeconds"] >= drain_s + pause_s + 10


def test_a_new_server_is_ready_before_an_old_one_goes():
    rollout = the("Deployment", rendered(GIVEN), "api")["spec"]["strategy"]["rollingUpdate"]
    assert (rollout["maxUnavailable"], rollout["maxSurge"]) == (0, 1)
    assert container(rendered(GIVEN), "api")["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_worker_on_ray_joins_the_cluster_without_room_for_renders():
    things = rendered(VARIANTS["renders on ray"])
    command = container(things, "worker")["args"][0]
    assert re.search(r"ray start .*--num-cpus=0 --num-gpus=0 --object-store-memory=100000000 .*&& exec", command)
    given = environment(things, "worker")
    assert (given["UNDERSTUDY_RAY_ADDRESS"], given["UNDERSTUDY_RAY_NUM_GPUS"]) == ("head:6379", "0.5")
    assert given["UNDERSTUDY_RAY_RESOURCES"] == "render_node=1"


def test_every_volume_that_is_mounted_is_there():
    for given in VARIANTS.values():
        things = rendered(given)
        for component in ("api", "worker"):
            pod = the("Deployment", things, component)["spec"]["template"]["spec"]
            mounted = {each["name"] for each in container(things, component)["volumeMounts"]}
            assert mounted == {each["name"] for each in pod["volumes"]}


def test_names_go_with_the_release():
    assert {each["metadata"]["name"] for each in rendered(GIVEN, release="films")} == {
        *("films-understudy", "films-understudy-api", "films-understudy-worker")
    }


@pytest.mark.parametrize(
    "mistake",
    [
        {"secrets": {"secret": "short"}},
        {"secrets": {"database": "mysql://h/d"}},
        {"worker": {"executor": "ray"}},
        {"worker": {"executor": "slurm"}},
        {"worker": {"slots": 0}},
        {"worker": {"models": {"claimName": "models"}}},
        {"api": {"replica": 3}},
        {"api": {"scratchSize": "10"}},
        {"blobs": {"url": "ftp://films"}},
        {"settings": {"record_retention_s": 60}},
        {"settings": {"Record": "60"}},
        {"unknown": 1},
    ],
    ids=json.dumps,
)
def test_values_that_cannot_be_meant_are_refused(mistake: dict[str, Any]):
    with pytest.raises(jsonschema.ValidationError):
        values_of(merged(GIVEN, mistake))


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_lacks_is_asked_for(name: str):
    with pytest.raises(gotpl.TemplateExecutionError, match=f"secrets.{name} is needed"):
        rendered({"secrets": SECRETS | {name: ""}})


# Handed on as they are.
WHOLE = {"annotations", "resources", "podAnnotations", "settings"}
PLACEMENT = {"nodeSelector", "tolerations", "affinity"}


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and name not in WHOLE | PLACEMENT:
            yield from leaves(value, f"{path}.{name}")
        else:
            yield f"{path}.{name}"


def test_every_value_is_used():
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    for leaf in leaves(yaml.safe_load((CHART / "values.yaml").read_text())):
        name = leaf.rpartition(".")[2]
        assert f"with .{name} " in templates if name in PLACEMENT else f".Values{leaf}" in templates, leaf
