"""What keeps an update back for a while, or lets it go where it would not: pawl.dev/'s own annotations."""

import datetime
import time

import pytest

from parts.manifests import line_of, workload
from parts.site import day


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


def test_a_lock_that_has_ended_is_none_for_people_either(site):
    site.push("app", "1.0.0", "1.1.0", "1.2.0")
    who, image = "demo:deployment/app", lambda tag: site.image("app", tag)
    def text(tag, hours):
        return workload("app", image(tag), policy="semver:1", annotations={
            "fluxcd.io/locked": "true", "pawl.dev/locked-until": _now(hours=hours)})
    git = ["--git-url", site.url]
    site.start({"app.yaml": text("1.0.0", 1), "staging/app.yaml": workload("app", image("1.2.0"), namespace="test")})
    for command in (["release", "--workload", who, "--update-all-images", "-v"], ["rollback", who],
                    ["promote", "staging", "app.yaml", "-v"]):
        assert "locked" in site.pawl.ok(*command, *git).stdout
    assert site.pawl.ok("list-workloads", "-n", "demo", *git).stdout.split()[-1] == "automated,locked"
    site.repo.commit({"app.yaml": text("1.0.0", -1)})
    assert site.pawl.ok("list-workloads", "-n", "demo", *git).stdout.split()[-1] == "automated"
    assert not site.pawl.ok("list-workloads", "-n", "demo", "-o", "json", *git).json[0]["Locked"]
    site.pawl.expect(3, "promote", "staging", "app.yaml", "--dry-run", *git)
    site.pawl.ok("release", "--workload", who, "--update-image", image("1.1.0"), *git)
    site.pawl.ok("rollback", who, *git)
    assert f"image: {image('1.0.0')} " in site.repo.read("app.yaml").decode()


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


# The age of an image


def _soaking(site, min_age, **annotations):
    """A workload of 1.0.0 that pawl has looked at once: what is pushed now is new to it."""
    _start(site, "1.0.0", min_age=min_age, **annotations)
    site.once()


def test_a_new_tag_waits_until_it_is_old_enough(site):
    _soaking(site, "3s")
    site.push("app", "1.1.0")
    entry = _held(site.once())
    assert (entry["cause"], entry["candidate"]) == ("too-young", "1.1.0")
    assert "1.1.0 is 0s old, min-age is 3s: until " in entry["reason"]
    time.sleep(3)
    assert _changed_to(site.once()) == [site.image("app", "1.1.0")]


def test_the_best_of_those_that_are_old_enough_is_taken(site):
    """Before anybody looked there were 1.0.0 to 1.2.0, built long ago, which a policy by date knows; 1.3.0 is new."""
    _start(site, "1.0.0", "1.1.0", "1.2.0", current="1.0.0", policy="glob:1.*", min_age="1h", locked="true")
    site.once()
    text = site.repo.read("web.yaml").decode()
    site.push("app", "1.3.0", first_day=9)
    site.repo.commit({"web.yaml": text.replace("pawl.dev/locked:", "example.org/locked:")})
    report = site.once()
    assert _changed_to(report) == [site.image("app", "1.2.0")]
    assert "passed over 1.3.0, which is too young" in report["changes"][0]["reason"]


def test_a_tag_that_is_pushed_again_is_new_again(site):
    """Whoever pushed it first had it tried out; what it is now was not."""
    _start(site, "1.0.0", "1.1.0", current="1.0.0", policy="glob:1.*", min_age="1h", locked="true")
    site.once()
    site.registry.push("app", "1.1.0", created=day(20))
    text = site.repo.read("web.yaml").decode()
    site.repo.commit({"web.yaml": text.replace("pawl.dev/locked:", "example.org/locked:")})
    assert _held(site.once())["cause"] == "too-young"


def test_serve_comes_back_when_an_image_is_old_enough(site):
    _soaking(site, "4s")
    with site.pawl.serve(*site.options, "--git-poll-interval", "1s", "--registry-poll-interval", "1s") as daemon:
        site.push("app", "1.1.0")
        daemon.wait_for_log("decision=held .*candidate=1.1.0 .*min-age is 4s")
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', '1.1.0')}"), "the commit")
    assert len([line for line in daemon.log().splitlines() if "decision=held" in line]) <= 2


def _list_of_google(bad, **pushed):
    """The list of team/app as Google's registries give it: tags, and how long ago each was pushed. All images are of 2024."""
    tags = [name.replace("v", "").replace("_", ".") for name in pushed]
    manifests = {}
    for tag, ago in zip(tags, pushed.values()):
        bad.has_image("team/app", tag, "2024-01-01T00:00:00Z")
        manifests[f"sha256:{len(manifests):064x}"] = {
            "imageSizeBytes": "7", "layerId": "", "mediaType": "application/vnd.oci.image.manifest.v1+json", "tag": [tag],
            "timeCreatedMs": "1704067200000", "timeUploadedMs": str(int((time.time() - ago) * 1000))}
    bad.on("/v2/team/app/tags/list", lambda _, connection: connection.reply(
        200, {"child": [], "manifest": manifests, "name": "team/app", "tags": tags}))


def _of_google(site, bad, policy="semver:1", min_age="1h"):
    site.start({"web.yaml": workload("web", f"{bad.host}/team/app:1.0.0", policy=policy,
                                     annotations={"pawl.dev/min-age": min_age})})


def test_a_push_of_long_ago_is_old_enough_at_once_where_the_registry_tells(site, bad):
    """Though pawl sees the tag for the first time, and the time at which it was made is not asked for."""
    _list_of_google(bad, v1_0_0=90000, v1_1_0=7200)
    _of_google(site, bad)
    assert _changed_to(site.once()) == [f"{bad.host}/team/app:1.1.0"]


def test_a_push_of_just_now_holds_though_the_image_was_made_long_ago(site, bad):
    _list_of_google(bad, v1_0_0=90000, v1_1_0=300)
    _of_google(site, bad, policy="glob:1.*")
    entry = _held(site.once())
    assert (entry["cause"], entry["candidate"]) == ("too-young", "1.1.0")
    assert "1.1.0 was pushed 5m ago, min-age is 1h: until " in entry["reason"]
    explained = site.pawl.run("explain", *site.options[:2], "demo:deployment/web").stdout
    assert "was pushed 5m ago, min-age is 1h" in explained


def test_push_times_are_read_when_an_age_is_asked_for_later(site, bad):
    """Of a list that has not changed, and stay known as long as it does not."""
    _list_of_google(bad, v1_0_0=90000, v1_1_0=7200)
    site.start({"web.yaml": workload("web", f"{bad.host}/team/app:1.0.0", policy="semver:1",
                                     annotations={"pawl.dev/locked": "true"})})
    assert _held(site.once())["cause"] == "locked"
    site.repo.commit({"web.yaml": workload("web", f"{bad.host}/team/app:1.0.0", policy="semver:1", annotations={
        "pawl.dev/locked": "true", "pawl.dev/min-age": "1h"})})
    for _ in range(2):
        assert _held(site.once())["cause"] == "locked"
    text = site.repo.read("web.yaml").decode()
    site.repo.commit({"web.yaml": text.replace("pawl.dev/locked:", "example.org/locked:")})
    assert _changed_to(site.once()) == [f"{bad.host}/team/app:1.1.0"]


def test_a_push_in_the_future_is_none(site, bad):
    _list_of_google(bad, v1_0_0=90000, v1_1_0=-90000)
    _of_google(site, bad, min_age="3s")
    assert "1.1.0 is 0s old" in _held(site.once())["reason"]
    time.sleep(3)
    assert _changed_to(site.once()) == [f"{bad.host}/team/app:1.1.0"]


# Digests


def _pinned(site, tag):
    return f"{site.image('app', tag)}@{site.registry.digest('app', tag)}"


def test_pin_writes_the_digest_with_the_tag(site):
    text = _start(site, "1.0.0", "1.1.0", digest="pin")
    assert _changed_to(site.once()) == [_pinned(site, "1.1.0")]
    assert site.repo.read("web.yaml").decode() == text.replace(site.image("app", "1.0.0"), _pinned(site, "1.1.0"))
    # The tag moves, and what is pinned stays; a newer one is pinned in its turn.
    site.registry.push("app", "1.1.0", created=day(30))
    report = site.once()
    assert report["changes"] == [] and report["held"] == []
    site.push("app", "1.2.0")
    assert _changed_to(site.once()) == [_pinned(site, "1.2.0")]


def test_pin_pins_the_current_tag(site):
    _start(site, "1.0.0", digest="pin")
    report = site.once()
    assert _changed_to(report) == [_pinned(site, "1.0.0")]
    assert "is pinned to sha256:" in report["changes"][0]["reason"]


def test_follow_writes_a_new_digest_when_the_tag_moves(site):
    _start(site, "stable", "other", current="stable", policy=None, digest="follow")
    first = _pinned(site, "stable")
    assert _changed_to(site.once()) == [first]
    assert site.once()["changes"] == []
    site.registry.push("app", "stable", created=day(30))
    report = site.once()
    assert [(change["from"], change["to"]) for change in report["changes"]] == [(first, _pinned(site, "stable"))]
    assert "stable now points at sha256:" in report["changes"][0]["reason"]
    assert site.applied("web.yaml") == site.repo.read("web.yaml")


def test_follow_costs_one_head_a_scan(site):
    _start(site, "stable", current="stable", policy=None, digest="follow")
    site.once()
    site.registry.reset_requests()
    site.once()
    assert [request.method for request in site.registry.requests("/manifests/")] == ["HEAD"]
    assert len(site.registry.requests("/tags/list")) == 1


def test_an_image_with_a_digest_is_held_where_digests_are_not_written(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", _pinned(site, "1.0.0"), policy="semver:1",
                                     annotations={"pawl.dev/digest": "never"})})
    assert _held(site.once())["cause"] == "pinned"


def test_serve_follows_a_tag_that_moves(site):
    _start(site, "stable", current="stable", policy=None, digest="follow")
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {_pinned(site, 'stable')}"), "the first digest")
        site.registry.push("app", "stable", created=day(30))
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {_pinned(site, 'stable')}"), "the new digest")
    assert len(site.repo.log()) == 3


# Platforms


def _push_indexes(site, **platforms):
    for number, (tag, names) in enumerate(platforms.items()):
        site.registry.push_index("app", tag.replace("v", "").replace("_", "."), names, created=day(3 + number))


def test_an_image_needs_all_of_its_platforms(site):
    _start(site, "1.0.0", platforms="linux/amd64, linux/arm64")
    _push_indexes(site, v1_1_0=("linux/amd64", "linux/arm64"), v1_2_0=("linux/amd64",), v1_3_0=("linux/amd64", "linux/arm/v7"))
    report = site.once()
    assert _changed_to(report) == [site.image("app", "1.1.0")]
    assert "passed over 1.3.0, which has no image for linux/arm64" in report["changes"][0]["reason"]
    # What was missing is pushed later, under the same tag.
    _push_indexes(site, v1_3_0=("linux/amd64", "linux/arm64"))
    assert _changed_to(site.once()) == [site.image("app", "1.3.0")]


def test_no_image_has_the_platform(site):
    _start(site, "0.9.0", current="0.9.0", platforms="linux/arm64")
    site.push("app", "1.0.0", "1.1.0")
    entry = _held(site.once())
    assert (entry["cause"], entry["candidate"]) == ("platform-missing", "1.1.0")
    assert "linux/arm64" in entry["reason"]


def test_platforms_are_asked_of_candidates_alone(site):
    _start(site, *(f"1.{minor}.0" for minor in range(10)), platforms="linux/amd64")
    site.registry.reset_requests()
    assert _changed_to(site.once()) == [site.image("app", "1.9.0")]
    assert {request.path for request in site.registry.requests("/manifests/") if "sha256" not in request.path} == {
        "/v2/app/manifests/1.9.0"}
    assert len(site.registry.requests("/tags/list")) == 1


def test_serve_asks_for_platforms_too(site):
    _start(site, "1.0.0", platforms="linux/arm64")
    _push_indexes(site, v1_1_0=("linux/amd64", "linux/arm64"), v1_2_0=("linux/amd64",))
    with site.pawl.serve(*site.options, "--git-poll-interval", "1h", "--registry-poll-interval", "1h") as daemon:
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', '1.1.0')}"), "the commit")
        assert "decision=held" not in daemon.log()
