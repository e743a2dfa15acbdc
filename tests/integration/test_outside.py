"""Where images stand outside pod specs: behind markers, in kustomizations, in Argo CD Applications."""

import pytest

from parts.manifests import config_map, workload


def test_a_marker_in_the_values_of_a_chart(site):
    site.push("team/web", "1.9.0", "1.10.0", "2.0.0")
    site.push("team/job", "8.0.0", "8.1.0")
    values = f"""\
# 1.9.0 is a decoy
web:
  image:
    repository: {site.registry.host}/team/web
    tag: 1.9.0   # pawl: {site.registry.host}/team/web semver:~1
job: {{image: {site.image("team/job", "8.0.0")}}} # pawl: semver:8
"""
    site.start({"charts/web/Chart.yaml": "name: web\n", "charts/web/values.yaml": values,
                "charts/web/values-prod.yaml": values.replace("semver:~1", "semver:~2"),
                "charts/web/templates/deployment.yaml": "{{ if }} image: x/y:1 # pawl: glob:*\n",
                "charts/web/other.yaml": "a: [\n", "settings.yaml": config_map("settings", a="1")})
    report = site.once()
    assert report["errors"] == []
    assert site.repo.read("charts/web/values.yaml").decode() == (
        values.replace("tag: 1.9.0", "tag: 1.10.0").replace("8.0.0", "8.1.0"))
    assert "tag: 2.0.0 " in site.repo.read("charts/web/values-prod.yaml").decode()
    assert [(change["workload"], change["container"], change["line"], change["to"])
            for change in report["changes"] if change["file"] == "charts/web/values.yaml"] == [
        ("default:file/charts.web.values.yaml", "web.image.tag", 5, site.image("team/web", "1.10.0")),
        ("default:file/charts.web.values.yaml", "job.image", 6, site.image("team/job", "8.1.0"))]
    assert report["applied"]["created"] == 1 and site.applied("charts/web/values.yaml") is None
    assert site.once()["changes"] == []


def test_a_marked_tag_that_would_become_a_number_gets_quotes(site):
    site.push("team/web", "1.9.1", "1.10")
    site.start({"values.yaml": f"a:\n  tag: 1.9.1 # pawl: {site.registry.host}/team/web glob:1.*\n"})
    site.once()
    assert site.repo.read("values.yaml").decode() == (
        f'a:\n  tag: "1.10" # pawl: {site.registry.host}/team/web glob:1.*\n')


def test_a_marked_tag_that_would_become_an_image_is_refused(site, pawl, tmp_path):
    """A HelmRelease takes `image: 1.1` for an image of that name; "V1" is none, so there the marker counts."""
    site.push("app", "V1", "1.1")
    text = ("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\nspec:\n  values:\n"
            f"    image: V1 # pawl: {site.registry.host}/app glob:1.*\n    other: {site.image('app', 'V1')} # pawl: glob:1.*\n")
    site.start({"web.yaml": text})
    report = site.once()
    assert [(error["file"], error["line"]) for error in report["errors"]] == [("web.yaml", 6)]
    assert "would be read as 1.1; write the whole image there" in report["errors"][0]["message"]
    assert site.repo.read("web.yaml").decode() == text.replace("other: " + site.image("app", "V1"), "other: " + site.image("app", "1.1"))
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone/web.yaml").write_text(text)
    refused = pawl.expect(1, "set-image", "-f", tmp_path / "alone", "default:helmrelease/web", f"spec.values.image={site.image('app', '1.1')}")
    assert "would be read as 1.1; write the whole image there" in refused.stderr
    assert (tmp_path / "alone/web.yaml").read_text() == text


def test_a_marker_automates_one_scalar_of_an_object_that_a_lock_holds(site):
    site.push("app", "1.0.0", "1.1.0")
    free = workload("free", site.image("app", "1.0.0"), automated=False).replace("# kept up to date", "# pawl: semver:1")
    locked = workload("locked", site.image("app", "1.0.0"), automated=False,
                      annotations={"fluxcd.io/locked": "true"}).replace("# kept up to date", "# pawl: semver:1")
    odd = ("apiVersion: example.org/v1\nkind: Engine\nmetadata: {name: odd}\nspec:\n"
           f"  parts:\n    - image: {site.image('app', '1.0.0')} # pawl: semver:1\n")
    site.start({"free.yaml": free, "locked.yaml": locked, "odd.yaml": odd})
    report = site.once()
    assert sorted((change["workload"], change["container"]) for change in report["changes"]) == [
        ("default:engine/odd", "spec.parts.0.image"), ("demo:deployment/free", "app")]
    assert [(held["workload"], held["cause"]) for held in report["held"]] == [("demo:deployment/locked", "locked")]
    assert site.applied("odd.yaml") == odd.replace("1.0.0", "1.1.0").encode()


def test_markers_that_cannot_be_read_are_said_with_their_line(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"a.yaml": f"a: 1\nimage: {site.image('app', '1.0.0')} # pawl: newest\n",
                "b.yaml": f"image: {site.image('app', '1.0.0')} # pawl: semver:nonsense\n",
                "c.yaml": 'x: 1\nimage: a/b:1 # {"$imagepolicy": "flux-system:b"}\n',
                "good.yaml": f"image: {site.image('app', '1.0.0')} # pawl: semver:1\n"})
    report = site.once()
    assert [(error["file"], error["line"]) for error in report["errors"]] == [
        ("a.yaml", 2), ("c.yaml", 2), ("b.yaml", 1)]
    assert [change["file"] for change in report["changes"]] == ["good.yaml"]


def base_and_overlays(site, base, **overlays):
    """A base with one workload, and overlays that give its image a tag each."""
    files = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": base}
    for name, tag in overlays.items():
        files[f"overlays/{name}/kustomization.yaml"] = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../base
images:
  - name: {site.registry.host}/team/web # one for all
""" + (f"    newTag: {tag} # {name}\n" if tag else "")
    site.start(files)


def test_a_kustomization_has_policies_of_its_own(site):
    site.push("team/web", "1.0.0", "1.1.0", "2.0.0")
    text = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
metadata:
  name: prod
  annotations:
    pawl.dev/automated: "true"
    pawl.dev/tag.web: semver:1
images:
- name: web
  newName: {site.registry.host}/team/web
  newTag: "1.0.0"
"""
    site.start({"prod/kustomization.yaml": text})
    report = site.once()
    assert site.repo.read("prod/kustomization.yaml").decode() == text.replace("1.0.0", "1.1.0")
    assert [(change["workload"], change["container"], change["from"], change["to"]) for change in report["changes"]] == [
        ("default:kustomization/prod", "web", site.image("team/web", "1.0.0"), site.image("team/web", "1.1.0"))]
    assert site.applied("prod/kustomization.yaml") is None and report["applied"]["created"] == 0


def automated_overlay(tag=None, **annotations):
    """An overlay that automates itself and says no tag policy; the base is of base_and_overlays()."""
    lines = "".join(f"    pawl.dev/{key}: {value!r}\n" for key, value in {"automated": "true", **annotations}.items())
    new_tag = f"  newTag: {tag}\n" if tag else ""
    return f"kind: Kustomization\nmetadata:\n  name: own\n  annotations:\n{lines}resources: [../../base]\nimages:\n- name: NAME\n{new_tag}"


@pytest.mark.parametrize("by_workload", [True, False])
def test_an_automated_kustomization_takes_the_tags_its_workload_allows(site, by_workload):
    """`pawl automate` says nothing of tags; the newest of all is not what the workload's owner asked for."""
    site.push("team/web", "1.0.0", "1.1.0", "2.0.0")
    base = workload("web", site.image("team/web", "1.0.0"), policy="semver:1", automated=by_workload)
    text = automated_overlay("1.0.0").replace("NAME", f"{site.registry.host}/team/web")
    site.start({"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": base, "overlays/own/kustomization.yaml": text})
    report = site.once()
    assert [(change["workload"], change["to"]) for change in report["changes"]] == (
        [("default:kustomization/own", site.image("team/web", "1.1.0"))])
    assert site.repo.read("overlays/own/kustomization.yaml").decode() == text.replace("1.0.0", "1.1.0")
    assert site.repo.read("base/web.yaml").decode() == base


def test_an_automated_kustomization_without_a_tag_never_steps_back_from_its_workload(site):
    site.push("team/web", "1.0.0", "1.1.0")
    text = automated_overlay(**{"tag.web": "semver:1"}).replace("NAME", f"{site.registry.host}/team/web")
    site.start({"base/kustomization.yaml": "resources: [web.yaml]\n",
                "base/web.yaml": workload("web", site.image("team/web", "1.2.0"), automated=False),
                "overlays/own/kustomization.yaml": text})
    report = site.once()
    assert report["changes"] == []
    assert ("default:kustomization/own", "step-back") in [(held["workload"], held["cause"]) for held in report["held"]]


def test_workloads_that_disagree_about_the_tags_of_an_automated_kustomization_block_its_entry(site):
    site.push("team/web", "1.0.0", "1.1.0")
    base = (workload("web", site.image("team/web", "1.0.0"), policy="semver:1") + "---\n"
            + workload("two", site.image("team/web", "1.0.0"), policy="semver:2"))
    text = automated_overlay("1.0.0").replace("NAME", f"{site.registry.host}/team/web")
    site.start({"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": base, "overlays/own/kustomization.yaml": text})
    report = site.once()
    assert report["changes"] == []
    assert [error["file"] for error in report["errors"]] == ["overlays/own/kustomization.yaml"]
    assert "have different policies; annotate the kustomization" in report["errors"][0]["message"]


@pytest.mark.parametrize("has_digest", [False, True])
def test_the_digest_of_an_entry_follows_its_tag(site, has_digest):
    """It is written beside the new tag, or added in the file's own style where it is missing."""
    site.push("team/web", "1.0.0", "1.1.0")
    old, new = (site.registry.digest("team/web", tag) for tag in ("1.0.0", "1.1.0"))
    def text(tag, digest):
        return ("kind: Kustomization\nmetadata:\n  annotations: {pawl.dev/automated: 'true', pawl.dev/tag.web: 'semver:1',"
                f" pawl.dev/digest: follow}}\nimages:\n- name: web\n  newName: {site.registry.host}/team/web\n"
                f"  newTag: {tag} # ours\n" + (f"  digest: {digest}\n" if digest else "") + "# the end\n")
    site.start({"prod/kustomization.yaml": text("1.0.0", old if has_digest else None)})
    report = site.once()
    assert site.repo.read("prod/kustomization.yaml").decode() == text("1.1.0", new), report
    assert site.once()["changes"] == []


def test_a_workload_decides_for_each_overlay_and_its_own_field_stays(site):
    site.push("team/web", "1.0.0", "1.1.0", "1.2.0")
    base = workload("web", site.image("team/web", "1.0.0"), policy="semver:1")
    base_and_overlays(site, base, staging="1.1.0", prod="1.0.0", current="1.2.0", bare=None)
    report = site.once()
    assert sorted((change["workload"], change["from"], change["to"]) for change in report["changes"]) == [
        ("default:kustomization/overlays.bare", f"{site.registry.host}/team/web", site.image("team/web", "1.2.0")),
        ("default:kustomization/overlays.prod", site.image("team/web", "1.0.0"), site.image("team/web", "1.2.0")),
        ("default:kustomization/overlays.staging", site.image("team/web", "1.1.0"), site.image("team/web", "1.2.0"))]
    assert [(held["workload"], held["cause"]) for held in report["held"]] == [("demo:deployment/web", "overridden")]
    assert "overlays/" in report["held"][0]["reason"]
    assert site.repo.read("base/web.yaml").decode() == base
    assert sorted(site.repo.diff()) == sorted(
        ["-    newTag: 1.1.0 # staging", "+    newTag: 1.2.0 # staging", "-    newTag: 1.0.0 # prod",
         "+    newTag: 1.2.0 # prod", "+    newTag: 1.2.0"])
    assert site.once()["changes"] == []


def test_an_overlay_without_a_tag_of_its_own_never_steps_back(site):
    site.push("team/web", "1.0.0", "1.1.0")
    base_and_overlays(site, workload("web", site.image("team/web", "1.2.0"), policy="semver:1"), bare=None)
    report = site.once()
    assert report["changes"] == []
    assert ("default:kustomization/overlays.bare", "step-back") in [
        (held["workload"], held["cause"]) for held in report["held"]]


def test_a_locked_workload_holds_the_entries_that_stand_for_it(site):
    site.push("team/web", "1.0.0", "1.1.0")
    base = (workload("web", site.image("team/web", "1.0.0"), policy="semver:1") + "---\n"
            + workload("two", site.image("team/web", "1.0.0"), policy="semver:1", annotations={"fluxcd.io/locked": "true"}))
    base_and_overlays(site, base, prod="1.0.0")
    report = site.once()
    assert report["changes"] == []
    assert ("default:kustomization/overlays.prod", "locked") in [
        (held["workload"], held["cause"]) for held in report["held"]]


def test_workloads_that_disagree_about_an_entry_block_it(site):
    site.push("team/web", "1.0.0", "1.1.0")
    base = (workload("web", site.image("team/web", "1.0.0"), policy="semver:1") + "---\n"
            + workload("two", site.image("team/web", "1.0.0"), policy="semver:2"))
    base_and_overlays(site, base, prod="1.0.0")
    report = site.once()
    assert report["changes"] == []
    assert [(error["file"], error["line"]) for error in report["errors"]] == [("overlays/prod/kustomization.yaml", 7)]
    assert "have different policies" in report["errors"][0]["message"]


def test_images_of_an_argo_application(site):
    site.push("team/web", "1.9.0", "1.10", "1.10.0")
    site.push("team/job", "7.0.0", "7.1.0")
    host = site.registry.host
    text = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: argocd
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.chart-image: glob:1.10
    fluxcd.io/tag.job: semver:7
    fluxcd.io/tag.web: semver:1
    fluxcd.io/tag.side: semver:7
spec:
  sources:
    - chart: shop
      helm:
        parameters:
          - name: image.repository
            value: {host}/team/web
          - {{name: image.tag, value: 1.9.0}}
        valuesObject:
          side:
            image: {{repository: {host}/team/job, tag: 7.0.0}}
    - path: apps
      kustomize:
        images:
          - {host}/team/job:7.0.0
          - example.org/web={host}/team/web:1.9.0 # ours
"""
    site.start({"apps/shop.yaml": text})
    report = site.once()
    expected = (text.replace("value: 1.9.0", 'value: "1.10"').replace("tag: 7.0.0", "tag: 7.1.0")
                .replace("job:7.0.0", "job:7.1.0").replace("team/web:1.9.0", "team/web:1.10.0"))
    assert report["errors"] == []
    assert site.repo.read("apps/shop.yaml").decode() == expected
    assert site.applied("apps/shop.yaml") == expected.encode()
    assert {change["workload"] for change in report["changes"]} == {"argocd:application/shop"}
    assert site.once()["changes"] == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_images_in_the_values_text_of_an_argo_application(site, end):
    """helm.values is YAML in a string: two of its images change in one commit, and one gets quotes."""
    site.push("team/web", "1.9", "1.10")
    site.push("team/job", "7.0.0", "7.1.0")
    host = site.registry.host
    text = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: argocd
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.chart-image: semver:1
    fluxcd.io/tag.job: semver:7
spec:
  source:
    path: charts/shop   # in git
    helm:
      values: |-   # of the chart

        # the shop itself
        image:
          repository: {host}/team/web
          tag: 1.9   # kept up to date

        job: {{image: {host}/team/job:7.0.0, args: ["image: x:1.9"]}}
        text: |
          tag: 1.9
      releaseName: shop
""".replace("\n", end)
    site.start({"apps/shop.yaml": text})
    report = site.once()
    expected = text.replace("tag: 1.9   #", 'tag: "1.10"   #').replace("job:7.0.0", "job:7.1.0")
    assert report["errors"] == []
    assert site.repo.read("apps/shop.yaml").decode() == expected
    assert [change["line"] for change in report["changes"]] == [18, 21]
    assert site.once()["changes"] == []


def test_a_values_text_that_is_no_block_is_said(site):
    text = ("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: shop\n  namespace: argocd\n"
            "  annotations:\n    fluxcd.io/automated: 'true'\nspec:\n  source:\n    helm:\n"
            "      values: \"image: app:1\"\n")
    start = site.start({"apps/shop.yaml": text})
    [error] = site.once()["errors"]
    assert site.repo.sha() == start and error["line"] == 11 and "literal block" in error["message"]


def test_set_image_edits_a_kustomization_and_a_marked_value(pawl, tmp_path):
    (tmp_path / "kustomization.yaml").write_text("metadata: {name: k}\nimages:\n- name: app\n")
    (tmp_path / "values.yaml").write_text("tag: 1.2 # pawl: app semver:1\n")
    name = f"default:file/{str(tmp_path).replace('/', '.')}.values.yaml"
    pawl.expect(0, "set-image", "-f", tmp_path, "kustomization/k", "app=app:1.10")
    assert (tmp_path / "kustomization.yaml").read_text() == (
        'metadata: {name: k}\nimages:\n- name: app\n  newTag: "1.10"\n')
    pawl.expect(0, "set-image", "-f", tmp_path, name, "tag=app:1.3.0")
    assert (tmp_path / "values.yaml").read_text() == "tag: 1.3.0 # pawl: app semver:1\n"
