"""kill -9 at any moment, and several pawls at once: the next run finishes the work, and nothing is done twice."""

import collections
import random
import signal
import time

from parts.manifests import workload
from parts.pawl import Pawl

KILLS = 25


def _start(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="glob:1.*"),
                "other.yaml": workload("other", site.image("app", "1.0.0"), policy="semver:1")})


def _is_settled(site, tag):
    """Everything is at `tag`, in git and in the target, and no image was released twice."""
    for path in ("web.yaml", "other.yaml"):
        content = site.repo.read(path)
        assert f"/app:{tag} ".encode() in content
        assert site.applied(path) == content
    releases = collections.Counter(commit.subject for commit in site.repo.log())
    assert releases[f"Auto-release {site.image('app', tag)}"] == 1 and max(releases.values()) == 1, releases
    assert not [file for file in site.target.rglob("*") if file.name.startswith(".")]


def test_once_killed_at_any_moment_is_finished_by_the_next(site):
    _start(site)
    began = time.monotonic()
    site.once()
    whole = time.monotonic() - began
    chance = random.Random(20260101)
    interrupted = 0
    for number in range(2, KILLS + 2):
        tag = f"1.{number}.0"
        site.push("app", tag, first_day=number)
        child = site.pawl.start("once", *site.options)
        time.sleep(chance.uniform(0, 1.1 * whole))
        interrupted += child.poll() is None
        child.kill()
        child.communicate()
        site.once()
        _is_settled(site, tag)
    assert interrupted >= KILLS // 2, f"only {interrupted} of {KILLS} runs were still at it when they were killed"
    assert len(site.repo.log()) == KILLS + 2  # the beginning, the first release, one a kill
    site.repo.git("fsck", "--strict")


def test_serve_killed_at_any_moment_is_finished_by_the_next(site):
    _start(site)
    chance = random.Random(20260102)
    for number in range(2, 8):
        tag = f"1.{number}.0"
        site.push("app", tag, first_day=number)
        with site.serve() as daemon:
            time.sleep(chance.uniform(0, 1.0))
            daemon.kill()
        site.once()
        _is_settled(site, tag)


def test_a_killed_run_leaves_nothing_that_blocks_a_daemon(site):
    _start(site)
    child = site.pawl.start("once", *site.options)
    time.sleep(0.05)
    child.kill()
    child.communicate()
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") and b":1.1.0 " in site.applied("web.yaml"), "the update")
    _is_settled(site, "1.1.0")


def _run_both(first, second, options_of_first, options_of_second):
    children = [(first, first.start("once", *options_of_first)), (second, second.start("once", *options_of_second))]
    return [pawl.finish(child) for pawl, child in children]


def test_two_at_once_on_one_data_directory_make_one_commit(site):
    _start(site)
    for result in _run_both(site.pawl, site.pawl, site.options, site.options):
        assert result.rc == 0, result
    assert len(site.repo.log()) == 2
    _is_settled(site, "1.1.0")


def test_two_at_once_on_two_data_directories_make_one_commit(site, tmp_path):
    _start(site)
    other = Pawl(site.pawl.binary, tmp_path / "another-home")
    elsewhere = ["--git-url", site.url, "--deploy-to", f"dir:{tmp_path / 'elsewhere'}"]
    for result in _run_both(site.pawl, other, site.options, elsewhere):
        assert result.rc == 0, result
    assert len(site.repo.log()) == 2
    _is_settled(site, "1.1.0")


def test_many_at_once_with_changes_of_their_own_lose_none(site, tmp_path):
    for number in range(4):
        site.push(f"app{number}", "1.0.0", "1.1.0")
    site.start({f"{number}/web.yaml": workload(f"w{number}", site.image(f"app{number}", "1.0.0"), policy="semver:1")
                for number in range(4)})
    pawls = [Pawl(site.pawl.binary, tmp_path / f"home-{number}") for number in range(4)]
    children = [pawl.start("once", "--git-url", site.url, "--deploy-to", "none", "--git-path", number)
                for number, pawl in enumerate(pawls)]
    for pawl, child in zip(pawls, children):
        result = pawl.finish(child)
        assert result.rc == 0, result
    assert sorted(commit.subject for commit in site.repo.log()[:-1]) == [
        f"Auto-release {site.image(f'app{number}', '1.1.0')}" for number in range(4)]


def test_two_daemons_on_one_data_directory_make_one_commit(site):
    _start(site)
    with site.serve() as first, site.serve() as second:
        for number in (2, 3):
            release = f"Auto-release {site.image('app', f'1.{number}.0')}"
            site.push("app", f"1.{number}.0", first_day=number)
            first.wait_until(lambda: site.has_pushed(release), "the commit")
        second.wait_for_log(f"HEAD={site.repo.sha()}")
        first.wait_for_log(f"(HEAD|revision)={site.repo.sha()}")
    _is_settled(site, "1.3.0")


def test_an_interrupt_ends_once(site):
    _start(site)
    child = site.pawl.start("once", *site.options)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=10 * site.pawl.patience)
    site.once()
    _is_settled(site, "1.1.0")
