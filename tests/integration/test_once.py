"""`pawl once`: from the registry to the commit to the applied file, what is decided and what is said about it."""

import json

import pytest

from parts.manifests import DOCUMENTS, config_map, line_of, workload, write_document
from parts.process import run
from parts.site import day


# The way of one image


def test_a_newer_image_becomes_a_commit_and_an_applied_file(site):
    site.push("team/web", "1.0.0", "1.0.1", "2.0.0")
    before = workload("web", site.image("team/web", "1.0.0"), policy="semver:~1.0")
    start = site.start({"web.yaml": before})
    report = site.once()

    assert len(site.repo.log()) == 2
    head = site.repo.log()[0]
    assert report["name"] == "gitops" and report["head"] == start and report["commit"] == head.sha
    assert head.subject == f"Auto-release {site.image('team/web', '1.0.1')}" and head.body.strip() == ""
    assert (head.author, head.email) == ("pawl", "pawl@localhost")
    after = before.replace("1.0.0", "1.0.1").encode()
    assert site.repo.read("web.yaml") == after
    assert site.repo.changed_files() == ["web.yaml"] and len(site.repo.diff()) == 2
    assert site.applied("web.yaml") == after
    assert report["changes"] == [{
        "workload": "demo:deployment/web", "container": "app", "file": "web.yaml", "line": line_of(before, "image:"),
        "from": site.image("team/web", "1.0.0"), "to": site.image("team/web", "1.0.1"),
        "reason": report["changes"][0]["reason"]}]
    assert "semver:~1.0" in report["changes"][0]["reason"]
    assert report["held"] == [] and report["errors"] == []
    assert report["applied"]["created"] == 1


@pytest.mark.parametrize("policy, expected", [
    ("semver:*", "1.10.0"),
    ("semver:~1.2", "1.2.3"),
    ("semver:>=1.2 <1.10", "1.2.3"),
    ("semver:^1.0.0-0", "1.11.0-rc.1"),
    ("glob:main-*", "main-aaa"),
    ("main-*", "main-aaa"),
    ("glob:*", "main-aaa"),
    ("glob:*-rc.?", None),
    ("glob:*-rc.*", "1.11.0-rc.1"),
    ("glob:latest", "latest"),
    (r"regexp:^v?\d+\.\d+\.\d+$", "1.2.3"),
    (r"regex:^\d+\.10\.", "1.10.0"),
    ("regexp:^main-(?!aaa)", "main-zzz"),
    (None, "main-aaa"),
])
def test_each_policy_chooses_its_own_best(site, policy, expected):
    # Built in this order: the highest version is not the newest, and the newest is not the last in the alphabet.
    site.push("app", "1.0.0", "1.10.0", "1.2.3", "1.11.0-rc.1", "main-zzz", "main-aaa", "latest")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy=policy)})
    report = site.once()
    assert [change["to"] for change in report["changes"]] == ([site.image("app", expected)] if expected else [])


@pytest.mark.parametrize("annotations, expected", [
    ({"fluxcd.io/tag.app": r"regexp:^main-(\d+)-", "pawl.dev/order.app": "numeric", "pawl.dev/extract.app": "$1"}, "main-10-b"),
    ({"fluxcd.io/tag.app": r"regexp:^main-(?P<n>\d+)", "pawl.dev/order": "numeric:desc", "pawl.dev/extract": "${n}"}, "main-9-c"),
    ({"fluxcd.io/tag.app": r"regexp:^(\d+\.\d+\.\d+)\.(\d+)$", "pawl.dev/order": "semver", "pawl.dev/extract": "$1-$2"},
     "1.2.3.10"),
    ({"pawl.dev/order": "semver"}, "2024.01.05"),
    ({"fluxcd.io/tag.app": "glob:main-*", "pawl.dev/order": "alpha"}, "main-9-c"),
    ({"pawl.dev/tag.app": "semver:*", "pawl.dev/order.app": "newest", "pawl.dev/order": "semver"}, "0.1.0"),
])
def test_order_and_extract_choose_their_own_best(site, annotations, expected):
    site.push("app", "main-10-b", "main-9-c", "2024.01.05", "1.2.3.10", "1.2.3.9", "0.1.0", "zzz")
    site.start({"web.yaml": workload("web", site.image("app", "old"), annotations=annotations)})
    report = site.once()
    assert report["errors"] == [] and report["held"] == []
    assert [change["to"] for change in report["changes"]] == [site.image("app", expected)]
    by_time = annotations.get("pawl.dev/order.app") == "newest"
    assert any("/blobs/" in request.path for request in site.registry.requests()) == by_time  # dates where they count


@pytest.mark.parametrize("annotations, reason, line", [
    ({"pawl.dev/order": "numerc"}, 'pawl.dev/order: there is no order "numerc"; did you mean numeric?', 8),
    ({"fluxcd.io/tag.app": "regexp:^(a)", "pawl.dev/extract.app": "$2"},
     'pawl.dev/extract.app: $2: the pattern has no group "2"', 9),
])
def test_a_bad_order_blocks_and_says_where(site, annotations, reason, line):
    site.push("app", "1", "2")
    site.start({"web.yaml": workload("web", site.image("app", "1"), annotations=annotations)})
    report = site.once()
    (held,) = report["held"]
    assert (held["decision"], held["cause"], held["candidate"]) == ("blocked", "bad-policy", None)
    assert reason in held["reason"]
    assert report["changes"] == []
    assert [(error["line"], reason in error["message"]) for error in report["errors"]] == [(line, True)]


def test_one_commit_has_the_changes_of_all_workloads(site):
    for name in ("one", "two", "three"):
        site.push(f"team/{name}", "1.0.0", "1.1.0")
    files = {f"{name}/deployment.yaml": workload(name, site.image(f"team/{name}", "1.0.0"), policy="semver:1")
             for name in ("one", "two", "three")}
    # Two more that use an image of the first: it counts once.
    files["four.yaml"] = (workload("four", site.image("team/one", "1.0.0"), policy="semver:1", kind="StatefulSet")
                          + "---\n" + workload("five", site.image("team/one", "1.0.0"), policy="semver:1"))
    site.start(files)
    report = site.once()
    head = site.repo.log()[0]
    assert len(site.repo.log()) == 2
    assert head.subject == "Auto-release multiple (3) images"
    assert head.body.strip("\n").splitlines() == [
        f" - {image}" for image in sorted(site.image(f"team/{name}", "1.1.0") for name in ("one", "two", "three"))]
    assert sorted(change["workload"] for change in report["changes"]) == [
        "demo:deployment/five", "demo:deployment/one", "demo:deployment/three", "demo:deployment/two",
        "demo:statefulset/four"]
    assert sorted(site.repo.diff()) == sorted(
        line for name in ("one", "one", "one", "two", "three")
        for line in (f"-          image: {site.image(f'team/{name}', '1.0.0')}  # kept up to date",
                     f"+          image: {site.image(f'team/{name}', '1.1.0')}  # kept up to date"))


def test_every_container_follows_its_own_policy(site):
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    site.push("sidecar", "main-1", "main-2", "other-3")
    text = workload("web", site.image("app", "1.0.0"), annotations={
        "fluxcd.io/tag.app": "semver:1", "filter.fluxcd.io/sidecar": "glob:main-*"})
    text += f"        - name: sidecar\n          image: {site.image('sidecar', 'main-1')}\n"
    site.start({"web.yaml": text})
    site.once()
    assert site.repo.read("web.yaml").decode() == text.replace("1.0.0", "1.1.0").replace("main-1", "main-2")


def test_a_round_with_nothing_to_do_does_nothing(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1"),
                "dated.yaml": workload("dated", site.image("app", "1.0.0"), policy="glob:*")})
    first = site.once()
    assert len(first["changes"]) == 2 and site.repo.log()[0].subject == f"Auto-release {site.image('app', '1.1.0')}"
    second = site.once()
    assert second["commit"] is None and second["changes"] == [] and second["head"] == first["commit"]
    assert second["applied"] == {**second["applied"], "created": 0, "configured": 0, "failed": 0}
    assert second["applied"]["unchanged"] == 2
    assert len(site.repo.log()) == 2


def test_a_round_with_a_warm_cache_asks_for_one_tag_list_a_repository(site):
    site.push("app", *(f"1.{minor}.0" for minor in range(8)))
    site.push("other", "a", "b")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="glob:1.*"),
                "two.yaml": workload("two", site.image("app", "1.0.0"), policy="semver:1"),
                "other.yaml": workload("other", site.image("other", "a"), policy="glob:*")})
    site.registry.reset_requests()
    site.once()
    assert len(site.registry.requests("/v2/app/tags/list")) == 1
    site.registry.reset_requests()
    site.once()
    assert sorted(request.path.partition("?")[0] for request in site.registry.requests()) == [
        "/v2/app/tags/list", "/v2/other/tags/list"]


def test_a_semver_policy_needs_tag_names_alone(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    site.registry.reset_requests()
    site.once()
    assert [request.path.partition("?")[0] for request in site.registry.requests()] == ["/v2/app/tags/list"]


def test_creation_times_are_asked_only_of_tags_that_match(site):
    site.push("app", *(f"pr-{number}" for number in range(12)), "main-1", "main-2")
    site.start({"web.yaml": workload("web", site.image("app", "main-1"), policy="glob:main-*")})
    site.registry.reset_requests()
    site.once()
    assert not [request for request in site.registry.requests("/manifests/") if "/pr-" in request.path]
    assert 1 <= len(site.registry.requests("/manifests/")) <= 4


# Dry run


def test_a_dry_run_changes_nothing_and_ends_with_3(site):
    site.push("app", "1.0.0", "1.1.0")
    start = site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    report = site.once("--dry-run", rc=3)
    assert report["commit"] is None and report["head"] == start
    assert [change["to"] for change in report["changes"]] == [site.image("app", "1.1.0")]
    assert site.repo.sha() == start and list(site.repo.refs()) == ["refs/heads/main"]
    assert not site.target.exists() or not list(site.target.iterdir())


def test_a_dry_run_with_nothing_to_do_ends_with_0(site):
    site.push("app", "1.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    assert site.once("--dry-run")["changes"] == []


def test_a_dry_run_prints_a_patch_that_git_applies(site, tmp_path):
    site.push("app", "1.0.0", "1.1.0")
    files = {f"{name}/{name}.yaml": write_document(name, site.image("app", "1.0.0"))
             for name in ("plain", "crlf", "no-final-newline", "several-documents", "text-before", "flow")}
    files["mit Leerzeichen/grüße.yaml"] = workload("umlaut", site.image("app", "1.0.0"), policy="semver:1")
    site.start(files)
    shown = site.pawl.expect(3, "once", *site.options, "--dry-run").stdout
    clone = tmp_path / "clone"
    run(["git", "clone", "-q", site.repo.url, clone], env=site.repo.env)
    run(["git", "apply", "--whitespace=nowarn"], env=site.repo.env, cwd=clone, stdin=shown.encode())
    site.once()
    for path in files:
        assert (clone / path).read_bytes() == site.repo.read(path), path


# Exit codes and text


def test_once_says_what_it_did_in_words(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    result = site.pawl.ok("once", *site.options)
    for words in ("demo:deployment/web", "app", site.image("app", "1.0.0"), site.image("app", "1.1.0"), "semver:1",
                  f"Auto-release {site.image('app', '1.1.0')}", "1 created"):
        assert words in result.stdout, f"{words} is not in\n{result}"
    assert result.stderr == ""


def test_json_is_alone_on_stdout_and_one_document(site):
    site.start({"web.yaml": workload("web", "127.0.0.1:1/app:1", policy="semver:1")})
    report = site.once(rc=1)
    assert json.loads(site.result.stdout)["repositories"] == [report]
    assert report["changes"] == [] and report["errors"] and site.result.stderr != ""


def test_exit_code_2_without_a_repository(pawl):
    result = pawl.expect(2, "once")
    assert result.stdout == "" and "--git-url" in result.stderr


# What is left alone


def test_a_locked_workload_is_held_and_says_why(site):
    site.push("app", "1.0.0", "1.1.0")
    start = site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1", annotations={
        "fluxcd.io/locked": "true", "fluxcd.io/locked_user": "Jane <jane@example.com>",
        "fluxcd.io/locked_msg": "release freeze"})})
    report = site.once()
    assert site.repo.sha() == start and report["changes"] == []
    held, = report["held"]
    assert held["workload"] == "demo:deployment/web" and held["container"] == "app"
    assert held["current"] == site.image("app", "1.0.0") and held["candidate"] == "1.1.0"
    assert "Jane <jane@example.com>" in held["reason"] and "release freeze" in held["reason"]
    # It is still applied.
    assert site.applied("web.yaml") == site.repo.read("web.yaml")


def test_a_lock_that_is_not_exactly_true_does_not_hold(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1",
                                     annotations={"fluxcd.io/locked": "True"})})
    assert len(site.once()["changes"]) == 1


def test_an_ignored_workload_is_neither_edited_nor_applied(site):
    site.push("app", "1.0.0", "1.1.0")
    start = site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1",
                                             annotations={"fluxcd.io/ignore": "true"}),
                        "settings.yaml": config_map("settings", a="b")})
    report = site.once()
    assert site.repo.sha() == start and report["changes"] == []
    assert site.applied("web.yaml") is None and site.applied("settings.yaml") is not None


def test_a_workload_that_is_not_automated_is_not_even_asked_about(site):
    site.push("app", "1.0.0", "1.1.0")
    start = site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1", automated=False),
                        "not.yaml": workload("not", site.image("app", "1.0.0"), policy="semver:1",
                                             annotations={"fluxcd.io/automated": "yes"})})
    site.registry.reset_requests()
    report = site.once()
    assert site.repo.sha() == start and report["changes"] == [] and report["held"] == []
    assert site.registry.requests() == []
    assert site.applied("web.yaml") == site.repo.read("web.yaml")


@pytest.mark.parametrize("keys, expected", [
    ({"fluxcd.io/tag.app": "semver:1", "flux.weave.works/tag.app": "semver:2"}, "1.1.0"),
    ({"flux.weave.works/tag.app": "semver:2"}, "2.0.0"),
    ({"filter.fluxcd.io/app": "semver:2", "fluxcd.io/tag.app": "semver:1"}, "1.1.0"),
    ({"filter.fluxcd.io/app": "semver:2", "flux.weave.works/tag.app": "semver:1"}, "2.0.0"),
    ({"pawl.dev/tag.app": "semver:2", "fluxcd.io/tag.app": "semver:1"}, "2.0.0"),
])
def test_prefixes_of_annotations_have_an_order(site, keys, expected):
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), annotations=keys)})
    report = site.once()
    assert [change["to"] for change in report["changes"]] == [site.image("app", expected)]
    # Two that disagree are reported.
    assert bool(report["errors"]) == (len(keys) > 1)


@pytest.mark.parametrize("prefix", ["fluxcd.io", "flux.weave.works", "pawl.dev"])
def test_each_prefix_opts_in(site, prefix):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), automated=False, annotations={
        f"{prefix}/automated": "true", f"{prefix}/tag.app": "semver:1"})})
    assert len(site.once()["changes"]) == 1


# No backward step


def test_a_newer_build_of_a_lower_version_is_held(site):
    site.push("app", "1.1.0", "1.0.5")  # 1.0.5 is a fix of the older line, built later
    start = site.start({"web.yaml": workload("web", site.image("app", "1.1.0"), policy="glob:1.*")})
    report = site.once()
    assert site.repo.sha() == start and report["changes"] == []
    held, = report["held"]
    assert held["candidate"] == "1.0.5" and "1.1.0" in held["reason"]


def test_a_current_version_above_all_that_the_registry_has_is_held(site):
    site.push("app", "1.0.0", "1.1.0")
    start = site.start({"web.yaml": workload("web", site.image("app", "1.2.0"), policy="semver:1")})
    report = site.once()
    assert site.repo.sha() == start and report["changes"] == []
    assert [held["candidate"] for held in report["held"]] == ["1.1.0"]


def test_a_current_tag_outside_the_policy_is_replaced_even_by_a_lower_one(site):
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "2.0.0"), policy="semver:1")})
    report = site.once()
    assert [change["to"] for change in report["changes"]] == [site.image("app", "1.1.0")]
    assert "2.0.0" in report["changes"][0]["reason"]


@pytest.mark.parametrize("current, tags, expected", [
    ("1.0.0", ["1.1.0"], "1.1.0"),
    ("1.2.0", ["1.1.0"], None),
    ("main-abc", ["main-def"], None),
])
def test_a_current_tag_that_is_gone_is_replaced_only_by_a_higher_version(site, current, tags, expected):
    site.push("app", *tags)
    site.start({"web.yaml": workload("web", site.image("app", current), policy="glob:*")})
    report = site.once()
    assert [change["to"] for change in report["changes"]] == ([site.image("app", expected)] if expected else [])
    assert len(report["held"]) == (0 if expected else 1)


def test_latest_is_chosen_only_when_it_is_asked_for(site):
    site.push("app", "1.0.0", "1.1.0", "latest")
    site.start({"star.yaml": workload("star", site.image("app", "1.0.0"), policy="glob:*"),
                "expression.yaml": workload("expression", site.image("app", "1.0.0"), policy="regexp:.*"),
                "latest.yaml": workload("latest", site.image("app", "1.0.0"), policy="glob:latest")})
    report = site.once()
    assert {change["workload"].rpartition("/")[2]: change["to"].rpartition(":")[2] for change in report["changes"]} == {
        "star": "1.1.0", "expression": "1.1.0", "latest": "latest"}


def test_ties_in_time_never_flap(site):
    for tag in ("b", "a", "c"):
        site.registry.push("app", tag, created=day(1))
    site.start({"web.yaml": workload("web", site.image("app", "start"), policy="regexp:^.$")})
    first, = site.once()["changes"]
    assert first["to"] == site.image("app", "c")
    for _ in range(2):
        assert site.once("--cache", "none")["changes"] == []


def test_an_image_pinned_by_digest_is_held(site):
    site.push("app", "1.0.0", "1.1.0")
    pinned = f"{site.image('app', '1.0.0')}@{site.registry.digest('app', '1.0.0')}"
    start = site.start({"web.yaml": workload("web", pinned, policy="semver:1")})
    report = site.once()
    assert site.repo.sha() == start
    assert [held["candidate"] for held in report["held"]] == ["1.1.0"]
    assert "sha256:" in report["held"][0]["reason"]


def test_excluded_images_are_not_asked_for(site):
    site.push("app", "1.0.0", "1.1.0")
    site.push("other", "1.0.0", "1.1.0")
    site.start({"app.yaml": workload("app", site.image("app", "1.0.0"), policy="semver:1"),
                "other.yaml": workload("other", site.image("other", "1.0.0"), policy="semver:1")})
    site.registry.reset_requests()
    report = site.once("--registry-exclude-image", f"{site.registry.host}/app")
    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/other"]
    assert site.registry.requests("/v2/app/") == []


# Bad input spoils only itself


def test_what_is_broken_is_left_out_with_file_line_and_reason(site):
    site.push("app", "1.0.0", "1.1.0")
    old = site.image("app", "1.0.0")
    good = workload("good", old, policy="semver:1")
    bad = {
        "broken.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [unclosed\ndata: {}\n",
        "copy-one.yaml": workload("copy", old, policy="semver:1"),
        "copy-two.yaml": "# again\n" + workload("copy", old, policy="semver:1"),
        "image.yaml": workload("image", "Not/An_Image", policy="semver:1"),
        "semver.yaml": workload("semver", old, policy="semver:not-a-range"),
        "regexp.yaml": workload("regexp", old, policy="regexp:(unclosed"),
        "key.yaml": workload("key", old, policy="semver:1", annotations={"pawl.dev/no-such-key": "1"}),
    }
    site.start({"good.yaml": good, **bad})
    result = site.pawl.run("once", *site.options, "--deploy-to", "none", "-o", "json")
    report = result.json["repositories"][0]
    assert result.rc == 0, result

    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/good"]
    assert site.repo.changed_files() == ["good.yaml"]
    errors = {error["file"]: error for error in report["errors"]}
    assert set(errors) == set(bad), result
    expected = {
        "broken.yaml": (None, range(3, 5), ""),
        "copy-one.yaml": ("copy", [1], "copy-two.yaml"),
        "copy-two.yaml": ("copy", [2], "copy-one.yaml"),
        "image.yaml": ("image", [line_of(bad["image.yaml"], "image:")], "Not/An_Image"),
        "semver.yaml": ("semver", [line_of(bad["semver.yaml"], "fluxcd.io/tag")], "semver:not-a-range"),
        "regexp.yaml": ("regexp", [line_of(bad["regexp.yaml"], "fluxcd.io/tag")], "regexp:(unclosed"),
        "key.yaml": ("key", [line_of(bad["key.yaml"], "pawl.dev")], "pawl.dev/no-such-key"),
    }
    for file, (name, lines, words) in expected.items():
        error = errors[file]
        assert error["workload"] == (name and f"demo:deployment/{name}"), error
        assert error["line"] in lines and words in error["message"], error
        said = [line for line in result.stderr.splitlines() if f"{file}:{error['line']}:" in line]
        assert len(said) == 1 and error["message"] in said[0], result


def test_a_broken_document_does_not_spoil_the_rest_of_its_file(site):
    site.push("app", "1.0.0", "1.1.0")
    one, two = (workload(name, site.image("app", "1.0.0"), policy="semver:1") for name in ("one", "two"))
    broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [unclosed\n"
    site.start({"all.yaml": f"{one}---\n{broken}---\n{two}"})
    result = site.pawl.run("once", *site.options, "--deploy-to", "none", "-o", "json")
    report = result.json["repositories"][0]
    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/one", "demo:deployment/two"]
    assert len(report["errors"]) == 1
    assert site.repo.read("all.yaml").decode() == "---\n".join(
        (one.replace("1.0.0", "1.1.0"), broken, two.replace("1.0.0", "1.1.0")))


_LAUGHS = "".join(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" if number else "a0: &a0 [ha]\n"
                  for number in range(10))


@pytest.mark.parametrize("text", [
    _LAUGHS + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: laughs}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\ndata: " + "[" * 20_000 + "]" * 20_000 + "\n",
    "a: &a [*a]\n", "\0\0\0\0", b"\xff\xfea\0:\0", b"kind: \xc3\x28\n", "%FOO\n%YAML 9.9\n--- x\n",
    "# " + "x" * (9 << 20) + "\n",
], ids=["laughs", "deep", "of itself", "zeros", "UTF-16", "not UTF-8", "directives", "9 MiB"])
def test_a_hostile_file_does_no_harm(site, text):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"hostile.yaml": text, "web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    result = site.pawl.run("once", *site.options, "--deploy-to", "none", "-o", "json")
    report = result.json["repositories"][0]
    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/web"]
    assert {error["file"] for error in report["errors"]} <= {"hostile.yaml"}


def _config_map_of(data):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hostile\ndata:\n{data}\n"


@pytest.mark.parametrize("data, line, reason", [
    (_LAUGHS.replace("a0:", "  a0:").replace("\na", "\n  a"), 12, "too many nodes"),
    ("  deep: " + "[" * 10_000 + "]" * 10_000, 6, "nested too deep"),
    ("  deep:\n" + "".join(f"{' ' * (number + 3)}a:\n" for number in range(500)), 133, "nested too deep"),
], ids=["laughs", "deep flow", "deep block"])
def test_what_is_over_a_limit_is_out_alone_with_its_line_and_reason(site, data, line, reason):
    site.push("app", "1.0.0", "1.1.0")
    one, two = (workload(name, site.image("app", "1.0.0"), policy="semver:1") for name in ("one", "two"))
    hostile = _config_map_of(data)
    site.start({"all.yaml": f"{one}---\n{hostile}---\n{two}"})
    report = site.pawl.run("once", *site.options, "--deploy-to", "none", "-o", "json").json["repositories"][0]
    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/one", "demo:deployment/two"]
    (error,) = report["errors"]
    assert error["file"] == "all.yaml" and reason in error["message"], error
    assert error["line"] == one.count("\n") + 1 + line, error
    assert hostile.encode() in site.repo.read("all.yaml")


def test_a_file_of_100_megabytes_is_left_out_and_said(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"huge.yaml": b"# " + b"x" * (100 << 20) + b"\n",
                "web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    report = site.pawl.run("once", *site.options, "--deploy-to", "none", "-o", "json").json["repositories"][0]
    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/web"]
    (error,) = report["errors"]
    assert error["file"] == "huge.yaml" and "the limit is" in error["message"]


def test_only_yaml_files_below_the_paths_are_read_and_charts_are_not(site):
    site.push("app", "1.0.0", "1.1.0")
    old = site.image("app", "1.0.0")
    files = {f"{path}": workload(f"w{number}", old, policy="semver:1") for number, path in enumerate((
        "releases/a/web.yaml", "releases/b/web.yml", "releases/b/web.json", "releases/web.txt", "elsewhere/web.yaml",
        "releases/chart/templates/web.yaml", "single.yaml"))}
    files["releases/chart/Chart.yaml"] = "name: chart\nversion: 1.0.0\n"
    files["releases/chart/values.yaml"] = "a: 1\n"
    site.start(files)
    site.once("--git-path", "releases,single.yaml")
    assert site.repo.changed_files() == ["releases/a/web.yaml", "releases/b/web.yml", "single.yaml"]


# The edit


def test_an_edit_changes_the_bytes_of_the_tag_alone(site):
    site.push("team/app", "1.0.0", "1.10.0")
    files = {f"{name}.yaml": write_document(name, site.image("team/app", "1.0.0")) for name in DOCUMENTS}
    site.start(files)
    report = site.once("--deploy-to", "none", "--registry-exclude-image", "example.test/*")
    wrong = {}
    for name in DOCUMENTS:
        want, got = write_document(name, site.image("team/app", "1.10.0")), site.repo.read(f"{name}.yaml")
        if got != want:
            wrong[name] = (got, want)
    assert not wrong and report["errors"] == []
    assert len(report["changes"]) == len(DOCUMENTS)


@pytest.mark.parametrize("image", ["app", "app:1.0.0"])
def test_the_name_stays_as_it_is_written(site, image):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", f"{site.registry.host}/{image}", policy="semver:1")})
    site.once()
    assert site.repo.read("web.yaml").decode() == workload("web", site.image("app", "1.1.0"), policy="semver:1")


def test_an_anchored_image_is_edited_once_for_all_who_use_it(site):
    site.push("app", "1.0.0", "1.1.0")
    text = workload("web", f"&image {site.image('app', '1.0.0')}", annotations={
        "fluxcd.io/tag.app": "semver:1", "fluxcd.io/tag.other": "semver:1"})
    text += "        - name: other\n          image: *image\n"
    site.start({"web.yaml": text})
    report = site.once()
    assert site.repo.read("web.yaml").decode() == text.replace("1.0.0", "1.1.0"), report


def test_an_anchored_image_whose_users_disagree_is_not_edited(site):
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    text = workload("web", f"&image {site.image('app', '1.0.0')}", annotations={
        "fluxcd.io/tag.app": "semver:1", "fluxcd.io/tag.other": "semver:2"})
    text += "        - name: other\n          image: *image\n"
    start = site.start({"web.yaml": text})
    result = site.pawl.run("once", *site.options, "-o", "json")
    assert site.repo.sha() == start, result
    assert result.json["repositories"][0]["errors"], result
