"""Registries of all moods: how pawl gets in, what it makes of what they have, and of their bad days."""

import json
import time

import pytest

from parts.faults import FaultProxy
from parts.manifests import workload
from parts.process import free_port
from parts.site import Site, day


@pytest.fixture
def site_with(pawl, new_repo, tmp_path):
    """A site whose registry is another one than the plain one."""
    return lambda registry: Site(pawl, registry, new_repo(), tmp_path / "target")


def _start(site, policy="semver:1", repository="team/app"):
    site.push(repository, "1.0.0", "1.1.0")
    return site.start({"web.yaml": workload("web", site.image(repository, "1.0.0"), policy=policy)})


def _updates(site, **how):
    _start(site, policy="glob:*")
    report = site.once(**how)
    assert [change["to"] for change in report["changes"]] == [site.image("team/app", "1.1.0")]


def _changes_nothing(site, start, *words, rc=1, **how):
    """The round fails with one line that has these words, and leaves everything as it was."""
    report = site.once(rc=rc, **how)
    lines = site.result.stderr.splitlines()
    assert len(lines) == 1, site.result
    for word in words:
        assert word.lower() in lines[0].lower(), f"{word!r} is not in {lines[0]!r}"
    assert report["changes"] == [] and report["commit"] is None and site.repo.sha() == start
    return report


# Getting in


def test_basic_authentication(site_with, registry_basic):
    site = site_with(registry_basic)
    site.pawl.docker_login(registry_basic.host, registry_basic.user, registry_basic.password)
    _updates(site)


def test_credentials_from_the_file_that_is_named(site_with, registry_basic, tmp_path):
    site = site_with(registry_basic)
    site.pawl.docker_login(registry_basic.host, registry_basic.user, registry_basic.password)
    elsewhere = tmp_path / "elsewhere.json"
    (site.pawl.home / ".docker" / "config.json").rename(elsewhere)
    start = _start(site)
    _changes_nothing(site, start, registry_basic.host, "credentials")
    site.once("--docker-config", elsewhere)
    assert len(site.repo.log()) == 2


def test_bearer_tokens(site_with, registry_token, token_server):
    site = site_with(registry_token)
    site.pawl.docker_login(registry_token.host, "robot", token_server.users["robot"])
    _updates(site)
    assert {user for user, _ in token_server.seen} == {"robot"}
    assert all(scope == "repository:team/app:pull" for _, scopes in token_server.seen for scope in scopes)


def test_bearer_tokens_without_credentials_for_what_is_public(site_with, registry_token):
    site = site_with(registry_token)
    _start(site, repository="public/app")
    assert len(site.once()["changes"]) == 1


def test_bearer_tokens_under_the_name_that_oauth_gives_them(site_with, registry_token, token_server):
    token_server.response_key = "access_token"
    site = site_with(registry_token)
    site.pawl.docker_login(registry_token.host, "robot", token_server.users["robot"])
    _updates(site)


@pytest.mark.parametrize("which", ["registry_basic", "registry_token"])
@pytest.mark.parametrize("password", ["wrong-password", None])
def test_wrong_or_no_credentials(request, site_with, which, password):
    registry = request.getfixturevalue(which)
    site = site_with(registry)
    if password:
        site.pawl.docker_login(registry.host, "robot", password)
    start = _start(site)
    _changes_nothing(site, start, registry.host, "team/app")
    assert "wrong-password" not in site.result.stdout + site.result.stderr


def test_a_private_authority_is_trusted_when_it_is_named(site_with, registry_tls, authority):
    site = site_with(registry_tls)
    start = _start(site)
    _changes_nothing(site, start, registry_tls.host, "certificate", "SSL_CERT_FILE")
    site.once(env={"SSL_CERT_FILE": str(authority.ca_file)})
    assert len(site.repo.log()) == 2


def test_an_insecure_host_is_not_checked(site_with, registry_tls):
    site = site_with(registry_tls)
    _start(site)
    site.once("--registry-insecure-host", registry_tls.host)
    assert len(site.repo.log()) == 2


# Registries that are down


def test_an_unreachable_registry_is_one_line_and_changes_nothing(site):
    host = f"127.0.0.1:{free_port()}"
    start = site.start({"web.yaml": workload("web", f"{host}/app:1.0.0", policy="semver:1")})
    report = _changes_nothing(site, start, host)
    assert report["errors"][0]["file"] == "web.yaml" and report["errors"][0]["workload"] == "demo:deployment/web"
    # What git says is applied all the same.
    assert site.applied("web.yaml") == site.repo.read("web.yaml")


def test_one_registry_down_does_not_stop_updates_from_another(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"up.yaml": workload("up", site.image("app", "1.0.0"), policy="semver:1"),
                "down.yaml": workload("down", f"127.0.0.1:{free_port()}/app:1.0.0", policy="semver:1")})
    report = site.once(rc=1)
    assert [change["workload"] for change in report["changes"]] == ["demo:deployment/up"]
    assert report["commit"] == site.repo.sha() and site.applied("up.yaml") == site.repo.read("up.yaml")


def test_a_repository_that_is_not_there(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"up.yaml": workload("up", site.image("app", "1.0.0"), policy="semver:1"),
                "gone.yaml": workload("gone", site.image("no/such", "1.0.0"), policy="semver:1")})
    report = site.once(rc=1)
    assert len(report["changes"]) == 1
    assert [error["workload"] for error in report["errors"]] == ["demo:deployment/gone"]
    assert "no/such" in report["errors"][0]["message"]


# What they have


@pytest.mark.parametrize("kind", ["docker", "oci"])
def test_creation_times_of_single_images(site, kind):
    site.push("app", "b", "a", kind=kind)
    site.start({"web.yaml": workload("web", site.image("app", "b"), policy="glob:*")})
    assert [change["to"] for change in site.once()["changes"]] == [site.image("app", "a")]


@pytest.mark.parametrize("kind", ["docker", "oci"])
def test_creation_times_of_images_for_several_platforms(site, kind):
    for number, tag in enumerate(("b", "a")):
        site.registry.push_index("app", tag, ("linux/arm64", "linux/amd64"), created=day(number), kind=kind)
    site.start({"web.yaml": workload("web", site.image("app", "b"), policy="glob:*")})
    assert [change["to"] for change in site.once()["changes"]] == [site.image("app", "a")]


def test_an_image_without_the_platform_is_not_chosen(site):
    site.push("app", "1")
    site.registry.push_index("app", "2", ("linux/arm64",), created=day(5))
    start = site.start({"web.yaml": workload("web", site.image("app", "1"), policy="glob:*")})
    site.once()
    assert site.repo.sha() == start
    site.once("--platform", "linux/arm64", "--cache", "none")
    assert b":2 " in site.repo.read("web.yaml")


def test_an_image_without_creation_time_is_passed_over(site):
    site.push("app", "1", "2")
    site.registry.push("app", "3", created=None)
    site.registry.push("app", "4", created="not a time")
    site.start({"web.yaml": workload("web", site.image("app", "1"), policy="glob:*")})
    assert [change["to"] for change in site.once()["changes"]] == [site.image("app", "2")]


def test_images_without_any_creation_time_block_and_say_so(site):
    site.registry.push("app", "1", created=None)
    site.registry.push("app", "2", created=None)
    start = site.start({"web.yaml": workload("web", site.image("app", "1"), policy="glob:*")})
    report = site.once()
    assert site.repo.sha() == start
    held, = report["held"]
    assert "creation time" in held["reason"]


def test_a_tag_list_of_thousands_is_read(site):
    tags = [f"1.0.{number}" for number in range(2500)]
    site.push("app", tags[0])
    site.registry.tag_many("app", tags[0], tags[1:])
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    assert [change["to"] for change in site.once()["changes"]] == [site.image("app", "1.0.2499")]
    names = site.pawl.ok("tags", site.image("app", "1.0.0"), "-o", "name").stdout.split()
    assert names == list(reversed(tags))


def test_more_tags_than_the_limit_are_never_a_reason_to_update(site):
    site.push("app", *(f"1.0.{number}" for number in range(12)))
    start = site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    report = site.once("--registry-tag-limit", "10")
    assert site.repo.sha() == start and report["changes"] == []
    assert "--registry-tag-limit" in report["held"][0]["reason"]


def test_a_retagged_image_is_seen_as_it_is_now(site):
    site.push("app", "a", "b")
    site.start({"web.yaml": workload("web", site.image("app", "b"), policy="glob:*")})
    assert site.once()["changes"] == []
    site.push("app", "a", first_day=9)  # built again under the old name
    assert [change["to"] for change in site.once("--cache", "none")["changes"]] == [site.image("app", "a")]


# Bad days, one each


@pytest.fixture
def proxied(pawl, registry, fault_proxy, new_repo, tmp_path):
    """A site whose images are named by the proxy before the registry."""
    site = Site(pawl, registry, new_repo(), tmp_path / "target")
    site.image = lambda name, tag: f"{fault_proxy.host}/{name}:{tag}"
    return site


def test_all_pages_of_a_tag_list_are_read(proxied, fault_proxy):
    tags = [f"1.0.{number}" for number in range(250)]
    proxied.push("app", tags[0])
    proxied.registry.tag_many("app", tags[0], tags[1:])
    fault_proxy.paginate(30)
    proxied.start({"web.yaml": workload("web", proxied.image("app", "1.0.0"), policy="semver:1")})
    assert [change["to"] for change in proxied.once()["changes"]] == [proxied.image("app", "1.0.249")]
    assert len([answer for answer in fault_proxy.seen if "/tags/list" in answer.path]) == 9  # 8 1/3


def test_a_name_that_no_tag_can_have_spoils_only_itself_and_is_said_once(proxied, fault_proxy):
    proxied.push("app", "1.0.0", "1.1.0")
    proxied.start({"web.yaml": workload("web", proxied.image("app", "1.0.0"), policy="semver:1")})
    page = json.dumps({"name": "app", "tags": ["1.0.0", "9\x00", "1.1.0\x00", "a b", "1.1.0"]}).encode()
    fault_proxy.answer(200, path="/tags/", body=page, times=None, headers={"Content-Type": "application/json"})
    with proxied.serve() as daemon:
        daemon.wait_until(lambda: proxied.has_pushed(f"Auto-release {proxied.image('app', '1.1.0')}"), "the commit")
        seen = len(fault_proxy.seen)
        daemon.wait_until(lambda: len(fault_proxy.seen) > seen + 2, "more lists")
    lines = [line for line in daemon.log().splitlines() if "event=bad-tags" in line]
    assert len(lines) == 1 and f"image={fault_proxy.host}/app count=3" in lines[0]


def test_a_tag_list_with_a_page_missing_changes_nothing(proxied, fault_proxy):
    tags = [f"1.0.{number}" for number in range(100)]
    proxied.push("app", tags[0])
    proxied.registry.tag_many("app", tags[0], tags[1:])
    fault_proxy.paginate(30)
    fault_proxy.answer(502, path="last=", times=None)
    start = proxied.start({"web.yaml": workload("web", proxied.image("app", "1.0.0"), policy="semver:1")})
    _changes_nothing(proxied, start, "502")


@pytest.mark.parametrize("status", [429, 503])
def test_a_registry_that_asks_to_wait_is_named_and_asked_in_the_next_round(proxied, fault_proxy, status):
    start = _start(proxied)
    fault_proxy.answer(status, path="/tags/", headers={"Retry-After": "1"})
    _changes_nothing(proxied, start, str(status), fault_proxy.host)
    proxied.once()
    assert len(proxied.repo.log()) == 2


def test_a_registry_that_always_throttles_is_left_in_peace(proxied, fault_proxy):
    start = _start(proxied)
    fault_proxy.answer(429, times=None, headers={"Retry-After": "3600"})
    _changes_nothing(proxied, start, "429", fault_proxy.host)
    assert len(fault_proxy.seen) <= 3


def test_a_registry_that_fails_is_named_with_its_status(proxied, fault_proxy):
    start = _start(proxied)
    fault_proxy.answer(500, times=None, body=b"<html>oops</html>", headers={"Content-Type": "text/html"})
    _changes_nothing(proxied, start, "500", fault_proxy.host)


def test_a_tag_list_that_is_cut_off_is_no_tag_list(proxied, fault_proxy):
    start = _start(proxied)
    fault_proxy.cut(after=20, path="/tags/", times=None)
    _changes_nothing(proxied, start, fault_proxy.host)


def test_a_tag_that_is_none_spoils_itself_alone(proxied, fault_proxy):
    tags = ["1.1.0", "1.9.0 ", "1.9.1\nAuthor: x", "1.9.2/..", "", "1.9.3@sha256:0", "1." + "9" * 200, "1.2.0"]
    start = _start(proxied)
    fault_proxy.answer(200, path="/tags/", times=None, headers={"Content-Type": "application/json"},
                       body=json.dumps({"name": "team/app", "tags": tags}).encode())
    report = proxied.once()
    assert [change["to"] for change in report["changes"]] == [proxied.image("team/app", "1.2.0")]
    assert report["head"] == start


def test_credentials_go_only_to_the_host_they_are_for(registry_basic, site_with):
    front, other = FaultProxy(registry_basic.port), FaultProxy(registry_basic.port)
    try:
        site = site_with(registry_basic)
        site.image = lambda name, tag: f"{front.host}/{name}:{tag}"
        site.pawl.docker_login(front.host, registry_basic.user, registry_basic.password)
        start = _start(site)
        front.answer(307, path="/tags/", times=None,
                     headers={"Location": f"http://{other.host}/v2/team/app/tags/list"})
        site.once(rc=1)
        assert site.repo.sha() == start
        assert any(answer.has_credentials for answer in front.seen)
        assert other.seen and not any(answer.has_credentials for answer in other.seen)
    finally:
        front.stop()
        other.stop()


def test_requests_keep_to_the_rate(proxied, fault_proxy):
    _start(proxied, policy="glob:*")
    proxied.push("team/app", *(f"1.2.{number}" for number in range(6)), first_day=5)
    began = time.monotonic()
    proxied.once("--registry-rps", "10", "--registry-burst", "1")
    assert time.monotonic() - began >= (len(fault_proxy.seen) - 1) / 10


@pytest.mark.parametrize("body", [b"", b"{}", b'{"name":"team/app","tags":"1.1.0"}', b"[" * 100_000, b"\xff\xfe"])
def test_a_tag_list_that_is_none_changes_nothing(proxied, fault_proxy, body):
    start = _start(proxied)
    fault_proxy.answer(200, path="/tags/", times=None, body=body, headers={"Content-Type": "application/json"})
    _changes_nothing(proxied, start, fault_proxy.host)


def test_a_slow_registry_delays_and_does_not_fail(proxied, fault_proxy):
    _start(proxied, policy="glob:*")
    fault_proxy.delay(0.3)
    assert len(proxied.once()["changes"]) == 1


def test_a_manifest_that_is_not_to_be_had_spoils_its_tag_alone(proxied, fault_proxy):
    proxied.push("app", "a", "b", "c")
    start = proxied.start({"web.yaml": workload("web", proxied.image("app", "a"), policy="glob:*")})
    fault_proxy.answer(404, path="/manifests/c", times=None)
    proxied.once()
    assert b":b " in proxied.repo.read("web.yaml") and proxied.repo.sha() != start


def test_a_config_that_is_not_what_its_digest_says_is_not_believed(proxied, fault_proxy):
    proxied.push("app", "a", "b")
    start = proxied.start({"web.yaml": workload("web", proxied.image("app", "a"), policy="glob:*")})
    fault_proxy.answer(200, path="/blobs/", times=None, body=b'{"created":"2030-01-01T00:00:00Z"}')
    proxied.pawl.run("once", *proxied.options)
    assert proxied.repo.sha() == start


def test_the_last_answer_is_not_acted_on_when_the_registry_is_down(site):
    _start(site)
    site.once()
    site.push("team/app", "1.2.0", first_day=5)
    site.pawl.expect(3, "once", *site.options, "--dry-run")  # 1.2.0 is in the cache now
    site.registry.stop()
    head = site.repo.sha()
    report = site.once(rc=1)
    assert site.repo.sha() == head and report["changes"] == [] and report["errors"]


# pawl tags


def test_tags_in_json(site):
    site.push("app", "1.0.0", "1.1.0", "2.0.0", "main")
    result = site.pawl.expect(0, "tags", f"{site.registry.host}/app", "--policy", "semver:1", "-o", "json")
    listing = result.json
    assert {"image", "policy", "chosen", "reason", "truncated", "skipped", "tags"} <= set(listing)
    assert listing["image"] == f"{site.registry.host}/app" and listing["policy"] == "semver:1"
    assert listing["chosen"] == "1.1.0" and "semver:1" in listing["reason"] and listing["truncated"] is False
    assert sum(listing["skipped"].values()) == 2 and len(listing["skipped"]) == 2
    assert all({"name", "matches", "created", "digest"} <= set(tag) for tag in listing["tags"])
    assert [tag["name"] for tag in listing["tags"] if tag["matches"]] == ["1.1.0", "1.0.0"]
    assert [tag["name"] for tag in listing["tags"]][:2] == ["1.1.0", "1.0.0"]


def test_tags_take_an_order_and_a_template(site):
    site.push("app", "b-9-x", "b-10-a", "b-7", "b--y", "main")
    image = f"{site.registry.host}/app"
    options = ["--policy", r"regexp:^b-(\d*)-", "--order", "numeric", "--extract", "$1"]
    listing = site.pawl.ok("tags", image, *options, "-o", "json").json
    assert (listing["policy"], listing["order"], listing["extract"]) == (r"regexp:^b-(\d*)-", "numeric", "$1")
    assert listing["chosen"] == "b-10-a" and "highest number" in listing["reason"]
    assert [tag["name"] for tag in listing["tags"] if tag["matches"]] == ["b-10-a", "b-9-x"]
    assert listing["skipped"] == {"no match": 2, "no value": 1}
    turned = site.pawl.ok("tags", image, "-p", "glob:b-*", "--order", "alpha:desc", "-o", "name").stdout.split()
    assert turned == ["b--y", "b-10-a", "b-7", "b-9-x"]
    for wrong in (["--order", "alpha"], ["-p", "*", "--order", "aplha"], ["-p", "*", "--extract", "$1"]):
        result = site.pawl.expect(2, "tags", image, *wrong)
        assert result.stdout == "" and wrong[-2] in result.stderr


def test_tags_by_date_show_the_dates_and_digests(site):
    site.push("app", "b", "a")
    listing = site.pawl.ok("tags", f"{site.registry.host}/app", "--policy", "glob:*", "-o", "json").json
    assert [(tag["name"], tag["created"]) for tag in listing["tags"]] == [
        ("a", "2024-01-03T12:00:00Z"), ("b", "2024-01-02T12:00:00Z")]
    assert [tag["digest"] for tag in listing["tags"]] == [
        site.registry.digest("app", "a"), site.registry.digest("app", "b")]


def test_tags_by_date_show_platforms_and_labels(site):
    site.registry.push_index("app", "a", created=day(1), labels={"org.opencontainers.image.version": "1", "maintainer": "x"})
    image = [f"{site.registry.host}/app", "--policy", "glob:*"]
    (tag,) = site.pawl.ok("tags", *image, "-o", "json").json["tags"]
    assert tag["platforms"] == ["linux/amd64", "linux/arm64"]
    assert tag["labels"] == {"org.opencontainers.image.version": "1"}
    site.registry.reset_requests()
    assert "linux/amd64 linux/arm64" in site.pawl.ok("tags", *image, "-o", "wide").stdout
    assert [request.path for request in site.registry.requests("/app/")] == ["/v2/app/tags/list?n=1000"]


def test_tags_take_the_time_of_the_labels_where_asked(site):
    """The option may change between runs: what was cached under the other is not taken for the answer."""
    site.push("app", "a", labels={"org.opencontainers.image.created": "2023-01-01T00:00:00Z"})
    site.push("app", "b", labels={"org.label-schema.build-date": "2022-01-01T00:00:00Z"})
    site.push("app", "c", labels={"org.opencontainers.image.created": "yesterday"})
    image = [f"{site.registry.host}/app", "--policy", "glob:*", "-o", "json"]
    globs = ["--registry-use-labels", f"{site.registry.host}/*"]
    by_config = {"a": "2024-01-02T12:00:00Z", "b": "2024-01-02T12:00:00Z", "c": "2024-01-02T12:00:00Z"}
    by_labels = {"a": "2023-01-01T00:00:00Z", "b": "2022-01-01T00:00:00Z", "c": "2024-01-02T12:00:00Z"}
    site.registry.reset_requests()
    for options, expected in (([], by_config), (globs, by_labels), ([], by_config), (globs, by_labels)):
        tags = site.pawl.ok("tags", *image, *options).json["tags"]
        assert {tag["name"]: tag["created"] for tag in tags} == expected
    assert len(site.registry.requests("/manifests/")) == 3


def test_tags_in_the_other_forms(site):
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    image = [f"{site.registry.host}/app", "--policy", "semver:1"]
    table = site.pawl.ok("tags", *image).stdout.splitlines()
    assert table[0].split() == ["TAG", "CREATED", "MATCHES"] and table[1].split()[0] == "1.1.0"
    assert len(table) == 4
    wide = site.pawl.ok("tags", *image, "-o", "wide").stdout.splitlines()
    assert wide[0].split() == ["TAG", "CREATED", "MATCHES", "DIGEST", "PLATFORMS"]
    assert site.pawl.ok("tags", *image, "-o", "name").stdout.split() == ["1.1.0", "1.0.0"]
    assert site.pawl.ok("tags", *image, "-o", "tab").stdout.splitlines() == table
    assert site.pawl.ok("tags", *image, "--no-headers").stdout.splitlines()[0].split()[0] == "1.1.0"


@pytest.mark.parametrize("image, policy, rc, chosen", [
    ("app", None, 0, None),
    ("app", "semver:1", 0, "1.1.0"),
    ("app:1.1.0", "semver:1", 0, "1.1.0"),
    ("app:1.0.0", "semver:1", 3, "1.1.0"),
    ("app:2.0.0", "semver:1", 3, "1.1.0"),
    ("app", "semver:9", 3, None),
    ("app:1.0.0", "semver:9", 3, None),
])
def test_tags_ends_with_3_when_the_policy_chooses_another_or_none(site, image, policy, rc, chosen):
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    options = ["--policy", policy] if policy else []
    listing = site.pawl.expect(rc, "tags", f"{site.registry.host}/{image}", *options, "-o", "json").json
    assert listing["chosen"] == chosen


@pytest.mark.parametrize("arguments, words", [
    (["Not::An::Image"], "Not::An::Image"),
    (["example.test/app", "--policy", "semver:nonsense"], "semver:nonsense"),
    (["example.test/app", "--policy", "regexp:("], "regexp:("),
    ([], "IMAGE"),
])
def test_tags_refuses_what_it_cannot_read(pawl, arguments, words):
    result = pawl.expect(2, "tags", *arguments)
    assert result.stdout == "" and words in result.stderr


def test_tags_of_an_unreachable_registry(pawl):
    host = f"127.0.0.1:{free_port()}"
    result = pawl.expect(1, "tags", f"{host}/app", "-o", "json")
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1 and host in result.stderr


def test_tags_needs_no_repository_and_leaves_no_trace_in_git(site):
    site.push("app", "1")
    site.pawl.ok("tags", f"{site.registry.host}/app")
    assert not (site.pawl.state / "pawl" / "git").exists()
