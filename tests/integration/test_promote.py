"""`pawl promote`: the images of one path for the workloads of another."""

import pytest

from parts.manifests import workload


def _promote(site, *options, rc=0, places=("staging", "production")):
    return site.pawl.expect(rc, "promote", *places, "--git-url", site.url, "-n", "live", *options)


def _results(site, *options, **how):
    answer = _promote(site, "-o", "json", *options, **how).json
    return {name: (each["Status"], each.get("Error")) for name, each in answer.items()}


def _fill(site, **more):
    """Staging is ahead with web; production has a worker that staging has not."""
    files = {
        "staging/web.yaml": workload("web", "reg.test/web:1.1.0", namespace="test"),
        "staging/api.yaml": workload("api", "reg.test/api:3", namespace="test"),
        "production/web.yaml": "# mind this\n" + workload("web", "reg.test/web:1.0.0", namespace="live"),
        "production/api.yaml": workload("api", "reg.test/api:3", namespace="live"),
        "production/worker.yaml": workload("worker", "reg.test/worker:1", namespace="live"),
        **more}
    site.start(files)
    return files


def test_tags_come_over_and_nothing_else_changes(site):
    files = _fill(site)
    results = _results(site)
    assert results == {"live:deployment/web": ("success", None),
                       "live:deployment/api": ("skipped", "image(s) up to date"),
                       "live:deployment/worker": ("ignored", "there is none of its kind and name to promote")}
    assert site.repo.changed_files() == ["production/web.yaml"]
    assert site.repo.read("production/web.yaml").decode() == files["production/web.yaml"].replace("1.0.0", "1.1.0")
    head = site.repo.log()[0]
    assert head.subject == "Promote staging to production"
    assert head.body.strip() == "live:deployment/web\n- reg.test/web:1.1.0"
    assert "Nothing to do" in _promote(site).stderr and len(site.repo.log()) == 2


def test_what_was_named_and_cannot_be_promoted_is_a_failure(site):
    _fill(site)
    head = site.repo.sha()
    for name, words in (("deployment/wbe", "not found in repository; did you mean live:deployment/web?"),
                        ("test:deployment/web", "not found in repository; did you mean live:deployment/web?"),
                        ("deployment/worker", "there is none of its kind and name to promote")):
        for dry_run in ([], ["--dry-run"]):
            done = _promote(site, "-w", name, *dry_run, rc=1)
            assert words in done.stdout and "Nothing to do" not in done.stderr
    assert "kind/name" in _promote(site, "-w", "", rc=2).stderr  # a variable that is not set
    assert site.repo.sha() == head


def test_what_is_named_by_its_path_goes_by_its_path_within_the_place(site):
    def files(place, web, api, chart):
        return {f"{place}/kustomization.yaml": f"images:\n- name: reg.test/web\n  newTag: {web}\n",
                f"{place}/api/kustomization.yaml": f"images:\n- name: reg.test/api\n  newTag: {api}\n",
                f"{place}/values.yaml": f"web:\n  tag: {chart} # pawl: reg.test/chart semver:1\n"}
    site.start({**files("overlays/staging", "1.1.0", "'7'", "1.5.0"), **files("overlays/production", "1.0.0", "'6'", "1.4.0")})
    assert _results(site, places=("overlays/staging/", "./overlays/production")) == {
        "default:kustomization/overlays.production": ("success", None),
        "default:kustomization/overlays.production.api": ("success", None),
        "default:file/overlays.production.values.yaml": ("success", None)}
    for name in ("kustomization.yaml", "api/kustomization.yaml", "values.yaml"):
        assert site.repo.read(f"overlays/production/{name}") == site.repo.read(f"overlays/staging/{name}")
    done = _promote(site, "-v", places=("overlays/staging/api/kustomization.yaml", "overlays/production/api/kustomization.yaml"))
    assert "image(s) up to date" in done.stdout


def test_one_namespace_in_both_places_is_no_duplicate(site):
    site.start({"staging/web.yaml": workload("web", "reg.test/web:2"),
                "production/web.yaml": workload("web", "reg.test/web:1")})
    assert _results(site) == {"demo:deployment/web": ("success", None)}


def test_the_name_of_the_image_stays_as_it_is_written(site):
    digest = "sha256:" + "a" * 64
    site.start({"staging/web.yaml": workload("web", f"docker.io/library/nginx:1.25@{digest}"),
                "production/web.yaml": workload("web", "nginx:1.24")})
    _promote(site)
    assert f"image: nginx:1.25@{digest} " in site.repo.read("production/web.yaml").decode()


def test_another_repository_needs_with_name(site):
    _fill(site, **{"production/web.yaml": workload("web", "mirror.test/web:1.0.0", namespace="live")})
    status, why = _results(site)["live:deployment/web"]
    assert status == "skipped" and why == "app: another repository: reg.test/web:1.1.0; --with-name takes it over"
    assert _results(site, "--with-name")["live:deployment/web"] == ("success", None)
    assert "image: reg.test/web:1.1.0 " in site.repo.read("production/web.yaml").decode()


def test_what_stays_beside_what_is_promoted_is_said(site):
    """A success must not read as if all of the workload were what it is at FROM."""
    two = ("kind: Kustomization\nimages:\n- {name: reg.test/web, newTag: WEB}\n- {name: reg.test/api, newName: PLACE.test/api, "
           "newTag: \"1\"}\n")
    site.start({f"{place}/kustomization.yaml": two.replace("WEB", web).replace("PLACE", place)
                for place, web in (("staging", "1.1.0"), ("production", "1.0.0"))})
    why = "api: another repository: staging.test/api:1; --with-name takes it over"
    table = _promote(site, "--dry-run", rc=3).stdout
    assert why in table and "web: reg.test/web:1.0.0 -> 1.1.0" in table
    assert _results(site) == {"default:kustomization/production": ("success", why)}


def test_which_one_is_meant_must_be_clear(site):
    _fill(site, **{"staging/two.yaml": workload("web", "reg.test/web:1.2.0", namespace="test-2")})
    status, why = _results(site, rc=1)["live:deployment/web"]
    assert status == "failed" and "test" in why and "test-2" in why
    site.repo.commit({"staging/three.yaml": workload("web", "reg.test/web:1.3.0", namespace="live")})
    assert _results(site)["live:deployment/web"] == ("success", None)  # the one of its own namespace
    assert "web:1.3.0" in site.repo.read("production/web.yaml").decode()


def test_locks_hold_unless_forced_by_name(site):
    _fill(site, **{"production/web.yaml": workload("web", "reg.test/web:1.0.0", namespace="live",
                                                   annotations={"fluxcd.io/locked": "true"})})
    assert _results(site)["live:deployment/web"] == ("skipped", "locked")
    assert "named" in _promote(site, "--force", rc=2).stderr
    assert _results(site, "--force", "-w", "deployment/web")["live:deployment/web"] == ("success", None)


def test_workloads_can_be_named_and_excluded(site):
    _fill(site)
    assert _results(site, "--exclude", "deployment/web")["live:deployment/web"] == ("ignored", "excluded")
    assert _results(site, "-w", "deployment/api")["live:deployment/web"] == ("ignored", "not included")
    assert len(site.repo.log()) == 1


def test_a_dry_run_shows_the_diff_and_pushes_nothing(site):
    _fill(site)
    done = _promote(site, "--dry-run", rc=3)
    assert "+          image: reg.test/web:1.1.0" in done.stdout and len(site.repo.log()) == 1


def test_a_push_that_is_overtaken_is_decided_again(site):
    _fill(site)
    site.repo.overtake_next_push({"staging/web.yaml": workload("web", "reg.test/web:1.2.0", namespace="test")})
    _promote(site)
    assert "web:1.2.0" in site.repo.read("production/web.yaml").decode() and len(site.repo.log()) == 3


def test_nothing_outside_of_the_configured_paths_is_written(site):
    _fill(site)
    assert "outside of --git-path" in _promote(site, "--git-path", "staging", rc=1).stderr
    assert len(site.repo.log()) == 1


def test_what_is_promoted_may_be_outside_of_the_configured_paths(site):
    _fill(site)
    assert "+          image: reg.test/web:1.1.0" in _promote(site, "--git-path", "production", "--dry-run", rc=3).stdout
    _promote(site, "--git-path", "production")
    assert site.repo.changed_files() == ["production/web.yaml"]


@pytest.mark.parametrize("places, rc, words", [
    (("staging", "staging"), 2, "neither within the other"),
    ((".", "production"), 2, "neither within the other"),
    (("staging/", "./staging/web.yaml"), 2, "neither within the other"),
    (("/staging", "production"), 2, "without a leading /"),
    (("nowhere", "production"), 1, "nowhere"),
    (("empty", "production"), 1, "no workloads in empty"),
])
def test_places_that_cannot_be(site, places, rc, words):
    _fill(site, **{"empty/notes.yaml": "# nothing\n"})
    assert words in _promote(site, rc=rc, places=places).stderr
    assert len(site.repo.log()) == 1
