"""`pawl serve`: the same rounds, again and again."""

import contextlib
import itertools
import json
import signal
import socket
import time

import yaml

from parts.manifests import workload
from parts.process import LOOPBACK, free_port


def _start(site):
    site.push("app", "1.0.0")
    return site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})


def _releases(site, tag):
    return lambda: site.has_pushed(f"Auto-release {site.image('app', tag)}")


def test_a_pushed_tag_becomes_a_commit_and_is_applied(site):
    start = _start(site)
    with site.serve() as daemon:
        daemon.wait_for_log(f"component=sync-loop event=refreshed .*HEAD={start}")
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        site.push("app", "1.1.0")
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")
        daemon.wait_until(lambda: site.applied("web.yaml") == site.repo.read("web.yaml"), "the commit to be applied")
        assert b":1.1.0 " in site.applied("web.yaml")
        daemon.wait_for_log(f"event=pushed .*revision={site.repo.sha()}")
    assert len(site.repo.log()) == 2


def test_a_commit_of_somebody_else_is_applied(site):
    _start(site)
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        head = site.repo.commit({"web.yaml": site.repo.read("web.yaml").replace(b"replicas: 0", b"replicas: 3")})
        daemon.wait_until(lambda: b"replicas: 3" in site.applied("web.yaml"), "the commit to be applied")
        daemon.wait_for_log(f"event=refreshed .*HEAD={head}")


def test_a_policy_that_somebody_changes_takes_effect(site):
    _start(site)
    site.push("app", "2.0.0")
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        assert not _releases(site, "2.0.0")()
        site.repo.commit({"web.yaml": site.repo.read("web.yaml").replace(b"semver:1", b"semver:2")})
        daemon.wait_until(_releases(site, "2.0.0"), "the commit")


def test_updates_of_one_moment_are_one_commit(site):
    for name in ("one", "two", "three"):
        site.push(name, "1.0.0", "1.1.0")
    site.start({f"{name}.yaml": workload(name, site.image(name, "1.0.0"), policy="semver:1")
                for name in ("one", "two", "three")})
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.has_pushed("Auto-release multiple (3) images"), "the commit")
    assert len(site.repo.log()) == 2


def test_several_repositories_of_which_one_is_broken(site, new_repo, tmp_path):
    _start(site)
    other = new_repo("other", {"deep/web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    config = tmp_path / "pawl.yaml"
    config.write_text(yaml.safe_dump({
        "git-poll-interval": "500ms", "registry": {"poll-interval": "500ms"}, "deploy-to": "none",
        "repositories": [
            {"name": "gone", "url": f"{tmp_path}/no-such.git"},
            {"name": "far", "url": f"https://127.0.0.1:{free_port()}/x.git"},
            {"name": "first", "url": site.repo.url, "deploy-to": f"dir:{site.target}"},
            {"name": "second", "url": other.url, "path": ["deep"]}]}))
    with site.pawl.serve("--config", config) as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        site.push("app", "1.1.0")
        daemon.wait_until(_releases(site, "1.1.0"), "the commit in the first repository")
        daemon.wait_until(lambda: len(other.log()) == 2, "the commit in the second repository")
        daemon.wait_for_log("repository=gone .*err=")
        daemon.wait_for_log("repository=far .*err=")


def test_a_repository_that_appears_later_is_taken_up(site):
    site.push("app", "1.0.0", "1.1.0")
    with site.serve() as daemon:
        daemon.wait_for_log("err=")
        site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")


def test_a_registry_that_is_restarted_is_followed_again(site):
    _start(site)
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        site.registry.stop()
        daemon.wait_for_log("component=automation .*err=")
        site.registry.start()
        site.push("app", "1.1.0")
        daemon.wait_until(_releases(site, "1.1.0"), "the commit", timeout=30)
        assert len(site.repo.log()) == 2


def test_a_standing_problem_is_logged_once(site):
    _start(site)
    site.repo.commit({"broken.yaml": "a: [unclosed\n"})
    with site.serve() as daemon:
        daemon.wait_for_log("broken.yaml")
        head = site.repo.commit({"note.txt": "another head, another round\n"})
        daemon.wait_for_log(f"event=refreshed .*HEAD={head}")
        assert len([line for line in daemon.log().splitlines()
                    if "broken.yaml" in line and "component=automation" in line]) == 1


def test_a_push_that_is_refused_is_tried_again(site):
    _start(site)
    site.repo.reject_pushes("not today")
    site.push("app", "1.1.0")
    with site.serve() as daemon:
        daemon.wait_for_log("not today")
        site.repo.accept_pushes()
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")
    assert len(site.repo.log()) == 2


def test_a_target_that_lost_a_file_gets_it_back(site):
    _start(site)
    with site.serve("--sync-interval", "500ms") as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        (site.target / "web.yaml").unlink()
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the file to come back")


def test_a_registry_is_asked_once_an_interval_whatever_uses_it(site, new_repo, tmp_path):
    site.push("app", "1.0.0", "1.1.0")
    files = {f"{name}.yaml": workload(name, site.image("app", "1.0.0"), policy="glob:*") for name in ("a", "b", "c")}
    site.start(files)
    other = new_repo("other", files)
    config = tmp_path / "pawl.yaml"
    config.write_text(yaml.safe_dump({
        "git-poll-interval": "200ms", "registry-poll-interval": "1s", "deploy-to": "none",
        "repositories": [{"url": site.repo.url}, {"url": other.url}]}))
    with site.pawl.serve("--config", config) as daemon:
        daemon.wait_until(lambda: len(site.repo.log()) == len(other.log()) == 2, "both commits")
        site.registry.reset_requests()
        began = time.monotonic()
        daemon.wait_until(lambda: len(site.registry.requests("/tags/list")) >= 4, "four tag lists")
        elapsed = time.monotonic() - began
        # Intervals are one second with a tenth of jitter.
        assert len(site.registry.requests("/tags/list")) <= elapsed / 0.9 + 1
        assert elapsed <= 4 * 1.1 + 2 * site.pawl.patience
        assert len(site.registry.requests()) == len(site.registry.requests("/tags/list"))


def test_a_busy_branch_is_followed_and_never_forced(site):
    _start(site)
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        site.repo.overtake_pushes(4)
        for minor in (1, 2, 3):
            site.push("app", f"1.{minor}.0")
            daemon.wait_until(_releases(site, f"1.{minor}.0"), f"the commit of 1.{minor}.0")
    subjects = [commit.subject for commit in site.repo.log()]
    assert subjects.count("somebody was first") == 4 and len([s for s in subjects if s.startswith("Auto-release")]) == 3


def _ends(site, sig):
    _start(site)
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        process = daemon.process
        began = time.monotonic()
        assert process.stop(sig=sig, timeout=10) == 0
        assert time.monotonic() - began < 10
        daemon.was_killed = True  # it is gone already
    assert "event=exiting" in process.log()  # a round that was under way may have its say after it


def test_sigterm_ends_it(site):
    _ends(site, signal.SIGTERM)


def test_sigint_ends_it(site):
    _ends(site, signal.SIGINT)


def test_sigterm_ends_it_in_the_middle_of_a_slow_scan(site, fault_proxy):
    site.push("app", "1.0.0", "1.1.0")
    fault_proxy.delay(20, path="/tags/")
    site.start({"web.yaml": workload("web", f"{fault_proxy.host}/app:1.0.0", policy="semver:1")})
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the first apply")
        assert daemon.process.stop(timeout=10) == 0
        daemon.was_killed = True


def test_sigterm_ends_it_while_git_does_not_answer(site):
    with contextlib.closing(socket.create_server((LOOPBACK, 0))) as silent:
        site.url = f"ssh://{LOOPBACK}:{silent.getsockname()[1]}/x.git"
        with site.serve("--git-timeout", "60s") as daemon:
            silent.settimeout(10 * site.pawl.patience)
            with silent.accept()[0]:
                assert daemon.process.stop(timeout=10) == 0
            daemon.was_killed = True


def test_a_registry_that_asks_to_wait_is_not_asked_before(site, fault_proxy):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", f"{fault_proxy.host}/app:1.0.0", policy="semver:1")})
    fault_proxy.answer(429, path="/tags/", headers={"Retry-After": "3"})
    with site.serve() as daemon:
        daemon.wait_until(lambda: fault_proxy.seen, "the first request")
        began = time.monotonic()
        daemon.wait_until(lambda: len(fault_proxy.seen) > 1, "the second request")
        assert time.monotonic() - began >= 2.9
        daemon.wait_until(lambda: len(site.repo.log()) == 2, "the commit")


def test_the_log_can_be_json(site):
    start = _start(site)
    with site.serve("--log-format", "json") as daemon:
        daemon.wait_for_log(start)
        site.push("app", "1.1.0")
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")
    lines = [json.loads(line) for line in daemon.log().splitlines()]
    assert lines and all({"ts", "caller", "component"} <= set(line) for line in lines)
    refreshed = [line for line in lines if line.get("event") == "refreshed"]
    assert refreshed[0]["component"] == "sync-loop" and refreshed[0]["HEAD"] == start
    assert refreshed[0]["url"] == site.url and refreshed[0]["branch"] == "main"
    assert any(line.get("event") == "exiting" for line in lines)


def test_wrong_configuration_starts_nothing(site):
    for options in (["--cache", "redis://x"], ["--deploy-to", "moon"], ["--git-url", ""]):
        result = site.pawl.expect(2, "serve", *site.options, *options)
        assert "started" not in result.stderr


def test_a_registry_that_is_down_is_said_a_few_times_and_not_for_each_image(site, bad):
    """Its images fail one after the other, each with a round of its own; each doubling of their number is news."""
    names = [f"app{number}" for number in range(12)]
    for name in names:
        bad.has_tags(name, ["1.0.0"])
    site.start({f"{name}.yaml": workload(name, f"{bad.host}/{name}:1.0.0", policy="semver:1") for name in names})
    order = itertools.count(1)

    def fails_later(_, connection):
        time.sleep(0.5 * next(order))
        connection.reply(503, {"errors": []})

    with site.serve("--registry-burst", "20") as daemon:
        metric = f'pawl_scans_total{{host="{bad.host}",result="%s"}}'
        daemon.wait_until(lambda: daemon.metrics().get(metric % "ok", 0) >= 12, "the first scans")
        bad.on("/tags/", fails_later)
        daemon.wait_until(lambda: daemon.metrics().get(metric % "network", 0) >= 12, "all to fail")
        lines = [line for line in daemon.log().splitlines() if "503" in line]
    assert 1 <= len(lines) <= 5, "\n".join(lines)  # with 0, 1, 2, 4 and 8 more


def test_an_image_that_is_not_there_is_named_whatever_others_are_missing(site):
    site.push("there", "1.0.0")
    names = ["there", "lost1", "lost2", "lost3"]
    site.start({f"{name}.yaml": workload(name, site.image(name, "1.0.0"), policy="semver:1") for name in names})
    errors = site.once(rc=1)["errors"]
    assert {error["workload"] for error in errors} == {f"demo:deployment/lost{number}" for number in (1, 2, 3)}
