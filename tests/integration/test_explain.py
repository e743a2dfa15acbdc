"""`pawl explain`: all that leads to a decision, for every kind of decision, as JSON and as text."""

import pytest

from parts.manifests import line_of, workload

WHO = "demo:deployment/web"
KEYS = {"container", "image", "policy", "repository", "tags_seen", "rejected", "candidate", "decision", "reason",
        "scanned_at", "next_scan", "cause", "file", "line", "order", "held_by", "digest", "budget", "workload",
        "automated", "locked", "target", "problems", "git", "head", "tags_matching", "scan_error"}


def _explain(site, *operands, rc=0):
    return site.pawl.expect(rc, "explain", *(operands or (WHO,)), "--git-url", site.url)


def _one(site, *operands):
    (record,) = _explain(site, *(operands or (WHO,)), "-o", "json").json
    assert KEYS <= set(record), KEYS - set(record)
    return record


def _start(site, current="1.0.0", **how):
    site.push("web", "1.0.0", "1.0.1", "2.0.0", "main", "latest")
    text = workload("web", site.image("web", current), **{"policy": "semver:~1.0", **how})
    return site.start({"apps/web.yaml": text}), text


def test_an_update_with_all_that_led_to_it(site):
    head, text = _start(site)
    record = _one(site)
    assert record == {
        **record, "git": "gitops", "head": head, "workload": WHO, "container": "app", "file": "apps/web.yaml",
        "line": line_of(text, "image:"), "image": site.image("web", "1.0.0"), "policy": "semver:~1.0",
        "order": "semver", "repository": f"{site.registry.host}/web", "tags_seen": 5, "tags_matching": 2,
        "rejected": {"no match": 1, "not a version": 1, "latest": 1}, "candidate": "1.0.1",
        "target": site.image("web", "1.0.1"), "decision": "update", "cause": "none", "held_by": [],
        "automated": True, "locked": False, "problems": [], "scan_error": None}
    assert "1.0.1" in record["reason"] and record["scanned_at"] < record["next_scan"]
    assert record["budget"]["host"] == site.registry.host and record["budget"]["ceiling"] == 50
    assert len(site.repo.log()) == 1, "nothing is written"


@pytest.mark.parametrize("how, decision, held_by", [
    ({"current": "1.0.1"}, "current", []),
    ({"annotations": {"fluxcd.io/locked": "true", "fluxcd.io/locked_user": "jane"}}, "held", ["locked"]),
    ({"automated": False}, "held", ["not-automated"]),
    ({"automated": False, "annotations": {"fluxcd.io/locked": "true"}}, "held", ["not-automated", "locked"]),
    ({"annotations": {"fluxcd.io/ignore": "true"}}, "held", ["ignored"]),
    ({"policy": "semver:foo"}, "blocked", ["bad-policy"]),
    ({"annotations": {"pawl.dev/nonsense": "x"}}, "blocked", ["unknown-annotation"]),
    ({"policy": "glob:main", "current": "2.0.0"}, "update", []),
    ({"policy": "semver:*", "current": "3.0.0"}, "held", ["step-back"]),
])
def test_every_kind_of_decision(site, how, decision, held_by):
    _start(site, **how)
    record = _one(site)
    assert (record["decision"], record["held_by"]) == (decision, held_by), record
    if decision == "held" and how.get("current") is None:
        assert record["candidate"] == "1.0.1" and record["target"] == site.image("web", "1.0.1")
    text = _explain(site).stdout
    assert f"decision    {decision}\n" in text and record["reason"] in text
    for name in held_by:
        assert name in text


def test_a_dry_run_says_the_same_with_reason_and_diff(site):
    site.push("web", "1.0.0", "1.0.1", "2.0.0")
    old = site.image("web", "1.0.0")
    site.start({f"{name}.yaml": workload(name, image, **how) for name, image, how in (
        ("update", old, {"policy": "semver:~1.0"}), ("current", site.image("web", "1.0.1"), {"policy": "semver:~1.0"}),
        ("held", old, {"policy": "semver:~1.0", "annotations": {"fluxcd.io/locked": "true"}}),
        ("blocked", old, {"policy": "semver:foo"}))})
    records = {record["workload"].split("/")[1]: record for record in _explain(site, "--all", "-o", "json").json}
    assert {name: record["decision"] for name, record in records.items()} == {name: name for name in records}
    report = site.once("--dry-run", rc=3)
    (change,) = report["changes"]
    assert change["reason"] == records["update"]["reason"] and change["to"] == records["update"]["target"]
    assert {held["workload"].split("/")[1]: (held["decision"], held["reason"]) for held in report["held"]} == {
        name: (name, records[name]["reason"]) for name in ("held", "blocked")}
    assert f"-          image: {old}" in report["diff"] and f"+          image: {change['to']}" in report["diff"]
    text = site.pawl.expect(3, "once", *site.options, "--dry-run").stdout
    for name in ("update", "held", "blocked"):
        assert records[name]["reason"] in text
    assert report["diff"] in text and "current 1 of 4" in text
    assert site.once()["diff"] is None


def test_an_image_that_cannot_be_read(site):
    site.start({"web.yaml": workload("web", "'not an image'")})
    record = _one(site)
    assert record["decision"] == "blocked" and record["cause"] == "bad-image" and record["repository"] is None
    assert record["image"] == "not an image" and record["budget"] is None and record["next_scan"] is None
    assert "web.yaml:" in record["problems"][0]
    assert "not an image" in _explain(site).stdout


def test_a_registry_that_does_not_answer_is_part_of_the_explanation(site):
    site.start({"web.yaml": workload("web", "127.0.0.1:1/web:1.0.0")})
    record = _one(site)
    assert record["decision"] == "blocked" and record["cause"] == "no-answer"
    assert "127.0.0.1:1" in record["scan_error"] and record["scanned_at"] is None
    text = _explain(site).stdout
    assert "127.0.0.1:1/web: no answer" in text and "cannot connect" in text


def test_a_workload_that_is_defined_twice_is_explained_twice(site):
    image = site.image("web", "1.0.0")
    site.start({"a.yaml": workload("web", image), "b.yaml": workload("web", image)})
    records = _explain(site, WHO, "-o", "json").json
    assert [record["file"] for record in records] == ["a.yaml", "b.yaml"]
    assert {record["cause"] for record in records} == {"duplicate"}


def test_only_the_registries_of_the_workload_are_asked(site):
    site.push("other", "1.0.0")
    _start(site)
    site.repo.commit({"other.yaml": workload("other", site.image("other", "1.0.0"))}, "another")
    site.registry.reset_requests()
    _one(site)
    assert {request.path.split("/")[2] for request in site.registry.requests("/v2/") if request.path != "/v2/"} == {"web"}


def test_all_of_them(site):
    _start(site)
    site.repo.commit({"other.yaml": workload("other", site.image("web", "2.0.0"), automated=False)}, "another")
    names = [record["workload"] for record in _explain(site, "--all", "-o", "json").json]
    assert names == ["demo:deployment/other", WHO]
    assert [record["workload"] for record in _explain(site, "*", "-o", "json").json] == names
    assert "demo:deployment/other" in _explain(site, "--all").stdout
    _explain(site, "--all", WHO, rc=2)


def test_a_workload_that_is_not_there(site):
    _start(site)
    site.repo.commit({"bad.yaml": "a: [\n"}, "broken")
    result = _explain(site, "demo:deployment/wep", rc=1)
    assert result.stdout == "" and f"did you mean {WHO}?" in result.stderr and "bad.yaml" in result.stderr
    assert f"did you mean {WHO}?" in _explain(site, "deployment/web", rc=1).stderr, "another namespace"
    assert _one(site, "deployment/web", "-n", "demo")["workload"] == WHO
    assert "kind/name" in _explain(site, "nonsense", rc=2).stderr


def test_a_workload_of_several_repositories_in_git(site, new_repo, tmp_path):
    _start(site)
    second = new_repo("second", {"web.yaml": workload("web", site.image("web", "1.0.1"), policy="semver:~1.0")})
    config = tmp_path / "pawl.yaml"
    config.write_text("repositories:\n"
                      f"  - {{name: staging, url: {site.url}, deploy-to: none}}\n"
                      f"  - {{name: prod, url: {second.url}, deploy-to: none, git-readonly: true}}\n")
    records = site.pawl.expect(0, "explain", WHO, "--config", str(config), "-o", "json").json
    assert [(record["git"], record["decision"]) for record in records] == [("staging", "update"), ("prod", "current")]
