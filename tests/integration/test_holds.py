"""What keeps an update back for a while, or lets it go where it would not: pawl.dev/'s own annotations."""

import datetime
import time

import pytest

from parts.manifests import line_of, workload


def _now(**later):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**later)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _start(site, *tags, current="1.0.0", policy="semver:1", **annotations):
    """A workload whose container may have the tags; annotations without their prefix."""
    site.push("app", *tags)
    ours = {f"pawl.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    text = workload("web", site.image("app", current), policy=policy, annotations=ours)
    site.start({"web.yaml": text})
    return text


def _held(report):
    """The one container that is held: what it says."""
    assert report["changes"] == [] and report["commit"] is None
    (entry,) = report["held"]
    return entry


def _changed_to(report):
    return [change["to"] for change in report["changes"]]


# Locks that end


def test_a_lock_ends_by_itself(site):
    _start(site, "1.0.0", "1.1.0", locked="true", locked_until=_now(hours=1))
    entry = _held(site.once())
    assert (entry["decision"], entry["cause"], entry["candidate"]) == ("held", "locked", "1.1.0")
    text = site.repo.read("web.yaml").decode()
    site.repo.commit({"web.yaml": text.replace(text.split('locked-until: "')[1].split('"')[0], _now(hours=-1))})
    assert _changed_to(site.once()) == [site.image("app", "1.1.0")]


def test_serve_goes_on_when_a_lock_ends(site):
    _start(site, "1.0.0", "1.1.0", locked_until=_now(seconds=4))
    began = time.monotonic()
    with site.pawl.serve(*site.options, "--git-poll-interval", "1h", "--registry-poll-interval", "1h") as daemon:
        daemon.wait_for_log("decision=held .*locked until")
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', '1.1.0')}"), "the commit")
    assert time.monotonic() - began > 2


# Windows


def _window(first, last):
    """A window from so many hours from now to so many, in UTC."""
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = (now + datetime.timedelta(hours=hours) for hours in (first, last))
    return f"{start:%a} {start:%H:%M}-{end:%H:%M} Etc/UTC"


def test_a_closed_window_holds(site):
    _start(site, "1.0.0", "1.1.0", window=_window(5, 7))
    entry = _held(site.once())
    assert (entry["cause"], entry["candidate"]) == ("outside-window", "1.1.0")
    assert "closed until" in entry["reason"]


def test_an_open_window_lets_through(site):
    _start(site, "1.0.0", "1.1.0", window=f"{_window(5, 7)}; {_window(-1, 2)}")
    assert _changed_to(site.once()) == [site.image("app", "1.1.0")]


# What lets a policy go down


def test_a_policy_goes_down_only_where_it_may(site):
    _start(site, "2.0.0", "1.1.0", current="2.0.0", policy="glob:*")
    assert _held(site.once())["cause"] == "step-back"
    text = site.repo.read("web.yaml").decode()
    site.repo.commit({"web.yaml": text.replace("annotations:\n", "annotations:\n    pawl.dev/allow-downgrade: 'true'\n")})
    assert _changed_to(site.once()) == [site.image("app", "1.1.0")]


# What cannot be read


@pytest.mark.parametrize("key, value, words", [
    ("min-age", "a while", "span of time"),
    ("digest", "always", "none of never, pin and follow"),
    ("platforms", "amd64", "no platform"),
    ("allow-downgrade", "yes", "neither"),
    ("locked-until", "Friday", "no time"),
    ("window", "Mon-Fri 9-17", "span of time"),
    ("window", "09:00-10:00 Europe/Atlantis", "Europe/Atlantis"),
])
def test_what_cannot_be_read_blocks_and_says_where(site, key, value, words):
    text = _start(site, "1.0.0", "1.1.0", **{key: value})
    report = site.once()
    assert report["changes"] == []
    (problem,) = report["errors"]
    assert (problem["file"], problem["line"], problem["workload"]) == (
        "web.yaml", line_of(text, f"pawl.dev/{key}"), "demo:deployment/web")
    assert words in problem["message"] and f"pawl.dev/{key}" in problem["message"]
    assert (report["held"][0]["decision"], report["held"][0]["cause"]) == ("blocked", "bad-policy")
