"""`pawl list-images`: what registries have for the workloads in git, newest first."""

import pytest

from parts.manifests import workload
from parts.process import free_port
from parts.site import day

WHO = "demo:deployment/app"


def _options(site):
    return ["--git-url", site.url]


def _list(site, *options, rc=0):
    return site.pawl.expect(rc, "list-images", *_options(site), *options)


def _rows(site, *options, rc=0):
    """The table's lines without its heading, in words."""
    return [line.split() for line in _list(site, *options, "--no-headers", rc=rc).stdout.splitlines()]


def _tags(container):
    return [info["ID"].rsplit(":", 1)[1] for info in container["Available"]]


def _fill(site, current="b", **how):
    site.push("app", "a", "c", "b", "d")
    site.start({"app.yaml": workload("app", site.image("app", current), **how)})


def test_the_newest_comes_first_and_the_current_one_is_marked(site):
    _fill(site)
    table = _list(site, "-n", "demo").stdout.splitlines()
    assert table[0].split() == ["WORKLOAD", "CONTAINER", "IMAGE", "CREATED"]
    assert [line.split() for line in table[1:]] == [
        [WHO, "app", f"{site.registry.host}/app"],
        ["|", "d", "05", "Jan", "24", "12:00", "UTC"],
        ["'->", "b", "04", "Jan", "24", "12:00", "UTC"],
        ["c", "03", "Jan", "24", "12:00", "UTC"],
        ["a", "02", "Jan", "24", "12:00", "UTC"],
    ]


@pytest.mark.parametrize("how", [{"automated": False}, {"annotations": {"fluxcd.io/locked": "true"}},
                                 {"annotations": {"fluxcd.io/ignore": "true"}}, {"policy": "semver:nonsense"}])
def test_every_workload_is_listed_automated_or_not(site, how):
    _fill(site, **how)
    assert [row[-6] for row in _rows(site, "-n", "demo")[1:]] == ["d", "b", "c", "a"]


def test_a_policy_by_version_orders_by_version(site):
    site.push("app", "1.10.0", "1.9.0", "main")
    site.start({"app.yaml": workload("app", site.image("app", "1.9.0"), policy="semver:1")})
    (status,) = _list(site, "-n", "demo", "-o", "json").json
    assert _tags(status["Containers"][0])[:2] == ["1.10.0", "1.9.0"]


def test_beyond_the_limit_only_the_current_one_is_shown(site):
    _fill(site, "a")
    rows = _rows(site, "-n", "demo", "-l", "1")
    assert [row[:3] for row in rows[1:]] == [["|", "d", "05"], [":", "(2", "images"], ["'->", "a", "02"]]
    assert len(_rows(site, "-n", "demo", "--limit", "0")) == 5
    (status,) = _list(site, "-n", "demo", "-l", "1", "-o", "json").json
    assert _tags(status["Containers"][0]) == ["d"] and status["Containers"][0]["AvailableImagesCount"] == 4
    assert _list(site, "-n", "demo", "-l", "2", "-o", "name").stdout.split() == [
        site.image("app", "d"), site.image("app", "b")]


def test_ten_are_shown_unless_said_otherwise(site):
    site.push("app", *(f"build-{number}" for number in range(12)))
    site.start({"app.yaml": workload("app", site.image("app", "build-11"))})
    assert len(_rows(site, "-n", "demo")) == 11


def test_an_image_that_the_registry_does_not_list(site):
    _fill(site, "gone")
    rows = _rows(site, "-n", "demo")
    assert rows[-1] == ["'->", "gone", "?"] and all(row[0] == "|" for row in rows[1:-1])
    (status,) = _list(site, "-n", "demo", "-o", "json").json
    container = status["Containers"][0]
    assert container["Current"]["ID"] == site.image("app", "gone") and "CreatedAt" not in container["Current"]
    assert container["NewAvailableImagesCount"] == 4


def test_namespaces_and_workloads_are_picked(site):
    site.push("app", "a")
    image = site.image("app", "a")
    site.start({"one.yaml": workload("one", image), "two.yaml": workload("two", image, namespace="other"),
                "three.yaml": workload("three", image, namespace=None)})
    names = lambda *options: [status["ID"] for status in _list(site, "-o", "json", *options).json]  # noqa: E731
    assert names("-a") == ["default:deployment/three", "demo:deployment/one", "other:deployment/two"]
    assert names("-n", "demo") == ["demo:deployment/one"]
    assert names() == ["default:deployment/three"]
    assert names("--k8s-default-namespace", "other") == ["other:deployment/three", "other:deployment/two"]
    assert names("-w", "demo:deployment/one") == ["demo:deployment/one"]
    assert names("-c", "demo:deployment/one") == names("--controller", "demo:deployment/one") == ["demo:deployment/one"]
    assert names("-n", "other", "-w", "deployment/two") == ["other:deployment/two"]
    assert names("-n", "nowhere") == []


def test_a_workload_that_is_not_there(site):
    _fill(site)
    result = _list(site, "-w", "demo:deployment/other", rc=1)
    assert "demo:deployment/other" in result.stderr and result.stdout == ""
    elsewhere = _list(site, "-w", "deployment/app", rc=1).stderr
    assert "there is no workload default:deployment/app in git; did you mean demo:deployment/app?" in elsewhere
    assert "kind/name" in _list(site, "-w", "nonsense", rc=2).stderr


def test_json_has_the_names_of_flux(site):
    site.registry.push_index("app", "a", created=day(1), labels={"org.opencontainers.image.revision": "abc"})
    site.registry.push_index("app", "b", created=day(2))
    site.start({"app.yaml": workload("app", site.image("app", "a"), policy="glob:b*")})
    (status,) = _list(site, "-n", "demo", "-o", "json").json
    assert status["ID"] == WHO and [container["Name"] for container in status["Containers"]] == ["app"]
    container = status["Containers"][0]
    current = container["Current"]
    assert current.pop("LastFetched")
    assert current == {"ID": site.image("app", "a"), "Digest": site.registry.digest("app", "a"),
                       "Labels": {"org.opencontainers.image.revision": "abc"}, "CreatedAt": "2024-01-02T12:00:00Z",
                       "Platforms": ["linux/amd64", "linux/arm64"]}
    assert _tags(container) == ["b", "a"] and container["Available"][0]["Labels"] == {}
    assert container["LatestFiltered"]["ID"] == site.image("app", "b")
    assert [container[key] for key in ("AvailableImagesCount", "NewAvailableImagesCount", "FilteredImagesCount",
                                       "NewFilteredImagesCount")] == [2, 1, 1, 1]
    assert "AvailableError" not in container


def test_wide_adds_digests_and_platforms(site):
    _fill(site)
    heading, _, first, *_ = _list(site, "-n", "demo", "-o", "wide").stdout.splitlines()
    assert heading.split()[-2:] == ["DIGEST", "PLATFORMS"]
    assert first.split()[-2:] == [site.registry.digest("app", "d"), "linux/amd64"]


def test_what_was_asked_once_is_in_the_cache(site):
    _fill(site)
    site.registry.reset_requests()
    _list(site, "-n", "demo")
    assert len(site.registry.requests("/app/")) == 1 + 4 * 2
    site.registry.reset_requests()
    _list(site, "-n", "demo", "-o", "json")
    assert [request.path for request in site.registry.requests("/app/")] == ["/v2/app/tags/list?n=1000"]


def test_one_repository_is_asked_once_for_all_its_containers(site):
    site.push("app", "a")
    image = site.image("app", "a")
    site.start({"one.yaml": workload("one", image), "two.yaml": workload("two", image)})
    site.registry.reset_requests()
    assert len(_rows(site, "-n", "demo")) == 4
    assert len(site.registry.requests("/app/")) == 3


def test_the_highest_numbers_are_asked_first(site):
    site.push("app", *(f"build-{number}" for number in range(30)))
    site.start({"app.yaml": workload("app", site.image("app", "build-1"))})
    site.registry.reset_requests()
    _list(site, "-n", "demo", "--registry-burst", "1", "--registry-rps", "100")
    asked = [request.path.rsplit("-", 1)[1] for request in site.registry.requests("/manifests/build-")]
    assert {int(number) for number in asked[:8]} == set(range(22, 30)) and len(asked) == 30


def test_an_image_whose_details_fail_shows_why(site):
    site.push("app", "a")
    site.registry.push_index("app", "b", ("linux/s390x",), created=day(5))
    site.start({"app.yaml": workload("app", site.image("app", "a"))})
    table = _list(site, "-n", "demo").stdout
    assert "no image for linux/amd64 (there is: linux/s390x)" in table
    (status,) = _list(site, "-n", "demo", "-o", "json").json
    (failed,) = [info for info in status["Containers"][0]["Available"] if "Problem" in info]
    assert failed["ID"] == site.image("app", "b") and "linux/amd64" in failed["Problem"]


def test_a_registry_that_is_down_leaves_the_others(site):
    dead = f"127.0.0.1:{free_port()}"
    site.push("app", "a")
    site.start({"app.yaml": workload("app", site.image("app", "a")),
                "dead.yaml": workload("dead", f"{dead}/dead:1")})
    result = _list(site, "-n", "demo", "-o", "json", rc=1)
    good, bad = (status["Containers"][0] for status in result.json)
    assert _tags(good) == ["a"] and dead in bad["AvailableError"] and bad["Available"] == []
    assert dead in result.stderr and len(result.stderr.splitlines()) == 1
    assert dead in _list(site, "-n", "demo", rc=1).stdout


def test_excluded_and_unreadable_images_say_so(site):
    site.start({"app.yaml": workload("app", "k8s.gcr.io/pause:1"),
                "bad.yaml": workload("bad", "\"Not::An::Image\"")})
    app, bad = (status["Containers"][0] for status in _list(site, "-n", "demo", "-o", "json").json)
    assert "--registry-exclude-image" in app["AvailableError"]
    assert "Not::An::Image" in bad["AvailableError"] and bad["Current"]["ID"] == "Not::An::Image"


def test_labels_date_where_asked(site):
    site.push("app", "a", labels={"org.opencontainers.image.created": "2025-01-01T00:00:00Z"})
    site.push("app", "b")
    site.start({"app.yaml": workload("app", site.image("app", "a"))})
    (status,) = _list(site, "-n", "demo", "-o", "json", "--registry-use-labels", f"{site.registry.host}/*").json
    assert status["Containers"][0]["Current"]["CreatedAt"] == "2025-01-01T00:00:00Z"


def test_it_changes_nothing(site):
    _fill(site)
    head = site.repo.sha()
    _list(site, "-n", "demo")
    assert site.repo.sha() == head and not site.target.exists()
