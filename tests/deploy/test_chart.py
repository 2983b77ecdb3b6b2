"""The chart, rendered by Helm's own code and judged by Kubernetes' schemas; no cluster is asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy import policies
from deploy.env import ROOT, Env
from deploy.stack.compartments import COMPARTMENTS
from privacy.checks import HELD
from tests.deploy import tooling

CHART = ROOT / "deploy" / "helm" / "sitter"
VERSIONS = ("1.34",)
ONE_ROLE = "Fleet seeds and the portrait root may not be in one role"
HOSTED = {"ingress": {"hosts": ["sitter.example.org"]}}


def of(role: str, **given: Any) -> dict[str, Any]:
    return {"roles": {role: given}}


SAME = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/one"}
# Values → what is said about them.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "fleet seeds for the web": (of("web", keys={"fleet": True}), ONE_ROLE),
    "the root for the gpu worker": (of("gpu", keys={"root": True}), ONE_ROLE),
    "the root for the intake": (of("intake", keys={"root": True}), ONE_ROLE),
    "fleet seeds for the keeper": (of("keeper", keys={"fleet": True}), ONE_ROLE),
    "evidence for the intake": (of("intake", keys={"evidence": True}), "may not be given evidence"),
    "a key for beat": (of("beat", keys={"receipt": True}), "may not be given receipt"),
    "keys by a setting": (of("web", env={"SITTER_FLEET_KEYS": "x"}), "SITTER_FLEET_KEYS"),
    "a secret in clear": ({"settings": {"SITTER_SECRET_KEY": "x"}}, "SITTER_SECRET_KEY"),
    "a password in clear": (of("gpu", env={"SITTER_DATABASE_URL": "x"}), "SITTER_DATABASE_URL"),
    "another role": (of("gpu", env={"SITTER_ROLE": "web"}), "SITTER_ROLE"),
    "a shared Secret": (of("upkeep", secret="sitter-web"), "share the Secret sitter-web"),
    "a shared identity": (
        {"roles": {"web": {"annotations": SAME}, "gpu": {"annotations": SAME}}},
        "share one identity",
    ),
    "keys in a folder": ({"keys": {"root": "/keys/root"}}, "/keys/root"),
    "a tag that moves": ({"image": {"tag": "latest"}}, "/image/tag"),
    "any host": ({"web": {"hosts": ["*"]}}, "/web/hosts"),
    "a destination without an address": ({"destinations": {"s3": {"to": []}}}, "/destinations/s3"),
    "a value that nobody reads": ({"replicaCount": 3}, "replicaCount"),
}


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    renders = {"default": {}, "hosted": HOSTED, "still": {"scaling": {"gpu": {"enabled": False}}}}
    return tooling.look(
        {
            "chart": str(CHART),
            "renders": {**renders, **{name: values for name, (values, _) in WRONG.items()}},
            "validate": [*renders],
            "versions": VERSIONS,
            "compose": {},
        }
    )


@pytest.fixture(scope="module")
def objects(seen: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seen["renders"]["hosted"]["objects"]
    return found


def kind(objects: list[dict[str, Any]], *names: str) -> dict[str, dict[str, Any]]:
    return {
        one["metadata"]["name"].removeprefix("sitter-"): one
        for one in objects
        if one["kind"] in names
    }


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for role, one in kind(objects, "Deployment", "Job").items():
        spec = one["spec"]["template"]["spec"]
        yield role, spec, spec["containers"][0]


def test_every_object_is_one_that_kubernetes_takes(seen: dict[str, Any]) -> None:
    assert seen["lint"] == []
    for judged in seen["judged"].values():
        unknown = {name for name, faults in judged if faults is None}
        assert [faults for _, faults in judged if faults] == []
        assert unknown <= {"ScaledObject"}
        assert len(judged) > 30


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_with_a_sentence(name: str, seen: dict[str, Any]) -> None:
    assert WRONG[name][1] in seen["renders"][name]["refused"]


def test_each_role_has_an_identity_a_secret_and_the_keys_of_its_compartment_alone(
    objects: list[dict[str, Any]],
) -> None:
    accounts, secrets = set(), set()
    for role, spec, container in pods(objects):
        env = {one["name"]: one["value"] for one in container["env"]}
        keys = {name.removeprefix("SITTER_") for name in env if name.endswith("_KEYS")}
        allowed = HELD.get(env["SITTER_ROLE"], set())
        assert keys == allowed, role
        assert role == env["SITTER_ROLE"]
        assert not any(
            "SECRET_KEY" in name or "_URL" in name for name in env if name != "SITTER_WEB_URL"
        )
        assert {name.removeprefix("SITTER_").lower() for name in env} <= set(Env.model_fields)
        accounts.add(spec["serviceAccountName"])
        secrets.add(spec["volumes"][0]["secret"]["secretName"])
    assert len(accounts) == len(secrets) == len(COMPARTMENTS)


def test_no_pod_is_root_writes_its_image_or_speaks_to_the_cluster(
    objects: list[dict[str, Any]],
) -> None:
    for role, spec, container in pods(objects):
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["runAsNonRoot"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert spec["automountServiceAccountToken"] is False
        profile = spec["securityContext"]["seccompProfile"]
        assert (profile["type"] == "Localhost") == (role == "intake")
        assert {"limits", "requests"} <= container["resources"].keys()


def test_workers_reach_four_destinations_and_the_courier_alone_the_internet(
    objects: list[dict[str, Any]],
) -> None:
    policies_ = kind(objects, "NetworkPolicy")
    assert policies_["nothing"]["spec"].keys() == {"podSelector", "policyTypes"}
    ways = {role: len(one["spec"].get("egress", [])) - 1 for role, one in policies_.items()}
    assert {role: ways[role] for role in ("intake", "gpu", "keeper")} == dict.fromkeys(
        ("intake", "gpu", "keeper"), 4
    )
    assert ways["beat"] == ways["flower"] == ways["migrator"] == 1
    wide = [role for role, one in policies_.items() if "0.0.0.0/0" in json.dumps(one)]
    assert wide == ["courier"]
    open_ = {role for role, one in policies_.items() if one["spec"].get("ingress")}
    assert open_ == {"web", "flower"}


def test_a_painter_is_given_longer_than_the_longest_portrait(
    objects: list[dict[str, Any]],
) -> None:
    spec = kind(objects, "Deployment")["gpu"]["spec"]
    pod = spec["template"]["spec"]
    env = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    longest, drain = (int(env[f"SITTER_{name}_SECONDS"]) for name in ("ITEM_LIMIT", "DRAIN"))
    assert longest < drain
    # It may be killed no earlier than two seconds behind its drain.
    assert drain + 2 <= pod["terminationGracePeriodSeconds"]
    assert pod["terminationGracePeriodSeconds"] > longest
    assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 0


def test_painters_are_scaled_by_the_gpu_seconds_that_wait(seen: dict[str, Any]) -> None:
    default, still = (seen["renders"][name]["objects"] for name in ("default", "still"))
    (scaled,) = kind(default, "ScaledObject").values()
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["query"] == (
        'sum(sitter_gpu_seconds_waiting{engine=~"flux2-klein"})'
        ' + sum(sitter_gpu_seconds_painting{engine=~"flux2-klein"})'
    )
    # KEDA takes text alone there.
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert scaled["spec"]["scaleTargetRef"]["name"] == "sitter-gpu"
    # Two who set the number of workers would undo each other.
    assert "replicas" not in kind(default, "Deployment")["gpu"]["spec"]
    assert kind(still, "Deployment")["gpu"]["spec"]["replicas"] == 1
    assert kind(still, "ScaledObject") == {}


def test_the_web_is_asked_under_a_name_that_it_answers_to(objects: list[dict[str, Any]]) -> None:
    container = kind(objects, "Deployment")["web"]["spec"]["template"]["spec"]["containers"][0]
    env = {one["name"]: one["value"] for one in container["env"]}
    probes = [container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")]
    assert [one["path"] for one in probes] == ["/livez", "/readyz", "/livez"]
    hosts = json.loads(env["SITTER_ALLOWED_HOSTS"])
    assert {one["httpHeaders"][0]["value"] for one in probes} <= set(hosts)
    upkeep = kind(objects, "Deployment")["upkeep"]["spec"]["template"]["spec"]["containers"][0]
    (web,) = [one["value"] for one in upkeep["env"] if one["name"] == "SITTER_WEB_URL"]
    assert web.removeprefix("http://").partition(":")[0] in hosts


def test_what_only_this_cluster_may_ask_is_not_routed(objects: list[dict[str, Any]]) -> None:
    (ingress,) = kind(objects, "Ingress").values()
    paths = {one["path"] for rule in ingress["spec"]["rules"] for one in rule["http"]["paths"]}
    assert "/v1" in paths
    assert not any(path.startswith("/internal") or path in ("/", "/metrics") for path in paths)


# --- AWS ----------------------------------------------------------------------------------------


def test_the_documents_for_aws_are_those_of_the_code() -> None:
    for file, text in policies.render().items():
        assert file.read_text() == text, "run python -m deploy.policies"


def test_no_identity_in_aws_opens_photos_and_portraits() -> None:
    for role in policies.ROLES:
        said = json.loads((policies.FOLDER / "iam" / f"{role}.json").read_text())
        reads = {
            resource
            for statement in said["Statement"]
            for action in statement["Action"]
            if action in ("s3:GetObject", "kms:Decrypt")
            for resource in statement["Resource"]
        }
        roots = {one for one in reads if "KEYS_BUCKET/root/" in one}
        fleet = {one for one in reads if "KEYS_BUCKET/fleet/" in one or "FLEET_KEY_ID" in one}
        assert not (roots and fleet), role
        if fleet:
            assert not any("/portrait/" in one or one.endswith("BODIES_BUCKET/*") for one in reads)
        if roots:
            assert not any("/reference/" in one or one.endswith("BODIES_BUCKET/*") for one in reads)
