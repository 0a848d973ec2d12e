"""The Kubernetes manifests as Kustomize builds them, against the schemas of the API and for what they promise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.real_nginx import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
BUILDS = ("base", "overlays/small", "overlays/large")
PART = "app.kubernetes.io/name"
each_build = pytest.mark.parametrize("build", BUILDS)
each_overlay = pytest.mark.parametrize("build", BUILDS[1:])
Record = dict[str, Any]


def documents(text: str) -> list[Record]:
    return [one for one in yaml.safe_load_all(text) if one]


@lru_cache(None)
def built(build: str) -> list[Record]:
    """What Kustomize makes of a folder."""
    program = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([str(program), "kustomize", str(KUBERNETES / build)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return documents(done.stdout)


def of_kind(build: str, *kinds: str) -> dict[str, Record]:
    return {one["metadata"]["name"]: one for one in built(build) if one["kind"] in kinds}


def pods(build: str) -> dict[str, Record]:
    """The templates of all pods, by the name of what makes them."""
    makers = of_kind(build, "Deployment", "StatefulSet", "Job")
    return {name: one["spec"]["template"] for name, one in makers.items()}


def containers(build: str) -> Iterator[tuple[str, Record]]:
    for name, template in pods(build).items():
        for container in (*template["spec"]["containers"], *template["spec"].get("initContainers", ())):
            yield name, container


def picks(selector: Record, labels: Record) -> bool:
    fits = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return fits and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"]
        for rule in selector.get("matchExpressions", ())
    )


def picked(build: str, selector: Record) -> set[str]:
    return {name for name, template in pods(build).items() if picks(selector, template["metadata"]["labels"])}


@each_build
def test_it_is_what_the_api_takes(build: str) -> None:
    assert len(built(build)) > 20
    for one in built(build):
        kubernetes_validate.validate(one, "1.28", strict=True)


@pytest.mark.parametrize("folder", [p.parent for p in KUBERNETES.glob("**/kustomization.yaml")], ids=lambda p: p.name)
def test_every_file_is_used_by_a_build(folder: Path) -> None:
    text = (folder / "kustomization.yaml").read_text("utf8")
    for file in folder.glob("*.yaml"):
        assert file.name == "kustomization.yaml" or re.search(rf"^ *- (path: )?{file.name}$", text, re.MULTILINE)


@each_overlay
def test_every_patch_has_something_to_change(build: str) -> None:
    """Kustomize says nothing when a patch fits nothing."""
    (kustomization,) = documents((KUBERNETES / build / "kustomization.yaml").read_text("utf8"))
    targets = [patch["target"] for patch in kustomization["patches"] if "target" in patch]
    assert targets
    for target in targets:
        assert target["name"] in of_kind(build, target["kind"])


def test_slack_and_telegram_can_be_added(tmp_path: Path) -> None:
    """As the comment in the overlays says."""
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    for name in ("small", "large"):
        file = tmp_path / "kubernetes" / "overlays" / name / "kustomization.yaml"
        text = file.read_text("utf8")
        assert "# - ../../components/slack-telegram" in text
        file.write_text(text.replace("# - ../../components", "- ../../components"), "utf8")
        program = Path(sys.executable).parent / "kubectl"
        done = subprocess.run([str(program), "kustomize", str(file.parent)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (assistant,) = (
            one for one in documents(done.stdout)
            if one["kind"] == "Deployment" and one["metadata"]["name"] == "assistant"
        )  # fmt: skip
        kubernetes_validate.validate(assistant, "1.28", strict=True)
        names = [entry["name"] for entry in assistant["spec"]["template"]["spec"]["containers"][0]["env"]]
        assert {"SLACK_BOT_TOKEN", "TELEGRAM_BOT_TOKEN", "PGPASSWORD", "CONVERSATIONS_URL"} <= set(names)


# --- rights ---


@each_build
def test_pods_have_no_rights_they_do_not_need(build: str) -> None:
    """As the namespace's own rule ("restricted") wants it, and a read-only root besides."""
    for name, template in pods(build).items():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert all("hostPath" not in volume for volume in spec.get("volumes", ())), name
    for name, container in containers(build):
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False, name
        assert rights["readOnlyRootFilesystem"] is True, name
        assert rights["capabilities"] == {"drop": ["ALL"]}, name
    (namespace,) = of_kind(build, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@each_build
def test_our_images_run_as_the_user_they_were_built_for(build: str) -> None:
    dockerfile = (ROOT / "deploy" / "container" / "Dockerfile").read_text("utf8")
    users = dict(re.findall(r"^FROM \S+ AS (web|assistant)\n.*?^USER (\d+)", dockerfile, re.M | re.S))
    for name, stage in (("nginx", "web"), ("assistant", "assistant"), ("actions", "assistant")):
        assert pods(build)[name]["spec"]["securityContext"]["runAsUser"] == int(users[stage]), name


@each_build
def test_containers_have_resources_and_can_be_asked_how_they_are(build: str) -> None:
    jobs = of_kind(build, "Job")
    for name, container in containers(build):
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name
        if name not in jobs:
            assert "livenessProbe" in container, name
            assert "readinessProbe" in container, name
        if name in ("assistant", "actions"):
            ready, live = ("/health/ready", "/health/live") if name == "assistant" else ("/health", "/health")
            assert container["startupProbe"]["httpGet"]["path"] == live
            assert container["readinessProbe"]["httpGet"]["path"] == ready
        ports = {port["name"] for port in container.get("ports", ())}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container.get(probe, {}).get("httpGet")
            assert not asked or asked["port"] in ports, (name, probe)


@each_overlay
def test_images_have_versions_and_a_registry_of_your_own(build: str) -> None:
    for name, container in containers(build):
        assert re.search(r":v?\d+\.\d+[\w.-]*$|:\d+-\w+$", container["image"]), (name, container["image"])
        if container["image"].split(":")[0].endswith(("ms-als-answers", "ms-als-answers-web")):
            assert container["image"].startswith("registry.example.org/")


# --- what belongs together ---


@each_build
def test_selectors_find_exactly_one(build: str) -> None:
    for name, one in of_kind(build, "Deployment", "StatefulSet").items():
        assert picked(build, one["spec"]["selector"]) == {name}
    for one in of_kind(build, "Service").values():
        (target,) = picked(build, {"matchLabels": one["spec"]["selector"]})
        ports = {p["name"]: p for c in pods(build)[target]["spec"]["containers"] for p in c["ports"]}
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= set(ports)
    for one in built(build):
        if one["kind"] == "PodDisruptionBudget":
            assert len(picked(build, one["spec"]["selector"])) == 1
        if one["kind"] == "HorizontalPodAutoscaler":
            target = one["spec"]["scaleTargetRef"]
            deployment = of_kind(build, target["kind"])[target["name"]]
            # A number here would be set back at every apply.
            assert "replicas" not in deployment["spec"]
            assert "cpu" in deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
            assert 2 <= one["spec"]["minReplicas"] <= one["spec"]["maxReplicas"]
        if one["kind"] == "Ingress":
            for rule in one["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    service = of_kind(build, "Service")[path["backend"]["service"]["name"]]
                    assert service["metadata"]["name"] == "nginx"  # the only way in
                    assert path["backend"]["service"]["port"]["name"] in {p["name"] for p in service["spec"]["ports"]}


@each_build
def test_settings_and_secrets_that_are_read_exist(build: str) -> None:
    maps = of_kind(build, "ConfigMap")
    (example,) = documents((KUBERNETES / "secret.example.yaml").read_text("utf8"))
    assert set(example["stringData"].values()) == {""}
    assert not of_kind(build, "Secret")
    for name, container in containers(build):
        for source in container.get("envFrom", ()):
            assert source["configMapRef"]["name"] in maps, name
        for entry in container.get("env", ()):
            taken = entry.get("valueFrom", {})
            if "configMapKeyRef" in taken:
                assert taken["configMapKeyRef"]["key"] in maps[taken["configMapKeyRef"]["name"]]["data"], entry
            if "secretKeyRef" in taken:
                assert taken["secretKeyRef"]["name"] == example["metadata"]["name"], entry
                assert taken["secretKeyRef"]["key"] in example["stringData"], entry
        # $(NAME) only stands for what was named before.
        known: set[str] = set()
        for entry in container.get("env", ()):
            assert set(re.findall(r"\$\((\w+)\)", str(entry.get("value", "")))) <= known, entry
            known.add(entry["name"])


@each_build
def test_no_password_stands_in_an_address(build: str) -> None:
    for one in of_kind(build, "ConfigMap").values():
        for value in one["data"].values():
            assert not re.search(r"//[^/@\s]*:[^/@\s]+@", value), value


@each_build
def test_nginx_gets_variables_that_its_template_has(build: str) -> None:
    template = (ROOT / "deploy" / "nginx" / "nginx.conf.template").read_text("utf8")
    used = set(re.findall(r"\$\{([A-Z_]+)\}", template))
    (settings,) = (one for name, one in of_kind(build, "ConfigMap").items() if name.startswith("nginx"))
    (container,) = pods(build)["nginx"]["spec"]["containers"]
    assert set(settings["data"]) <= used
    assert {entry["name"] for entry in container["env"]} - {"POD_NAMESPACE"} <= used


# --- who may talk to whom ---


def allowed(build: str, side: str) -> set[tuple[str, str, int]]:
    """(from, to, port) between pods, as the policies of one side allow it."""
    other = {"ingress": "from", "egress": "to"}[side]
    found = set()
    for policy in of_kind(build, "NetworkPolicy").values():
        for rule in policy["spec"].get(side, ()):
            for peer in rule.get(other, ()):
                for here in picked(build, policy["spec"]["podSelector"]):
                    for there in picked(build, peer["podSelector"]) if "podSelector" in peer else ():
                        for port in rule["ports"]:
                            pair = (there, here) if side == "ingress" else (here, there)
                            found.add((*pair, port["port"]))
    return found


@each_build
def test_only_what_is_needed_may_talk(build: str) -> None:
    nothing = of_kind(build, "NetworkPolicy")["nothing"]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    needed = {("nginx", "assistant", 5005), ("assistant", "actions", 5055), ("assistant", "redis", 6379)}
    if build.endswith("small"):
        needed.add(("assistant", "postgres", 5432))
    assert allowed(build, "ingress") == needed
    assert allowed(build, "egress") == needed
    for name, policy in of_kind(build, "NetworkPolicy").items():
        for rule in policy["spec"].get("ingress", ()):
            assert rule.get("from") or (name == "nginx" and build == "base"), "without an ingress"


@each_overlay
def test_only_the_ingress_controller_reaches_nginx_and_nobody_is_trusted_by_default(build: str) -> None:
    (rule,) = of_kind(build, "NetworkPolicy")["nginx"]["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert peer["podSelector"]["matchLabels"]
    (settings,) = (one for name, one in of_kind(build, "ConfigMap").items() if name.startswith("nginx"))
    assert settings["data"]["NGINX_REAL_IP"] == ""


@each_build
def test_metrics_are_open_to_monitoring_alone(build: str) -> None:
    for name, port in (("assistant", 5005), ("actions", 5055)):
        template = pods(build)[name]
        assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port)
        rules = of_kind(build, "NetworkPolicy")[name]["spec"]["ingress"]
        spaces = [peer["namespaceSelector"]["matchLabels"] for rule in rules for peer in rule["from"] if len(peer) == 1
                  and "namespaceSelector" in peer]  # fmt: skip
        assert spaces == [{"kubernetes.io/metadata.name": "monitoring"}]


# --- the same as Compose ---


def test_containers_start_the_same_in_compose_and_in_kubernetes() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text("utf8"))["services"]
    for name, container in containers("overlays/small"):
        service = services[name]
        if name == "redis":
            line = container["command"][2].replace("$MAXMEMORY", "256mb").replace('"256mb"', "256mb")
            assert service["command"][2].replace("$$", "$") == line
        else:
            assert container.get("command") == service.get("command"), name
        if name in ("redis", "postgres"):
            assert container["image"] == service["image"]
