"""Where images are: the kinds and shapes of updater and set-image that are no single scalar of a pod."""

import pathlib
import re

import pytest

from parts.manifests import helm_release, line_of, workload


def _values(site, name, tag):
    return (f"app:\n  image:\n    registry: {site.registry.host}   # ours\n    repository: team/{name}\n"
            f"    tag: {tag}   # kept up to date\n  replicas: 1.10\n")


@pytest.mark.parametrize("version", ["helm.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2", "flux.weave.works/v1beta1"])
def test_a_helm_release_gets_another_tag_and_nothing_else(site, version):
    site.push("team/web", "v1.0.0", "v1.1.0", "v2.0.0")
    start = helm_release("web", _values(site, "web", "v1.0.0"), version=version)
    site.start({"web.yaml": start})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == start.replace("v1.0.0", "v1.1.0")
    assert site.applied("web.yaml") == site.repo.read("web.yaml")
    assert len(site.repo.diff()) == 2
    [change] = report["changes"]
    assert (change["workload"], change["container"]) == ("demo:helmrelease/web", "app")
    assert change["from"] == site.image("team/web", "v1.0.0") and change["to"] == site.image("team/web", "v1.1.0")
    assert report["errors"] == []


def test_a_tag_that_yaml_would_read_as_a_number_is_quoted(site):
    site.push("team/web", "1.9", "1.10")
    site.start({"web.yaml": helm_release("web", _values(site, "web", "1.9"))})
    report = site.once()
    assert [change["from"] for change in report["changes"]] == [site.image("team/web", "1.9")]
    assert site.repo.read("web.yaml").decode() == helm_release("web", _values(site, "web", '"1.10"'))
    assert site.once()["changes"] == []


def test_a_chart_s_repository_gets_its_tag_beside_it(site):
    site.push("team/web", "1.0.0", "1.10.0")
    values = f"app:\n  image:\n    repository: {site.registry.host}/team/web   # ours\n    pullSecrets:\n    - pull\n"
    start = helm_release("web", values)
    site.start({"web.yaml": start})
    [change] = site.once()["changes"]
    assert change["to"] == site.image("team/web", "1.10.0")
    assert site.repo.read("web.yaml").decode() == start.replace("- pull\n", "- pull\n        tag: 1.10.0\n")
    assert site.once()["changes"] == []


def test_annotations_say_where_the_parts_of_an_image_are(site):
    site.push("team/web", "1.0.0", "1.1.0")
    def text(tag):
        return helm_release("web", f"deep:\n  img: {site.registry.host}/team/web\n  version: '{tag}'\n", annotations={
            "repository.fluxcd.io/app": "deep.img", "tag.fluxcd.io/app": "deep.version"})
    site.start({"web.yaml": text("1.0.0")})
    site.once()
    assert site.repo.read("web.yaml").decode() == text("1.1.0")


def test_an_annotation_that_points_nowhere_is_said_with_its_line(site):
    site.push("team/web", "1.0.0", "1.1.0")
    text = helm_release("web", "other: 1\n", annotations={"repository.fluxcd.io/app": "deep.img"})
    site.start({"bad.yaml": text, "good.yaml": helm_release("good", _values(site, "web", "1.0.0"))})
    report = site.once()
    assert [change["workload"] for change in report["changes"]] == ["demo:helmrelease/good"]
    [error] = report["errors"]
    assert (error["file"], error["line"]) == ("bad.yaml", line_of(text, "repository.fluxcd.io"))
    assert "spec.values.deep.img" in error["message"]


def test_a_digest_beside_the_tag_is_a_pin(site):
    site.push("team/web", "1.0.0", "1.1.0")
    digest = "sha256:" + "0" * 64
    values = _values(site, "web", "1.0.0").replace("  replicas", f"    digest: {digest}\n  replicas")
    start = site.start({"web.yaml": helm_release("web", values)})
    report = site.once()
    assert site.repo.sha() == start and [held["cause"] for held in report["held"]] == ["pinned"]


def test_a_rollout_is_updated_as_a_deployment_is(site):
    site.push("team/web", "1.0.0", "1.1.0")
    def text(tag):
        return workload("web", site.image("team/web", tag), kind="Rollout", policy="semver:1").replace(
            "apps/v1", "argoproj.io/v1alpha1")
    site.start({"web.yaml": text("1.0.0")})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text("1.1.0")
    assert [change["workload"] for change in report["changes"]] == ["demo:rollout/web"]


def test_a_tag_shared_by_an_anchor_is_said_where_it_is_written(site):
    site.push("team/web", "1.0.0", "1.1.0")
    host = site.registry.host
    text = helm_release("web", f"version: &version 1.0.0\napp:\n  image: {host}/team/web\n  tag: *version\n")
    site.start({"web.yaml": text})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text.replace("1.0.0", "1.1.0")
    assert f"line {line_of(text, '&version')}" in report["changes"][0]["reason"]


def test_set_image_writes_the_parts(pawl, tmp_path):
    text = helm_release("web", "app:\n  image:\n    registry: quay.io\n    repository: team/web\n    tag: 'v1'\n")
    (tmp_path / "web.yaml").write_text(text)
    result = pawl.ok("set-image", "-f", tmp_path, "demo:helmrelease/web", "app=ghcr.io/other/web:v2")
    expected = text.replace("quay.io", "ghcr.io").replace("team/web", "other/web").replace("'v1'", "'v2'")
    assert (tmp_path / "web.yaml").read_text() == expected
    assert "quay.io/team/web:v1 -> ghcr.io/other/web:v2" in result.stdout
    refused = pawl.expect(1, "set-image", "-f", tmp_path, "demo:helmrelease/web", "app=ghcr.io/other/web")
    assert "field of its own" in refused.stderr and (tmp_path / "web.yaml").read_text() == expected


POD = "containers:\n- {{name: app, image: {image}}}\n"
TEMPLATE = "template:\n  spec:\n    " + POD.replace("\n", "\n    ")

# apiVersion, kind, the container, the spec (CronJob and others below their own keys)
KINDS = [
    *((api, kind, "app", TEMPLATE) for api, kind in (
        ("apps/v1", "Deployment"), ("extensions/v1beta1", "Deployment"), ("apps/v1beta2", "StatefulSet"),
        ("apps/v1", "DaemonSet"), ("apps/v1", "ReplicaSet"), ("batch/v1", "Job"), ("serving.knative.dev/v1", "Service"),
        ("argoproj.io/v1alpha1", "Rollout"))),
    *((api, "CronJob", "app", "jobTemplate:\n  spec:\n    " + TEMPLATE.replace("\n", "\n    "))
      for api in ("batch/v1", "batch/v1beta1", "batch/v2alpha1")),
    ("v1", "Pod", "app", POD),
    ("v1", "Pod", "app", POD.replace("containers", "initContainers")),
    ("v1", "Pod", "app", POD.replace("containers", "ephemeralContainers")),
    ("v1", "Pod", "app", "volumes:\n- name: app\n  image: {{reference: {image}, pullPolicy: Always}}\n"),
    ("argoproj.io/v1alpha1", "Workflow", "app", "templates:\n- name: app\n  container:\n    image: {image}\n"),
    ("argoproj.io/v1alpha1", "WorkflowTemplate", "app", "templates:\n- name: app\n  script: {{image: {image}}}\n"),
    ("argoproj.io/v1alpha1", "CronWorkflow", "app.side",
     "workflowSpec:\n  templates:\n  - name: app\n    sidecars:\n    - {{name: side, image: {image}}}\n"),
]


def _of_kind(api, kind, container, spec, image):
    body = "".join(f"  {line}\n" for line in spec.format(image=image).rstrip().splitlines())
    return (f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: web\n  namespace: demo\n  annotations:\n"
            f"    fluxcd.io/automated: 'true'\n    fluxcd.io/tag.{container}: semver:1\nspec:\n{body}")


def test_every_kind_of_workload_is_updated(site):
    """All at once, a file each; and once more as the items of a List."""
    site.push("team/web", "1.0.0", "1.1.0")
    def files(tag):
        image = site.image("team/web", tag)
        texts = {f"{n}.yaml": _of_kind(*kind, image).replace("name: web", f"name: web-{n}") for n, kind in enumerate(KINDS)}
        items = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in texts.values())
        return {**texts, "list.yaml": "apiVersion: v1\nkind: List\nitems:\n" + items.replace("name: web-", "name: item-")}
    site.start(files("1.0.0"))
    report = site.once("--deploy-to", "none")
    assert {path: site.repo.read(path).decode() for path in files("1.1.0")} == files("1.1.0")
    assert len(report["changes"]) == 2 * len(KINDS) and report["errors"] == []
    assert site.once("--deploy-to", "none")["changes"] == []


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("shape", ["{key}: {host}/{name}:{tag}", "{key}: {host}/{name}\ntag: {tag}",
                                   "registry: {host}\n{key}: {name}:{tag}", "registry: {host}\n{key}: {name}\ntag: {tag}"])
def test_every_shape_of_helm_values_is_updated_where_it_is_written(site, shape, nested):
    """The five of Flux v1: four side by side, and the same in an image mapping."""
    site.push("team/web", "1.0.0", "1.1.0")
    def text(tag):
        lines = shape.format(key="repository" if nested else "image", host=site.registry.host, name="team/web", tag=tag)
        lines = "image:\n" + "".join(f"  {line}\n" for line in lines.splitlines()) if nested else lines + "\n"
        return helm_release("web", "app:\n" + "".join(f"  {line}\n" for line in lines.splitlines()))
    site.start({"web.yaml": text("1.0.0")})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text("1.1.0"), report
    assert report["errors"] == [] and len(site.repo.diff()) == 2


@pytest.mark.parametrize("parts", [("repository",), ("registry", "repository"), ("repository", "tag"),
                                   ("registry", "repository", "tag")])
def test_annotations_map_each_set_of_parts(site, parts):
    """Flux v1's four sets; what has no part of its own is in the repository's."""
    site.push("team/web", "1.0.0", "1.1.0")
    def text(tag):
        lines = {"repository": ("" if "registry" in parts else f"{site.registry.host}/") + "team/web"
                               + ("" if "tag" in parts else f":{tag}"),
                 "registry": site.registry.host, "tag": tag}
        return helm_release("web", "deep:\n  down:\n" + "".join(f"    {part}: {lines[part]} # {part}\n" for part in parts),
                            annotations={f"{part}.fluxcd.io/app": f"deep.down.{part}" for part in parts})
    site.start({"web.yaml": text("1.0.0")})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text("1.1.0"), report
    assert report["errors"] == []


def test_the_documentation_has_every_kind():
    """A kind more is a row of one table in the code, and one in the documentation."""
    root = pathlib.Path(__file__).resolve().parents[2]
    code = (root / "model" / "manifest_kinds.c").read_text().split("workload_kinds[] = {")[1].split("};")[0]
    rows = re.findall(r'\{\s*(NULL|"[^"]*"),\s*"(\w+)",\s*CONTAINERS_OF_', code)
    table = [line for line in (root / "docs" / "workloads.md").read_text().splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    for group, kind in rows:
        group = "any" if group == "NULL" else group.strip('"')
        assert any(re.search(rf"\b{kind}\b", line.split("|")[1]) and group in line.split("|")[2] for line in table), kind
