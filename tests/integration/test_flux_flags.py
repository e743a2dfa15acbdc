"""fluxd's flags for scanning, the cache and metrics: the same names, with the meaning they had."""

import urllib.request

import pytest

from parts.manifests import workload
from parts.process import free_port
from parts.site import Site

EKS = "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause"
NO_AWS = {"AWS_EC2_METADATA_DISABLED": "true"}


def _start(site, image=None):
    site.push("app", "1.0.0", "1.1.0")
    return site.start({"web.yaml": workload("web", image or site.image("app", "1.0.0"), policy="semver:1")})


def test_without_scanning_git_is_applied_and_no_registry_is_asked(site):
    start = _start(site)
    site.registry.reset_requests()
    report = site.once("--registry-disable-scanning")
    assert site.repo.sha() == start and report["changes"] == []
    held, = report["held"]
    assert held["cause"] == "excluded" and "--registry-disable-scanning" in held["reason"]
    assert site.applied("web.yaml") == site.repo.read("web.yaml") and site.registry.requests() == []


def test_without_scanning_a_release_by_hand_still_works(site):
    _start(site)
    site.pawl.ok("release", *site.options, "--registry-disable-scanning", "--workload", "demo:deployment/web",
                 "--update-image", site.image("app", "1.1.0"))
    assert b":1.1.0 " in site.repo.read("web.yaml")


def test_traced_requests_are_logged_and_no_secret_is(pawl, registry_basic, new_repo, tmp_path):
    site = Site(pawl, registry_basic, new_repo(), tmp_path / "target")
    site.push("app", "1.0.0")
    site.pawl.docker_login(registry_basic.host, registry_basic.user, registry_basic.password)
    traced = site.pawl.ok("tags", site.image("app", "1.0.0"), "--policy", "glob:*", "--registry-trace")
    lines = [line for line in traced.stderr.splitlines() if "component=registry event=request method=GET" in line]
    urls = f"http://{registry_basic.host}/v2/app"
    assert any(f"{urls}/tags/list" in line and " status=200 " in line for line in lines), traced
    assert any(f"{urls}/manifests/1.0.0" in line and " status=200 " in line for line in lines), traced
    assert len([line for line in lines if " status=401 " in line]) == 1, traced
    assert registry_basic.password not in traced.stderr and "Basic" not in traced.stderr
    assert "event=request" not in site.pawl.ok("tags", site.image("app", "1.0.0"), "--log-level", "debug").stderr


def test_a_traced_request_that_fails_says_why(pawl):
    failed = pawl.expect(1, "tags", f"127.0.0.1:{free_port()}/app", "--registry-trace")
    assert "event=request" in failed.stderr and "err=" in failed.stderr


@pytest.mark.parametrize("flags, option", [
    ([], "--registry-ecr-exclude-id"),
    (["--registry-ecr-exclude-id=", "--registry-ecr-region=eu-central-1,eu-west-1"], "--registry-ecr-region"),
    (["--registry-ecr-exclude-id=1", "--registry-ecr-include-id=123456789012"], "--registry-ecr-include-id"),
])
def test_accounts_and_regions_of_ecr_are_left_out(site, flags, option):
    _start(site, image=f"{EKS}:1.0.0")
    held, = site.once(*flags, env=NO_AWS)["held"]
    assert held["cause"] == "excluded" and option in held["reason"]


def test_what_is_required_and_missing_starts_nothing(site):
    _start(site)
    for command in ("once", "serve"):
        refused = site.pawl.expect(1, command, *site.options, "--registry-require=ecr", env=NO_AWS)
        assert "--registry-require ecr" in refused.stderr and "no identity at AWS" in refused.stderr
    assert site.applied("web.yaml") is None
    wrong = site.pawl.expect(2, "once", *site.options, "--registry-require=gcr")
    assert "ecr" in wrong.stderr


def test_what_is_required_and_there_starts(site):
    _start(site)
    site.once("--registry-require=ecr", env={"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "hidden"})
    assert b":1.1.0 " in site.applied("web.yaml")


def test_the_automation_interval_is_the_longest_time_between_rounds(site):
    site.push("app", "1.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    with site.pawl.serve(*site.options, "--automation-interval", "300ms") as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        site.repo.commit({"web.yaml": workload("web", site.image("app", "0.9.0"), policy="semver:0")})
        daemon.wait_until(lambda: b":0.9.0 " in site.applied("web.yaml"), "the round after the interval")


def test_metrics_can_have_a_listener_of_their_own(site):
    _start(site)
    with site.serve("--listen-metrics", "127.0.0.1:0") as daemon:
        address = daemon.wait_for_log(r"event=listening address=(\S+) for=metrics").group(1)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            assert b"flux_git_ready" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{address}/healthz", timeout=10)
        assert daemon.http("/metrics")[0] == 404 and daemon.http("/healthz")[0] == 200


def test_metrics_can_be_all_that_is_listened_for(site):
    _start(site)
    with site.serve("--listen", "none", "-l", "none", "--listen-metrics", "127.0.0.1:0") as daemon:
        daemon.wait_for_log(r"event=listening address=\S+ for=metrics")
        assert daemon.log().count("event=listening") == 1


def test_the_same_address_twice_is_said(site):
    _start(site)
    port = free_port()
    taken = site.pawl.expect(1, "serve", *site.options, "--listen", f"127.0.0.1:{port}",
                             "--listen-metrics", f"127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in taken.stderr


def test_the_cache_options_of_flux_manifests_are_taken(site, new_memcached):
    memcached = new_memcached()
    _start(site)
    site.once("--memcached-hostname", "127.0.0.1", "--memcached-port", memcached.port, "--memcached-service=")
    assert b":1.1.0 " in site.applied("web.yaml")
