"""`explain -o json`, `once -o json` and the note of the commit tell the same of every decision, whatever it is."""

import json

import pytest

from parts.manifests import workload

# What the note leaves out of the record of explain (docs/interface.md); "from" and "to" come instead.
_NOT_IN_NOTES = {"git", "head", "next_scan", "budget"}
_LOCKED = {"fluxcd.io/locked": "true", "fluxcd.io/locked_user": "jane", "fluxcd.io/locked_msg": "a\tfreeze: \"1\""}
_NEVER = {"pawl.dev/window": "Mon 00:00-00:01 UTC; Thu 00:00-00:01 UTC"}

# By name: image, options of `workload`, and the decision and cause that come of it. A workload is named like this.
STORIES = {
    "update": ("app:1.0.0", {"policy": "semver:1"}, "update", "none"),
    "foreign": ("app:main", {"policy": "semver:1"}, "update", "none"),
    "untagged": ("app", {"policy": "semver:1"}, "update", "none"),
    "newest": ("app:1.0.0", {"policy": "glob:1.*"}, "update", "none"),
    "down": ("app:1.1.0", {"policy": "semver:1.0.x || 1.1", "annotations": {"pawl.dev/allow-downgrade": "true"}},
             "current", "none"),
    "pin": ("app:1.0.0", {"policy": "semver:1", "annotations": {"pawl.dev/digest": "pin"}}, "update", "none"),
    "follow": ("app:1.1.0", {"annotations": {"pawl.dev/digest": "follow"}}, "update", "none"),
    "current": ("app:1.1.0", {"policy": "semver:1"}, "current", "none"),
    "nothing": ("app:1.1.0", {"policy": "semver:7"}, "current", "none"),
    "locked": ("app:1.0.0", {"policy": "semver:1", "annotations": _LOCKED}, "held", "locked"),
    "closed": ("app:1.0.0", {"policy": "semver:1", "annotations": _NEVER}, "held", "outside-window"),
    "pinned": ("app:1.0.0@sha256:" + "1" * 64, {"policy": "semver:1"}, "held", "pinned"),
    "back": ("app:3.0.0", {"policy": "semver:*"}, "held", "step-back"),
    "young": ("fresh:1.0.0", {"policy": "semver:1", "annotations": {"pawl.dev/min-age": "2d"}}, "held", "too-young"),
    "arch": ("app:main", {"policy": "semver:1", "annotations": {"pawl.dev/platforms": "linux/s390x"}}, "held",
             "platform-missing"),
    "key": ("app:1.0.0", {"annotations": {"pawl.dev/nonsense": "x"}}, "blocked", "unknown-annotation"),
    "unread": ("'not an image'", {}, "blocked", "bad-image"),
    "pattern": ("app:1.0.0", {"policy": "semver:foo"}, "blocked", "bad-policy"),
    "slow": ("app:1.0.0", {"policy": r"regexp:^(a+)+\1$"}, "blocked", "slow-policy"),
    "excluded": ("other/excluded:1.0.0", {"policy": "semver:1"}, "blocked", "excluded"),
    "gone": ("nosuch:1.0.0", {"policy": "semver:1"}, "blocked", "no-answer"),
    "undated": ("undated:a", {"policy": "glob:*"}, "blocked", "no-creation-time"),
    "ignored": ("app:1.0.0", {"policy": "semver:1", "annotations": {"fluxcd.io/ignore": "true"}}, "held", "ignored"),
    "idle": ("app:1.0.0", {"policy": "semver:1", "automated": False}, "held", "not-automated"),
}


@pytest.fixture
def told(site):
    site.push("app", "1.0.0", "1.1.0", "2.0.0", "main", "latest", "a" * 60 + "c")
    site.push("fresh", "1.0.0", "1.1.0")
    site.registry.push("undated", "a", created=None)
    site.registry.push("undated", "b", created=None)
    files = {}
    for name, (image, how, _, _) in STORIES.items():
        image = image if image[0] == "'" else f"{site.registry.host}/{image}"
        files[f"apps/{name}.yaml"] = workload(name, image, **how)
    site.start(files)
    return site


def _explained(site, *options):
    records = site.pawl.ok("explain", "--all", "-o", "json", "--git-url", site.url, *options).json
    return {record["workload"].split("/")[1]: record for record in records}


def _by_name(entries):
    return {entry["workload"].split("/")[1]: entry for entry in entries}


EXCLUDE = ("--registry-exclude-image", "*/other/*")


def test_all_decisions(told):
    site = told
    records = _explained(site, *EXCLUDE)
    assert {name: (record["decision"], record["cause"]) for name, record in records.items()} == {
        name: (decision, cause) for name, (_, _, decision, cause) in STORIES.items()}
    for options, rc in ((["--dry-run"], 1), ([], 1)):
        report = site.once(*EXCLUDE, *options, rc=rc)
        changes, held = _by_name(report["changes"]), _by_name(report["held"])
        silent = {name for name, record in records.items()
                  if record["decision"] == "current" or record["cause"] in ("ignored", "not-automated")}
        assert set(changes) | set(held) | silent == set(STORIES)
        for name, change in changes.items():
            record = records[name]
            assert record["decision"] == "update"
            assert (change["from"], change["to"], change["reason"], change["file"], change["line"]) == (
                record["image"], record["target"], record["reason"], record["file"], record["line"])
        for name, entry in held.items():
            record = records[name]
            assert {key: entry[key] for key in ("candidate", "decision", "cause", "reason")} == {
                key: record[key] for key in ("candidate", "decision", "cause", "reason")}, name
            assert entry["current"] == (None if record["cause"] == "bad-image" else record["image"])
    noted = _by_name(json.loads(site.repo.git("notes", "--ref", "flux", "show", report["commit"]))["pawl"]["decisions"])
    assert set(noted) == set(changes)
    for name, note in noted.items():
        record = {key: value for key, value in records[name].items() if key not in _NOT_IN_NOTES and value is not None}
        note = dict(note)
        assert (note.pop("from"), note.pop("to")) == (record["image"], record["target"])
        assert {**note, "scanned_at": None} == {**record, "scanned_at": None}, name


def _same(site, *options, rc=0):
    """Compares explain with a round of the same options; returns the cause of each decision by name."""
    records = _explained(site, *options)
    held = _by_name(site.once(*options, "--dry-run", rc=rc)["held"])
    for name, entry in held.items():
        for key in ("candidate", "decision", "cause", "reason"):
            assert entry[key] == records[name][key], (name, key)
    assert {name for name, record in records.items() if record["decision"] in ("held", "blocked")} == set(held)
    return {name: record["cause"] for name, record in records.items()}


def test_decisions_that_circumstances_hold(site, fault_proxy):
    site.push("app", "1.0.0", "1.1.0")
    site.registry.tag_many("app", "1.0.0", [f"0.0.{number}" for number in range(30)])
    image = f"{fault_proxy.host}/app"
    first = {"web.yaml": workload("web", f"{image}:1.0.0", policy="semver:1")}
    site.start(first)
    assert _same(site, "--git-readonly") == {"web": "read-only"}
    assert _same(site, "--registry-tag-limit", "3") == {"web": "too-many-tags"}
    site.once()
    site.repo.commit(first, "back", author="Jane <jane@example.com>")
    assert _same(site) == {"web": "reverted"}
    fault_proxy.answer(503, path="/v2/", times=None)
    assert _same(site, rc=1) == {"web": "stale-answer"}
    fault_proxy.heal()
    site.registry.delete("app", "1.0.0")  # and with it the 30 tags of the same image
    assert _same(site) == {"web": "shrunken-list"}
