"""The files of deploy/: they say what they mean to Compose and Kubernetes, and every setting in them is one."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from understudy.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.31"
SETTINGS = {PREFIX + each.name.upper() for each in fields(Settings)}
# Read by the object stores' own clients, and by Ray.
OTHERS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "RAY_USAGE_STATS_ENABLED",
}
COMPOSE_FILE = DEPLOY / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# Of https://github.com/compose-spec/compose-spec, those that are used here; a misspelt one is refused by Compose.
SERVICE_KEYS = {
    *("build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "ports", "restart"),
    *("security_opt", "shm_size", "stop_grace_period", "stop_signal", "volumes"),
}
HEALTH_KEYS = {"test", "interval", "timeout", "retries", "start_period", "disable"}
RAY_GROUP_KEYS = {
    *("groupName", "replicas", "minReplicas", "maxReplicas", "idleTimeoutSeconds", "numOfHosts", "rayStartParams"),
    *("resources", "labels", "scaleStrategy", "suspend", "template"),
}
RAY_CLUSTER: dict[str, Any] = yaml.safe_load((DEPLOY / "kuberay" / "raycluster.yaml").read_text())


def named_settings(text: str) -> set[str]:
    return set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", text))


FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file() and path.suffix != ".txt"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_setting_that_is_named_is_one(path: Path):
    # In the chart's own template a name is put together from the values, which the chart's tests look at.
    assert named_settings(path.read_text().replace(f"{PREFIX}{{{{", "")) <= SETTINGS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_images_are_named_as_everybody_may_mirror_them(path: Path):
    for image in re.findall(r"^\s*image:\s*(\S+)", path.read_text(), re.MULTILINE):
        host = image.split("/")[0] if "/" in image else ""
        assert "." not in host
        assert ":" not in host


def test_compose_services_have_keys_that_compose_knows():
    assert set(COMPOSE) - {key for key in COMPOSE if key.startswith("x-")} == {"name", "services", "volumes"}
    for service in SERVICES.values():
        assert set(service) <= SERVICE_KEYS
        assert set(service.get("healthcheck", {})) <= HEALTH_KEYS


def test_compose_services_depend_on_others_that_say_when_they_are_healthy():
    own_check = {"api-1", "api-2"}  # the image's
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert name in own_check or "test" in SERVICES[name]["healthcheck"]


def test_compose_volumes_are_declared_and_its_files_are_there():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file()
    build = SERVICES["worker"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    assert f"AS {build['target']}" in (ROOT / build["dockerfile"]).read_text()


def test_every_variable_of_the_compose_file_is_in_the_template_of_its_secrets():
    used = dict(re.findall(r"\$\{([A-Z0-9_]+)(:[?-])?", COMPOSE_FILE.read_text()))
    template = (DEPLOY / "understudy.env.example").read_text()
    offered = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", template, re.MULTILINE))
    assert used.keys() == offered.keys()
    # What is secret has no value that somebody could forget to change, and is asked for where it lacks.
    assert {name for name, sign in used.items() if sign == ":?"} == {n for n, value in offered.items() if not value}


def test_servers_render_nothing_and_workers_do_on_the_same_database_and_store():
    api, worker = SERVICES["api-1"]["environment"], SERVICES["worker"]["environment"]
    assert api["UNDERSTUDY_SLOTS"] == "0"
    assert worker["UNDERSTUDY_SLOTS"] == "${WORKER_SLOTS:-1}"
    for name in ("UNDERSTUDY_DATABASE", "UNDERSTUDY_BLOBS", "UNDERSTUDY_SECRET", "AWS_ENDPOINT_URL"):
        assert api[name] == worker[name] == SERVICES["api-2"]["environment"][name]
    assert set(api) | set(worker) <= SETTINGS | OTHERS


def test_a_stopped_container_has_longer_than_its_drain():
    for name in ("api-1", "api-2", "worker"):
        drain_s = int(SERVICES[name]["environment"]["UNDERSTUDY_DRAIN_S"])
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= drain_s + 10


def test_the_proxy_passes_events_and_bodies_unbuffered_to_every_server():
    proxy = (DEPLOY / "nginx" / "understudy.conf").read_text()
    directives = dict(re.findall(r"^\s*([a-z_]+)\s+([^;{]+);", proxy, re.MULTILINE))
    assert directives["proxy_buffering"] == directives["proxy_request_buffering"] == directives["gzip"] == "off"
    assert directives["client_max_body_size"] == "0"
    assert "non_idempotent" not in directives["proxy_next_upstream"]
    servers = set(re.findall(r"^\s*server\s+([a-z0-9-]+):8484 resolve", proxy, re.MULTILINE))
    assert servers == {name for name in SERVICES if name.startswith("api-")}
    assert proxy.count("{") == proxy.count("}")


def test_the_image_is_built_of_pins_with_hashes_that_agree_with_the_tests():
    def pins(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", path.read_text(), re.MULTILINE))

    image, tested = pins(DEPLOY / "requirements.txt"), pins(ROOT / "requirements" / "full.txt")
    assert {"asyncpg", "obstore", "ray", "uvicorn"} <= image.keys()
    assert {name: tested[name] for name in image if name in tested} == {n: v for n, v in image.items() if n in tested}
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    installs = re.findall(r"pip install [^&\n]*-r (\S+)", dockerfile)
    assert {Path(each).name for each in installs} == {"build.txt", "requirements.txt", "torch.txt", "diffusion.txt"}
    assert dockerfile.count("--require-hashes") == len(installs) - 1  # which torch fits is a matter of the machine
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        assert all((ROOT / path).exists() for path in source.split())


def test_the_image_is_given_all_that_it_copies_and_runs_as_nobody():
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    allowed = set(re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    copied = {
        path for each in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for path in each.split()
    }
    assert copied == allowed
    users = re.findall(r"^(?:FROM \S+|USER (\S+))", dockerfile, re.MULTILINE)
    assert [user for user in users if user][-1] == "10001:10001"
    assert "HEALTHCHECK" in dockerfile


def pod_of(group: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": group["template"]["spec"]}


def test_the_ray_cluster_has_the_shape_that_its_operator_takes():
    assert (RAY_CLUSTER["apiVersion"], RAY_CLUSTER["kind"]) == ("ray.io/v1", "RayCluster")
    spec = RAY_CLUSTER["spec"]
    assert set(spec) == {
        *("rayVersion", "enableInTreeAutoscaling", "autoscalerOptions", "headGroupSpec", "workerGroupSpecs")
    }
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        assert set(group) <= RAY_GROUP_KEYS
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        kubernetes_validate.validate(pod_of(group), KUBERNETES, strict=True)
    for group in spec["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_the_ray_cluster_runs_the_versions_that_were_tested():
    pins = dict(re.findall(r"^(ray)(?:\[\w+\])?==(\S+)", (DEPLOY / "requirements.txt").read_text(), re.MULTILINE))
    assert RAY_CLUSTER["spec"]["rayVersion"] == pins["ray"]


def test_a_strange_key_of_a_pod_is_found():
    group = RAY_CLUSTER["spec"]["workerGroupSpecs"][0]
    pod = pod_of(group)
    pod["spec"] = pod["spec"] | {"terminationGraceSeconds": 60}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


@pytest.mark.full
def test_the_ray_nodes_are_started_with_flags_that_ray_has():
    from ray.scripts.scripts import start

    flags = {option.removeprefix("--") for parameter in start.params for option in parameter.opts}
    spec = RAY_CLUSTER["spec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        assert set(group["rayStartParams"]) <= flags
