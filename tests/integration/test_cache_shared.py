"""Several pawls on one memcached: they share the questions to the registry, not only the answers."""

import contextlib
import threading
import time

import pytest

from parts.gitrepo import GitRepo
from parts.manifests import workload
from parts.pawl import Pawl
from parts.site import Site

IMAGES = [f"team/app{number}" for number in range(4)]
INTERVAL = 2.0


def _fill(site, policy):
    for name in IMAGES:
        site.push(name, "1.0.0")
    site.start({f"{number}.yaml": workload(f"w{number}", site.image(name, "1.0.0"), policy=policy)
                for number, name in enumerate(IMAGES)})


@contextlib.contextmanager
def _two(site, tmp_path, *options):
    """Two daemons, each with a repository, a home and a target of its own, that share the registry."""
    repo = GitRepo(tmp_path / "repos" / "second.git")
    repo.commit({f"{number}.yaml": site.repo.read(f"{number}.yaml") for number in range(len(IMAGES))}, "the beginning")
    other = Site(Pawl(site.pawl.binary, tmp_path / "second-home"), site.registry, repo, tmp_path / "second-target")
    other.pawl.env.update(site.pawl.env)
    with site.serve(*options) as first, other.serve(*options) as second:
        yield other, first, second


def _lists(site):
    return sum("/tags/list" in request.path for request in site.registry.requests())


@pytest.mark.parametrize("pawls", [1, 2])
def test_two_pawls_ask_as_often_as_one(site, new_memcached, tmp_path, pawls):
    _fill(site, "semver:1")
    options = ["--cache", f"memcached://{new_memcached().address}", "--registry-poll-interval", f"{INTERVAL:g}s"]
    with contextlib.ExitStack() as stack:
        if pawls == 2:
            _, daemon, _ = stack.enter_context(_two(site, tmp_path, *options))
        else:
            daemon = stack.enter_context(site.serve(*options))
        daemon.wait_until(lambda: _lists(site) >= len(IMAGES), "the first lists")
        site.registry.reset_requests()
        start = time.monotonic()
        time.sleep(6 * INTERVAL)
        asked = _lists(site)
        expected = (time.monotonic() - start) / INTERVAL * len(IMAGES)
    # Each alone asks at 0.9 to 1.1 intervals: two that did not share would ask for at least 1.8 of what one does.
    assert 0.6 * expected <= asked <= 1.3 * expected, f"{asked} lists where one pawl asks for {expected:g}"


def test_the_other_takes_over_when_one_dies(site, new_memcached, tmp_path):
    _fill(site, "semver:1")
    with _two(site, tmp_path, "--cache", f"memcached://{new_memcached().address}") as (other, first, second):
        second.wait_until(lambda: other.applied("0.yaml") is not None, "the first apply")
        first.kill()
        site.push(IMAGES[0], "1.1.0")
        second.wait_until(lambda: other.has_pushed(f"Auto-release {site.image(IMAGES[0], '1.1.0')}"), "the commit")


def test_memcached_may_come_and_go_under_two_pawls(site, new_memcached, tmp_path):
    """Killed and restarted again and again while both scan: each update arrives at both, and nothing fails."""
    _fill(site, "glob:*")
    server = new_memcached()
    done = threading.Event()

    def restart_again_and_again():
        while not done.wait(0.4):
            server.restart()

    with _two(site, tmp_path, "--cache", f"memcached://{server.address}", "--memcached-timeout", "300ms") as \
            (other, first, second):
        second.wait_until(lambda: other.applied("0.yaml") is not None, "the first apply")
        restarts = threading.Thread(target=restart_again_and_again)
        restarts.start()
        try:
            for number in range(1, 5):
                tag = f"1.{number}.0"
                for name in IMAGES:
                    site.push(name, tag, first_day=1 + number)
                for one, daemon in ((site, first), (other, second)):
                    daemon.wait_until(lambda one=one, tag=tag: all(
                        f":{tag}".encode() in one.repo.read(f"{index}.yaml") for index in range(len(IMAGES))), tag)
        finally:
            done.set()
            restarts.join()
        for daemon in (first, second):
            assert "level=error" not in daemon.log(), daemon.log()
