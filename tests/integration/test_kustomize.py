"""What kustomizations make of images, as `kustomize build` renders them."""

from parts.manifests import workload

_KIND = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
_COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def entry(site, tag, name=None):
    return f"images:\n- name: {name or site.registry.host + '/team/web'}\n  newTag: {tag}\n"


def start(site, files):
    site.push("team/web", "1.0.0", "1.1.0")
    base = workload("web", site.image("team/web", "1.0.0"), policy="semver:1")
    site.start({"base/kustomization.yaml": _KIND + "resources: [web.yaml]\n", "base/web.yaml": base, **files})


def changed(report):
    return sorted((change["file"], change["to"].rpartition(":")[2]) for change in report["changes"])


def held(report):
    return [(each["workload"], each["cause"]) for each in report["held"]]


def test_a_base_that_one_overlay_has_as_it_is_written_changes_too(site):
    start(site, {"prod/kustomization.yaml": _KIND + "resources: [../base]\n" + entry(site, "1.0.0"),
                 "staging/kustomization.yaml": _KIND + "resources: [../base]\n"})
    report = site.once()
    assert changed(report) == [("base/web.yaml", "1.1.0"), ("prod/kustomization.yaml", "1.1.0")]
    assert held(report) == [] and site.once()["changes"] == []


def test_an_entry_of_a_base_that_all_overlays_override_stays(site):
    start(site, {"base/kustomization.yaml": _KIND + "resources: [web.yaml]\n" + entry(site, "1.0.0"),
                 "prod/kustomization.yaml": _KIND + "resources: [../base]\n" + entry(site, "1.0.0")})
    report = site.once()
    assert changed(report) == [("prod/kustomization.yaml", "1.1.0")]
    assert sorted(held(report)) == [("default:kustomization/base", "overridden"), ("demo:deployment/web", "overridden")]


def test_images_of_a_component_are_for_what_its_user_has(site):
    start(site, {"pin/kustomization.yaml": _COMPONENT + entry(site, "1.0.0"),
                 "prod/kustomization.yaml": _KIND + "resources: [../base]\ncomponents: [../pin]\n"})
    report = site.once()
    assert changed(report) == [("pin/kustomization.yaml", "1.1.0")]
    assert held(report) == [("demo:deployment/web", "overridden")]


def test_a_patch_is_no_second_copy_of_its_object(site):
    """It has no image, which is no problem of a patch, and it is not applied."""
    patch = ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: demo}\n"
             "spec: {template: {spec: {containers: [{name: app, resources: {}}]}}}\n")
    start(site, {"prod/kustomization.yaml": _KIND + "resources: [../base]\npatches: [{path: web.yaml}]\n" + entry(site, "1.0.0"),
                 "prod/web.yaml": patch})
    report = site.once()
    assert report["errors"] == [] and changed(report) == [("prod/kustomization.yaml", "1.1.0")]
    assert site.applied("base/web.yaml") and site.applied("prod/web.yaml") is None


def test_a_placeholder_that_an_entry_replaces_is_asked_of_no_registry(site):
    """`image: web` in a base, given its name and tag by overlays; the base's own newName gets no tag beside it."""
    host = site.registry.host
    start(site, {"base/kustomization.yaml": _KIND + f"resources: [web.yaml]\nimages:\n- name: web\n  newName: {host}/team/web\n",
                 "base/web.yaml": workload("web", "web", policy="semver:1"),
                 "prod/kustomization.yaml": _KIND + "resources: [../base]\n" + entry(site, "1.0.0")})
    report = site.once()
    assert report["errors"] == [] and changed(report) == [("prod/kustomization.yaml", "1.1.0")]
    assert held(report) == [("demo:deployment/web", "overridden")]


def test_values_of_a_release_are_none_of_kustomizes_images(site):
    release = ("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n  annotations:\n"
               "    {fluxcd.io/automated: 'true', fluxcd.io/tag.app: 'semver:1'}\nspec:\n  values:\n    app:\n"
               f"      image: {site.image('team/web', '1.0.0')}\n")
    start(site, {"prod/kustomization.yaml": _KIND + "resources: [release.yaml]\n" + entry(site, "1.0.0"),
                 "prod/release.yaml": release})
    assert changed(site.once()) == [("base/web.yaml", "1.1.0"), ("prod/release.yaml", "1.1.0")]
