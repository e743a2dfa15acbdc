"""`pawl cache ls|inspect|prune`: looking into the cache, beside a daemon that uses it."""

import datetime
import re
import signal
import time

import pytest

from parts.manifests import workload

ROW_KEYS = {"repository", "platform", "credentials", "scope", "tags", "dated", "problems", "truncated", "scanned_at",
            "expires_at", "bytes"}
IMAGE_KEYS = {"name", "digest", "created", "checked_at", "problem"}


def _fill(site, *options, policy="glob:*"):
    """One repository with dates, one of whose tags alone somebody asked."""
    site.push("app", "a", "b", "c")
    site.push("plain", "1.0.0", "1.1.0")
    site.start({"app.yaml": workload("app", site.image("app", "a"), policy=policy),
                "plain.yaml": workload("plain", site.image("plain", "1.0.0"), policy="semver:1")})
    site.once(*options)


def _ls(pawl, *options):
    found = pawl.ok("cache", "ls", "-o", "json", *options).json
    assert {"repositories", "facts", "useless"} <= set(found)
    assert all(ROW_KEYS <= set(row) for row in found["repositories"])
    return found


def _rows(pawl, *options):
    return {row["repository"].split("/", 1)[1]: row for row in _ls(pawl, *options)["repositories"]}


def _prune(pawl, *options):
    done = pawl.ok("cache", "prune", "-o", "json", *options).json
    return {what: done[what]["records"] for what in ("kept", "expired", "unreadable", "old")}


def _memcached(server):
    return ["--cache", f"memcached://{server.address}"]


# ls


def test_ls_says_what_is_known_of_each_repository(site, pawl):
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    _fill(site)
    rows = _rows(pawl)
    assert [(name, row["tags"], row["dated"], row["problems"]) for name, row in rows.items()] == [
        ("app", 3, 3, 0), ("plain", 2, 0, 0)]
    for row in rows.values():
        assert row["credentials"] == "anonymous" and row["platform"] == "linux/amd64" and not row["truncated"]
        scanned, expires = (datetime.datetime.fromisoformat(row[key].replace("Z", "+00:00"))
                            for key in ("scanned_at", "expires_at"))
        assert before <= scanned <= datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(days=13) < expires - scanned < datetime.timedelta(days=15)
    assert _ls(pawl)["facts"]["records"] == 3
    assert _ls(pawl)["useless"] == {"records": 0, "bytes": 0}


def test_ls_in_its_other_forms(site, pawl):
    _fill(site)
    names = [f"{site.registry.host}/app", f"{site.registry.host}/plain"]
    assert pawl.ok("cache", "ls", "-o", "name").stdout.split() == names
    table = pawl.ok("cache", "ls")
    heading, *rows = table.stdout.splitlines()
    assert heading.split() == ["REPOSITORY", "CREDENTIALS", "TAGS", "DATED", "AGE", "SIZE"]
    assert [re.sub(r"\d+m?s .*", "", row).split() for row in rows] == [
        [names[0], "anonymous", "3", "3"], [names[1], "anonymous", "2", "0"]]
    assert "3 facts" in table.stderr
    wide = pawl.ok("cache", "ls", "-o", "wide", "--no-headers").stdout.splitlines()
    assert len(wide) == 2 and all("linux/amd64" in row for row in wide)


def test_ls_tells_answers_to_different_credentials_apart(site, pawl, registry_basic):
    site.registry = registry_basic
    pawl.docker_login(registry_basic.host, registry_basic.user, registry_basic.password)
    _fill(site)
    row = _rows(pawl)["app"]
    assert row["credentials"] == "user"
    assert registry_basic.user not in pawl.ok("cache", "ls", "-o", "json").stdout


def test_ls_without_a_cache_says_so_and_makes_none(pawl):
    result = pawl.expect(1, "cache", "ls")
    assert "cache.lmdb" in result.stderr and "--data-dir" in result.stderr and not result.stdout
    assert not list(pawl.state.rglob("*.lmdb*"))


# inspect


def test_ls_where_nothing_can_be_seen_does_not_say_that_there_is_none(pawl, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    error = pawl.expect(1, "cache", "ls", "--data-dir", str(loop)).stderr
    assert f"cannot look at {loop}/cache.lmdb" in error and "first scan" not in error and len(error.splitlines()) == 1


def test_inspect_shows_each_tag(site, pawl):
    _fill(site)
    record, = pawl.ok("cache", "inspect", site.image("app", "a"), "-o", "json").json["records"]
    assert ROW_KEYS <= set(record)
    assert [image["name"] for image in record["images"]] == ["a", "b", "c"]
    for number, image in enumerate(record["images"]):
        assert IMAGE_KEYS <= set(image)
        assert image["created"] == f"2024-01-0{2 + number}T12:00:00Z"
        assert re.fullmatch("sha256:[0-9a-f]{64}", image["digest"]) and image["checked_at"] and not image["problem"]
    assert pawl.ok("cache", "inspect", f"{site.registry.host}/plain", "-o", "name").stdout.split() == ["1.0.0", "1.1.0"]
    table = pawl.ok("cache", "inspect", f"{site.registry.host}/app")
    assert table.stdout.splitlines()[1].split() == ["a", "2024-01-02T12:00:00Z"]
    assert "3 tags" in table.stderr
    assert "sha256:" in pawl.ok("cache", "inspect", f"{site.registry.host}/app", "-o", "wide").stdout


def test_inspect_shows_the_problem_of_a_tag(site, pawl):
    site.push("app", "a")
    site.registry.push_index("app", "b", platforms=["linux/arm64"])
    site.start({"app.yaml": workload("app", site.image("app", "a"), policy="glob:*")})
    site.once()
    assert _rows(pawl)["app"]["problems"] == 1
    images = pawl.ok("cache", "inspect", f"{site.registry.host}/app", "-o", "json").json["records"][0]["images"]
    problems = {image["name"]: image["problem"] for image in images}
    assert problems["a"] is None and "linux/arm64" in problems["b"]


def test_inspect_of_what_is_not_there(site, pawl):
    _fill(site)
    result = pawl.expect(1, "cache", "inspect", f"{site.registry.host}/other")
    assert f"{site.registry.host}/other" in result.stderr and not result.stdout


# prune


def test_prune_leaves_what_is_in_use(site, pawl):
    _fill(site)
    assert _prune(pawl) == {"kept": 5, "expired": 0, "unreadable": 0, "old": 0}
    assert _prune(pawl, "--older-than", "1h") == {"kept": 5, "expired": 0, "unreadable": 0, "old": 0}
    assert set(_rows(pawl)) == {"app", "plain"}


def test_prune_removes_what_is_old(site, pawl):
    _fill(site)
    time.sleep(1.1)
    assert _prune(pawl, "--older-than", "1s", "--dry-run") == {"kept": 0, "expired": 0, "unreadable": 0, "old": 5}
    assert set(_rows(pawl)) == {"app", "plain"}
    assert "removed 5 records" in pawl.ok("cache", "prune", "--older-than", "1s").stdout
    assert _ls(pawl)["repositories"] == [] and _ls(pawl)["facts"]["records"] == 0
    site.push("app", "d", first_day=9)
    assert [change["to"] for change in site.once()["changes"]] == [site.image("app", "d")]


def test_prune_all_leaves_nothing(site, pawl):
    _fill(site)
    assert _prune(pawl, "--all") == {"kept": 0, "expired": 0, "unreadable": 0, "old": 5}
    assert _prune(pawl, "--all") == {"kept": 0, "expired": 0, "unreadable": 0, "old": 0}
    assert pawl.ok("cache", "ls").stderr == "no repositories; 0 facts about images (0 B)\n"


def test_prune_removes_a_damaged_value_alone(site, pawl):
    _fill(site)
    file = pawl.state / "pawl" / "cache.lmdb"
    content = file.read_bytes()
    at = content.rindex(f"{site.registry.host}/plain".encode())  # inside the record, behind its key
    file.write_bytes(content[:at] + b"X" + content[at + 1:])
    assert _ls(pawl)["useless"]["records"] == 1
    assert "pawl cache prune" in pawl.ok("cache", "ls").stderr
    assert _prune(pawl) == {"kept": 4, "expired": 0, "unreadable": 1, "old": 0}
    assert _ls(pawl)["useless"]["records"] == 0 and set(_rows(pawl)) == {"app"}


# Beside a daemon


def test_all_of_it_works_while_a_daemon_scans(site, pawl):
    site.push("app", "a")
    site.start({"app.yaml": workload("app", site.image("app", "a"), policy="glob:*")})
    with site.serve() as daemon:
        daemon.wait_until(lambda: site.applied("app.yaml") is not None, "the first apply")
        for number, tag in enumerate("bcde"):
            daemon.wait_until(lambda: _rows(pawl).get("app", {"tags": 0})["tags"] >= 1, "the record, within a second")
            _prune(pawl, "--all")
            site.push("app", tag, first_day=2 + number)
            daemon.wait_until(lambda tag=tag: f":{tag} ".encode() in site.repo.read("app.yaml"), f"the commit of {tag}")
        daemon.wait_until(lambda: "app" in _rows(pawl), "the record to come back")
        assert "level=error" not in daemon.log()
    assert len(site.repo.log()) == 5


def test_a_prune_that_is_killed_leaves_a_whole_file(site, pawl):
    """At any moment: the daemon beside it goes on writing, and the next prune removes the rest."""
    for number in range(8):
        site.push(f"app{number}", "a", "b")
    site.start({f"{number}.yaml": workload(f"w{number}", site.image(f"app{number}", "a"), policy="glob:*")
                for number in range(8)})
    with site.serve() as daemon:
        daemon.wait_until(lambda: len(_rows(pawl)) == 8, "the records")
        for step in range(12):
            child = pawl.start("cache", "prune", "--all")
            time.sleep(0.005 * step)
            child.send_signal(signal.SIGKILL)
            child.communicate()
            _ls(pawl)
        daemon.wait_until(lambda: len(_rows(pawl)) == 8, "the records to come back")
        assert "level=error" not in daemon.log() and "damaged" not in daemon.log()
    assert _ls(pawl)["useless"]["records"] == 0
    assert not list(pawl.state.rglob("*.bad"))


# memcached


def test_memcached_can_be_inspected(site, pawl, new_memcached):
    options = _memcached(new_memcached())
    _fill(site, *options)
    record, = pawl.ok("cache", "inspect", f"{site.registry.host}/app", "-o", "json", *options).json["records"]
    assert [image["name"] for image in record["images"]] == ["a", "b", "c"]
    assert record["credentials"] == "anonymous" and record["expires_at"] is None
    assert "nothing of" in pawl.expect(1, "cache", "inspect", "no/such", *options).stderr


def test_memcached_is_inspected_for_all_who_put_there(site, pawl, registry_basic, new_memcached):
    site.registry = registry_basic
    pawl.docker_login(registry_basic.host, registry_basic.user, registry_basic.password)
    server = new_memcached()
    options = _memcached(server)
    _fill(site, *options)
    site.once("--platform", "linux/arm64", *options)
    (pawl.home / ".docker" / "config.json").unlink()
    records = pawl.ok("cache", "inspect", f"{site.registry.host}/app", "-o", "json", *options).json["records"]
    assert [(record["platform"], record["credentials"]) for record in records] == [
        ("linux/amd64", "user"), ("linux/arm64", "user")]
    assert not any(registry_basic.user in key for key in server.keys())


@pytest.mark.parametrize("verb", ["ls", "prune"])
def test_memcached_cannot_be_listed_and_says_what_can(pawl, new_memcached, verb):
    result = pawl.expect(1, "cache", verb, *_memcached(new_memcached()))
    assert "memcached cannot list" in result.stderr and "pawl cache inspect" in result.stderr and not result.stdout


def test_memcached_that_is_dead_is_named(pawl, new_memcached):
    server = new_memcached()
    server.stop()
    assert server.address in pawl.expect(1, "cache", "inspect", "no/such", *_memcached(server)).stderr


# Wrong usage


@pytest.mark.parametrize("arguments, says", [
    ([], "needs"), (["list"], "ls, inspect REPOSITORY and prune"), (["inspect"], "a REPOSITORY"),
    (["ls", "alpine"], "no argument"), (["inspect", "a", "b"], "no argument"), (["ls", "--all"], "prune"),
    (["inspect", "alpine", "--dry-run"], "prune"), (["prune", "--older-than", "soon"], "older-than"),
    (["ls", "--git-url", "x"], "--git-url")])
def test_wrong_usage_is_refused(pawl, arguments, says):
    result = pawl.expect(2, "cache", *arguments)
    assert says in result.stderr and not result.stdout
    assert not list(pawl.state.rglob("*.lmdb*"))


def test_no_cache_is_no_list(pawl):
    for verb in (["ls"], ["prune"]):
        assert "--cache none" in pawl.expect(1, "cache", *verb, "--cache", "none").stderr
