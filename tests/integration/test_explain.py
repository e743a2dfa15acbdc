"""`pawl explain`: all that leads to a decision, for every kind of decision, as JSON and as text."""

import datetime
import json
import time

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


# The whole policy, whatever it is made of


@pytest.mark.parametrize("policy, annotations, order, words", [
    ("semver:~1.0", {}, "semver", "the highest version"),
    ("glob:1.*", {}, "newest", "the newest"),
    ("glob:1.*", {"order": "semver"}, "semver", "the highest version"),
    ("glob:1.*", {"order": "alpha:desc"}, "alpha:desc", "the first in alphabetical order"),
    (r"regexp:^1\.0\.(\d+)$", {"order.app": "numeric", "extract": "$1"}, "numeric", "the highest number of \"$1\""),
])
def test_the_order_is_the_one_that_decides(site, policy, annotations, order, words):
    _start(site, policy=policy, annotations={f"pawl.dev/{key}": value for key, value in annotations.items()})
    record = _one(site)
    assert record["order"] == order and record["extract"] == annotations.get("extract")
    assert f"policy      {policy}, {words}\n" in _explain(site).stdout


def test_every_setting_is_in_the_record_and_in_the_text(site):
    _start(site, annotations={
        "pawl.dev/digest": "pin", "pawl.dev/platforms.app": "linux/amd64,linux/arm64", "pawl.dev/min-age": "36h",
        "pawl.dev/allow-downgrade": "true", "pawl.dev/window": "Mon-Fri 09:00-16:00 Europe/Berlin",
        "pawl.dev/locked-until": "2124-01-31T17:00:00Z"})
    record = _one(site)
    assert {key: record[key] for key in ("digest_mode", "platforms", "min_age", "allow_downgrade", "window", "locked",
                                         "locked_until")} == {
        "digest_mode": "pin", "platforms": ["linux/amd64", "linux/arm64"], "min_age": "36h", "allow_downgrade": True,
        "window": "Mon-Fri 09:00-16:00 Europe/Berlin", "locked": True, "locked_until": "2124-01-31T17:00:00Z"}
    text = _explain(site).stdout
    assert "locked until 2124-01-31T17:00:00Z" in text
    assert ("settings    digest pin; platforms linux/amd64,linux/arm64; min-age 36h; allow-downgrade; "
            "window Mon-Fri 09:00-16:00 Europe/Berlin\n") in text


def test_a_record_without_settings_says_so(site):
    _start(site)
    record = _one(site)
    assert (record["extract"], record["digest_mode"], record["platforms"], record["min_age"], record["allow_downgrade"],
            record["window"], record["locked_until"]) == (None, "never", [], None, False, None, None)
    assert "settings" not in _explain(site).stdout


def test_what_is_passed_over_is_counted_as_rejected(site):
    site.push("web", "1.0.0", "1.0.1", "1.0.2")
    text = workload("web", site.image("web", "1.0.0"), policy="semver:~1.0", annotations={"pawl.dev/min-age": "30m"})
    site.start({"web.yaml": text})
    record = _one(site)
    assert record["rejected"] == {"too young": 2} and record["tags_matching"] == 3 and record["cause"] == "too-young"
    assert record["held_until"] and "rejected    2 too young" in _explain(site).stdout


def test_a_lock_that_has_ended_is_none(site):
    _start(site, annotations={"fluxcd.io/locked": "true", "pawl.dev/locked-until": "2024-01-31T17:00:00Z"})
    record = _one(site)
    assert (record["decision"], record["held_by"], record["locked"]) == ("update", [], False)
    assert record["locked_until"] == "2024-01-31T17:00:00Z"
    text = _explain(site).stdout
    assert "held by" not in text and ", locked" not in text


def test_a_marker_automates_its_container_alone(site):
    site.push("web", "1.0.0", "1.0.1")
    text = workload("web", site.image("web", "1.0.0") + " # pawl: semver:~1.0\n        - name: other\n          image: "
                    + site.image("web", "1.0.0"), automated=False)
    site.start({"web.yaml": text})
    app, other = _explain(site, WHO, "-o", "json").json
    assert (app["container"], app["decision"], app["automated"], app["held_by"]) == ("app", "update", True, [])
    assert (other["decision"], other["automated"], other["held_by"]) == ("held", False, ["not-automated"])
    assert "app: " in _explain(site).stdout


def test_what_would_be_written_has_its_digest(site):
    site.push("web", "1.0.0", "1.0.1")
    text = workload("web", site.image("web", "1.0.0"), policy="semver:~1.0",
                    annotations={"pawl.dev/digest": "pin", "fluxcd.io/locked": "true"})
    site.start({"web.yaml": text})
    record = _one(site)
    assert (record["cause"], record["candidate"], record["target"]) == ("locked", "1.0.1", None), "it is not known yet"
    site.repo.commit({"web.yaml": text.replace("fluxcd.io/locked", "fluxcd.io/unlocked")}, "go")
    record = _one(site)
    assert record["target"] == f"{site.image('web', '1.0.1')}@{record['digest']}"


def test_entries_of_a_kustomization_with_policies_of_several_workloads(site):
    site.push("one", "1.0.0", "1.0.1")
    site.push("two", "1.0.0", "1.1.0", "2.0.0")
    one, two = f"{site.registry.host}/one", f"{site.registry.host}/two"
    site.start({
        "one.yaml": workload("one", f"{one}:0.9.0", policy="semver:~1.0"),
        "two.yaml": workload("two", f"{two}:0.9.0", policy="semver:^1.0"),
        "kustomization.yaml": f"resources: [one.yaml, two.yaml]\nimages:\n- name: {one}\n  newTag: 1.0.0\n"
                              f"- name: {two}\n  newTag: 1.0.0\n"})
    records = {(record["workload"], record["container"]): record for record in _explain(site, "--all", "-o", "json").json}
    entries = {key[1]: record for key, record in records.items() if ":kustomization/" in key[0]}
    assert {name: (entry["policy"], entry["target"], entry["automated"]) for name, entry in entries.items()} == {
        "one": ("semver:~1.0", f"{one}:1.0.1", True), "two": ("semver:^1.0", f"{two}:1.1.0", True)}
    assert "kustomization/" in _explain(site, "--all").stdout


def test_the_note_of_a_commit_has_the_record(site):
    _start(site, annotations={"pawl.dev/min-age.other": "1h"})
    record = _one(site)
    report = site.once()
    (decision,) = json.loads(site.repo.git("notes", "--ref", "flux", "show", report["commit"]))["pawl"]["decisions"]
    changing = {"git", "head", "budget", "next_scan", "scanned_at", "problems"}
    assert {key: decision.get(key) for key in record.keys() - changing} == {
        key: record[key] for key in record.keys() - changing}
    assert None not in decision.values()
    assert (decision["from"], decision["to"]) == (record["image"], record["target"])
    assert decision["tags_seen"] == 5 and decision["rejected"] == record["rejected"]
    assert record["problems"] and decision["problems"] == record["problems"]


def test_the_age_of_an_image_is_that_which_rounds_go_by(site):
    site.push("web", "1.0.0", "1.0.1")
    text = workload("web", site.image("web", "1.0.0"), policy="semver:~1.0", annotations={"pawl.dev/min-age": "4s"})
    site.start({"web.yaml": text})
    assert [entry["cause"] for entry in site.once()["held"]] == ["too-young"]
    time.sleep(2)
    assert "2s old" in _one(site)["reason"] or "3s old" in _one(site)["reason"]
    time.sleep(3)
    assert _one(site)["decision"] == "update"


def test_all_that_stands_in_the_way_is_named(site):
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=5)
    _start(site, annotations={"pawl.dev/min-age": "30d", "pawl.dev/window": f"{later:%H}:00-{later:%H}:30",
                              "fluxcd.io/locked": "true"})
    assert _one(site)["held_by"] == ["locked", "outside-window", "too-young"]
