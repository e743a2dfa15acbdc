"""The cache: it saves requests, and whatever happens to it, nothing else changes."""

import subprocess

import pytest

from parts.manifests import workload
from parts.pawl import Pawl


def _start(site):
    """A repository whose policy needs dates: each tag costs requests that a cache saves."""
    site.push("app", *"abcdef")
    return site.start({"web.yaml": workload("web", site.image("app", "a"), policy="glob:*"),
                       "other.yaml": workload("other", site.image("app", "a"), policy="regexp:.")})


def _requests(site, *options, **how):
    """Runs a round and returns what it asked the registry for: ("tags", "manifests", "blobs") counts."""
    site.registry.reset_requests()
    site.once(*options, **how)
    seen = [request.path for request in site.registry.requests()]
    return tuple(sum(f"/{kind}/" in path for path in seen) for kind in ("tags", "manifests", "blobs"))


def _memcached(servers):
    return ["--cache", "memcached://" + ",".join(server.address for server in servers)]


def test_the_file_cache_lasts_from_run_to_run(site):
    _start(site)
    first = _requests(site)
    assert first[0] == 1 and first[1] >= 6 and first[2] >= 6
    assert _requests(site) == (1, 0, 0)
    assert (site.pawl.state / "pawl" / "cache.lmdb").exists()


def test_a_new_tag_costs_its_own_requests_alone(site):
    _start(site)
    site.once()
    site.push("app", "g", first_day=20)
    tags, manifests, blobs = _requests(site)
    assert (tags, blobs) == (1, 1) and manifests in (1, 2)
    assert b":g " in site.repo.read("web.yaml")


def test_without_a_cache_everything_is_asked_again(site):
    _start(site)
    first = _requests(site, "--cache", "none")
    assert _requests(site, "--cache", "none") == first
    assert not (site.pawl.state / "pawl" / "cache.lmdb").exists()


def test_two_pawls_share_two_memcached_servers(site, memcacheds, tmp_path):
    for number in range(6):  # enough repositories that both servers get some
        site.push(f"team/app{number}", "a", "b")
    site.start({f"{number}.yaml": workload(f"w{number}", site.image(f"team/app{number}", "a"), policy="glob:*")
                for number in range(6)})
    first = _requests(site, *_memcached(memcacheds))
    assert first[0] == 6 and first[1] >= 12
    assert all(server.keys() for server in memcacheds)
    site.pawl = Pawl(site.pawl.binary, tmp_path / "another-home")
    assert _requests(site, *_memcached(memcacheds)) == (6, 0, 0)
    assert not (site.pawl.state / "pawl" / "cache.lmdb").exists()


def test_memcached_as_flux_named_it(site, new_memcached):
    server = new_memcached()
    _start(site)
    site.once("--memcached-hostname", "127.0.0.1", "--memcached-port", server.port)
    assert server.keys()


@pytest.mark.parametrize("misfortune", ["dead", "restarted", "one of two dead", "flushed"])
def test_memcached_may_fail_at_any_time(site, memcacheds, misfortune):
    _start(site)
    options = _memcached(memcacheds)
    site.once(*options)
    site.push("app", "g", first_day=20)
    if misfortune == "dead":
        for server in memcacheds:
            server.stop()
    elif misfortune == "one of two dead":
        memcacheds[0].stop()
    elif misfortune == "restarted":
        for server in memcacheds:
            server.restart()
    else:
        for server in memcacheds:
            server.flush()
    report = site.once(*options)
    assert [change["to"] for change in report["changes"]] == [site.image("app", "g")] * 2
    assert report["errors"] == []


def test_memcached_that_dies_under_a_daemon_comes_back_into_use(site, memcacheds):
    _start(site)
    with site.serve(*_memcached(memcacheds)) as daemon:
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', 'f')}"), "the first commit")
        for server in memcacheds:
            server.stop()
        site.push("app", "g", first_day=20)
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', 'g')}"), "the second commit")
        for server in memcacheds:
            server.start()
        site.push("app", "h", first_day=21)
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', 'h')}"), "the third commit")
        daemon.wait_until(lambda: any(server.keys() for server in memcacheds), "memcached to be used again",
                          timeout=40)


@pytest.mark.parametrize("cache", ["none", "dead"])
def test_a_daemon_without_a_cache_asks_for_what_is_new_alone(site, memcacheds, cache):
    """What it knows itself is not asked for again and again because nobody keeps it."""
    _start(site)
    options = ["--cache", "none"] if cache == "none" else _memcached(memcacheds)
    for server in memcacheds:
        server.stop()
    with site.serve(*options, "--registry-poll-interval", "1s") as daemon:
        daemon.wait_until(lambda: site.has_pushed(f"Auto-release {site.image('app', 'f')}"), "the first commit")
        site.registry.reset_requests()
        daemon.wait_until(lambda: len(site.registry.requests()) >= 3, "three intervals")
        seen = [request.path for request in site.registry.requests()]
        assert all("/tags/list" in path for path in seen), seen


@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000, None],
                         ids=["empty", "another form", "torn"])
def test_a_damaged_cache_file_is_no_error(site, damage):
    _start(site)
    site.once()
    cache = site.pawl.state / "pawl" / "cache.lmdb"
    file = cache / "data.mdb" if cache.is_dir() else cache
    content = file.read_bytes()
    # None: a file of the right form whose values are torn.
    file.write_bytes(content[:8192] + bytes(255 - byte for byte in content[8192:]) if damage is None else damage)
    site.push("app", "g", first_day=20)
    report = site.once()
    assert [change["to"] for change in report["changes"]] == [site.image("app", "g")] * 2


def test_a_cache_that_cannot_be_opened_is_named(site):
    _start(site)
    cache = site.pawl.state / "pawl" / "cache.lmdb"
    cache.mkdir(parents=True)
    result = site.pawl.expect(1, "once", *site.options)
    assert str(cache) in result.stderr and len(result.stderr.splitlines()) == 1
    site.once("--cache", "none")


def _on_a_full_disk(folder, program):
    """Runs `program` where `folder` is a small file system without a free block, or skips."""
    mount = 'mount -t tmpfs -o size=64k none "$1" && { head -c 1M /dev/zero >"$1/fill" || true; } 2>/dev/null'
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    folder.mkdir()
    if subprocess.run([*inside, mount, "sh", folder], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    return [*inside, mount + ' && shift && exec "$@"', "sh", str(folder), str(program)]


def test_a_full_disk_is_named(site, tmp_path):
    """LMDB maps its lock file into memory, and a page of it that the disk has no room for is a SIGBUS."""
    _start(site)
    folder = tmp_path / "full"
    argv = _on_a_full_disk(folder, site.pawl.binary)
    argv += ["tags", f"{site.registry.host}/app", "--data-dir", str(folder / "data")]
    done = subprocess.run(argv, env=site.pawl.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done
    assert "No space left on device" in done.stderr and "--cache none" in done.stderr


@pytest.mark.parametrize("cache", ["files", "memcached://", "redis://127.0.0.1"])
def test_a_cache_that_there_is_not_is_refused(site, cache):
    assert "--cache" in site.pawl.expect(2, "once", *site.options, "--cache", cache).stderr


def test_no_secret_is_in_the_cache(site, pawl, registry_basic):
    site.registry = registry_basic
    pawl.docker_login(registry_basic.host, registry_basic.user, registry_basic.password)
    _start(site)
    site.once()
    for file in (pawl.state / "pawl").rglob("*"):
        assert not file.is_file() or registry_basic.password.encode() not in file.read_bytes(), file
