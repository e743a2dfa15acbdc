"""What registries must not do and some do: each time, what the user reads, and that the others went on.

Every test has two workloads: one whose image is at the registry at fault, and a good one at a real registry, whose update
must be pushed in the very same run. Faults that a proxy before a real registry can make are in test_registry.py.
"""

import pathlib
import socket
import sys

import pytest

from parts.manifests import workload
from parts.registry import basic_auth
from parts.site import Site

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))

from fault_server import FaultServer  # noqa: E402  (the path must be set first)

DATES = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z")


@pytest.fixture
def new_fault_server():
    started = []

    def start(**options):
        started.append(FaultServer(**options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def bad(new_fault_server):
    return new_fault_server()


@pytest.fixture
def duo(pawl, registry, new_repo, tmp_path):
    """A site with a good workload; `with_bad` adds those at fault."""
    site = Site(pawl, registry, new_repo(), tmp_path / "target")
    site.push("team/good", "1.0.0", "1.1.0")
    return site


def _with_bad(duo, host, policy="semver:1", count=1, name="team/bad"):
    names = [name] if count == 1 else [f"{name}{number}" for number in range(count)]
    duo.start({"good.yaml": workload("good", duo.image("team/good", "1.0.0"), policy="semver:1"),
               **{f"bad{number}.yaml": workload(f"bad{number}", f"{host}/{name}:1.0.0", policy=policy)
                  for number, name in enumerate(names)}})


def _good_goes_on(duo, *options, rc=1, changes=1, **how):
    """Runs a round: the good workload is updated, pushed and applied. Returns the report."""
    report = duo.once(*options, rc=rc, **how)
    assert "demo:deployment/good" in [change["workload"] for change in report["changes"]], duo.result
    assert len(report["changes"]) == changes, duo.result
    assert report["commit"] == duo.repo.sha() and b":1.1.0 " in duo.repo.read("good.yaml")
    assert duo.applied("good.yaml") == duo.repo.read("good.yaml")
    return report


def _says(duo, host, *words):
    """One line for people that names the registry and has these words; nothing of it can command a terminal."""
    lines = [line for line in duo.result.stderr.splitlines() if host in line]
    assert len(lines) == 1, duo.result
    for word in words:
        assert word.lower() in lines[0].lower(), f"{word!r} is not in {lines[0]!r}"
    assert "\x1b" not in duo.result.stderr


# Registries that keep one waiting


def _full_backlog():
    """A port that takes no connection: the queue of those that wait is full, and the kernel drops what comes."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


_STAGES = {
    "before the answer": lambda _, connection: connection.hold(),
    "in the status line": lambda _, connection: (connection.send(b"HTTP/1.1 20"), connection.hold()),
    "in the headers": lambda _, connection: (connection.send(b"HTTP/1.1 200 OK\r\nContent-Le"), connection.hold()),
    "in the body": lambda _, connection: (
        connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"tags":["9'), connection.hold()),
    "a byte a second": lambda _, connection: connection.drip(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"tags":['),
}


@pytest.mark.parametrize("stage", ["connect", *_STAGES])
def test_a_registry_that_hangs_delays_nobody_else(duo, bad, stage):
    held = _full_backlog() if stage == "connect" else None
    host = f"127.0.0.1:{held[0].getsockname()[1]}" if held else bad.host
    if not held:
        bad.on("/tags/", _STAGES[stage])
    _with_bad(duo, host, count=12)  # more than may be asked of one host at once
    with duo.serve() as daemon:
        daemon.wait_until(lambda: b":1.1.0 " in duo.repo.read("good.yaml"), "the good update")
        daemon.wait_until(lambda: held or bad.seen, "the registry at fault to be asked")
        duo.push("team/good", "1.2.0", first_day=9)
        daemon.wait_until(lambda: b":1.2.0 " in duo.repo.read("good.yaml"), "a second good update meanwhile")
    assert b":1.0.0 " in duo.repo.read("bad0.yaml")
    for sock in ([held[0], *held[1]] if held else []):
        sock.close()


# Registries that send away


def test_a_storm_of_429_with_retry_after_is_heeded_for_all_repositories(duo, bad):
    bad.on("", lambda _, connection: connection.reply(429, {"errors": [{"code": "TOOMANYREQUESTS"}]}, {"Retry-After": "600"}))
    _with_bad(duo, bad.host, count=20)
    _good_goes_on(duo)
    _says(duo, bad.host, "429")
    assert len(bad.seen) <= 8, "what was in flight when the first answer came"


def test_a_storm_of_429_without_retry_after_is_not_answered_with_one(duo, bad):
    bad.on("", lambda _, connection: connection.reply(429))
    _with_bad(duo, bad.host, count=20)
    _good_goes_on(duo)
    assert "429" in duo.result.stderr and bad.host in duo.result.stderr
    assert len(bad.seen) <= 20, "nothing is asked twice"


def test_a_connection_that_is_reset(duo, bad):
    bad.on("/tags/", lambda _, connection: connection.reset())
    _with_bad(duo, bad.host)
    _good_goes_on(duo)
    _says(duo, bad.host, "team/bad")


def test_a_connection_that_is_reset_in_the_body(duo, bad):
    def answer(_, connection):
        connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"tags":["1.0.0","1.9.0"')
        connection.reset()
    bad.on("/tags/", answer)
    _with_bad(duo, bad.host)
    _good_goes_on(duo)
    _says(duo, bad.host, "team/bad")


# Answers that cannot be


def _endless(_, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"tags":[\r\n')
    piece = b'"1.9.0",' * 8192
    while True:  # until pawl hangs up, which ends the thread
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))


def test_a_tag_list_without_end_is_cut_off_at_the_limit(duo, bad):
    bad.on("/tags/", _endless)
    _with_bad(duo, bad.host)
    _good_goes_on(duo, timeout=60)
    _says(duo, bad.host, "limit")


@pytest.mark.parametrize("body", [b"", b"not json", b'{"schemaVersion":2', b"[" * 100_000, b"\xff\xfe{}", b"null"],
                         ids=["empty", "text", "truncated", "deep", "no UTF-8", "null"])
def test_a_manifest_that_is_none_spoils_its_tag_alone(duo, bad, body):
    bad.has_tags("team/bad", ["1.0.0", "1.1.0", "1.2.0"])
    for tag, date in zip(("1.0.0", "1.1.0"), DATES):
        bad.has_image("team/bad", tag, date)
    bad.on("/manifests/1.2.0", lambda _, connection: connection.reply(200, body))
    _with_bad(duo, bad.host, policy="glob:*")
    _good_goes_on(duo, rc=0, changes=2)
    assert b":1.1.0 " in duo.repo.read("bad0.yaml")


def test_a_manifest_that_is_not_what_its_digest_says_spoils_its_tag_alone(duo, bad):
    bad.has_tags("team/bad", ["1.0.0", "1.1.0", "1.2.0"])
    for tag, date in zip(("1.0.0", "1.1.0", "1.2.0"), DATES):
        bad.has_image("team/bad", tag, date)
    bad.on("/manifests/1.2.0", lambda _, connection: connection.reply(
        200, {"schemaVersion": 2, "layers": [], "config": {}}, {"Docker-Content-Digest": "sha256:" + "0" * 64}))
    _with_bad(duo, bad.host, policy="glob:*")
    _good_goes_on(duo, rc=0, changes=2)
    assert b":1.1.0 " in duo.repo.read("bad0.yaml")


_HOSTILE = ["1.1.0", "1.1.0", "1.1.0", "", "-rf", ".hidden", "../../../etc/passwd", "1.9.0\n", "1.9.0 ", "1.9.0\x1b[31m",
            "1.9.0/x", "1.9.0:x", "1.9.0@sha256:x", "1.9.0#", '1.9.0"', "１.9.0", "9." * 64 + "0.0", None, 190,
            ["1.9.0"], {"1.9.0": 1}, "sha256-" + "0" * 64 + ".sig"]


def test_hostile_and_repeated_tag_names_are_passed_over(duo, bad):
    bad.has_tags("team/bad", ["1.0.0", *_HOSTILE])
    _with_bad(duo, bad.host)
    _good_goes_on(duo, rc=0, changes=2)
    assert b"/team/bad:1.1.0 " in duo.repo.read("bad0.yaml")
    listed = duo.pawl.ok("tags", f"{bad.host}/team/bad", "-o", "name").stdout
    assert listed.split("\n") == ["1.1.0", "1.0.0", ""]


def test_a_hundred_thousand_tags_in_one_answer(duo, bad):
    bad.has_tags("team/bad", [f"1.0.{number}" for number in range(100_000)])
    _with_bad(duo, bad.host)
    _good_goes_on(duo, rc=0)
    assert b":1.0.0 " in duo.repo.read("bad0.yaml")  # over --registry-tag-limit: never a reason to update
    report = duo.once("--registry-tag-limit", "100000", timeout=60)
    assert [change["to"] for change in report["changes"]] == [f"{bad.host}/team/bad:1.0.99999"]


# Pages that lead astray


def _page(tags, link):
    return lambda _, connection: connection.reply(200, {"tags": tags}, {"Link": f'<{link}>; rel="next"'})


def test_pages_that_lead_in_a_circle(duo, bad):
    bad.on("/tags/", _page(["1.0.0", "1.9.0"], "/v2/team/bad/tags/list?last=1.9.0"))
    _with_bad(duo, bad.host)
    _good_goes_on(duo)
    _says(duo, bad.host, "circle")
    assert len(bad.seen) == 2


def test_pages_without_end_are_cut_off(duo, bad):
    def answer(_, connection):
        count = len(bad.seen)
        connection.reply(200, {"tags": [f"1.{count}.0"]}, {"Link": f"</v2/team/bad/tags/list?last={count}>; rel=next"})
    bad.on("/tags/", answer)
    _with_bad(duo, bad.host)
    report = _good_goes_on(duo, "--registry-rps", "100000", "--registry-burst", "100000", "--registry-tag-limit", "300", rc=0)
    assert len(bad.seen) <= 302
    assert "--registry-tag-limit" in report["held"][0]["reason"]


def test_pages_at_another_host_are_not_followed(duo, bad, new_fault_server):
    other = new_fault_server()
    bad.on("/tags/", _page(["1.0.0", "1.9.0"], f"http://{other.host}/v2/team/bad/tags/list?last=1.9.0"))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    _with_bad(duo, bad.host)
    _good_goes_on(duo)
    _says(duo, bad.host, "another server")
    assert other.seen == []


# Tokens


def _wants_token(realm, tokens):
    """Answers for who has one of `tokens`, and sends all others to `realm`."""
    def answer(request, connection):
        if request.headers.get("authorization") in [f"Bearer {token}" for token in tokens]:
            connection.reply(200, {"tags": ["1.0.0", "1.1.0"]})
        else:
            connection.reply(401, {"errors": [{"code": "UNAUTHORIZED"}]},
                             {"WWW-Authenticate": f'Bearer realm="{realm}",service="s",scope="repository:team/bad:pull"'})
    return answer


def test_credentials_do_not_follow_a_realm_to_another_host(duo, bad, new_fault_server):
    other = new_fault_server()
    other.on("/token", lambda _, connection: connection.reply(200, {"token": "stolen"}))
    bad.on("/tags/", _wants_token(f"http://localhost:{other.port}/token", ["stolen"]))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    _with_bad(duo, bad.host)
    _good_goes_on(duo)
    _says(duo, bad.host, f"localhost:{other.port}")
    assert other.authorizations() == [] and other.seen == []
    assert "secret-of-the-robot" not in duo.result.stderr + duo.result.stdout


def test_credentials_do_not_leave_https_for_a_realm_over_http(duo, new_fault_server, server_certificate, authority):
    bad, other = new_fault_server(certificate=server_certificate), new_fault_server()
    other.on("/token", lambda _, connection: connection.reply(200, {"token": "stolen"}))
    bad.on("/tags/", _wants_token(f"http://{other.host}/token", ["stolen"]))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    _with_bad(duo, bad.host)
    _good_goes_on(duo, env={"SSL_CERT_FILE": str(authority.ca_file)})
    _says(duo, bad.host, "http")
    assert other.authorizations() == [] and bad.authorizations() == []


def test_a_token_that_expires_in_the_middle_of_a_list_is_renewed(duo, bad):
    given = []

    def token(_, connection):
        given.append(f"t{len(given)}")
        connection.reply(200, {"token": given[-1]})

    def page(request, connection):
        is_second = "last=" in request.target
        wanted = f"Bearer t{1 if is_second else 0}"
        if request.headers.get("authorization") != wanted:
            realm = f'Bearer realm="http://{bad.host}/token",service="s",scope="repository:team/bad:pull",error="invalid_token"'
            connection.reply(401, headers={"WWW-Authenticate": realm})
        elif is_second:
            connection.reply(200, {"tags": ["1.1.0"]})
        else:
            connection.reply(200, {"tags": ["1.0.0"]}, {"Link": "</v2/team/bad/tags/list?last=1.0.0>; rel=next"})

    bad.on("/token", token)
    bad.on("/tags/", page)
    _with_bad(duo, bad.host)
    _good_goes_on(duo, rc=0, changes=2)
    assert given == ["t0", "t1"]


@pytest.mark.parametrize("issued_at", ["2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z", "yesterday"])
def test_a_token_server_with_another_clock(duo, bad, issued_at):
    bad.on("/token", lambda _, connection: connection.reply(
        200, {"token": "t", "expires_in": 300, "issued_at": issued_at}, {"Date": "Mon, 01 Jan 2001 00:00:00 GMT"}))
    bad.on("/tags/", _wants_token(f"http://{bad.host}/token", ["t"]))
    _with_bad(duo, bad.host)
    _good_goes_on(duo, rc=0, changes=2)
    assert sum("/token" in request.target for request in bad.seen) == 1


def test_a_refused_password_is_not_tried_again_and_again(duo, bad):
    bad.on("/token", lambda _, connection: connection.reply(401, {"details": "incorrect username or password"}))
    bad.on("/tags/", _wants_token(f"http://{bad.host}/token", []))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    _with_bad(duo, bad.host)
    _good_goes_on(duo)
    _says(duo, bad.host, "incorrect username or password")
    assert bad.authorizations() == [basic_auth("robot", "secret-of-the-robot")]


# Certificates


@pytest.mark.parametrize("options, words", [
    ({"subject_names": "DNS:elsewhere.test"}, ("certificate",)),
    ({"days": -1}, ("certificate", "expired")),
], ids=["wrong host", "expired"])
def test_a_certificate_that_does_not_hold(duo, new_fault_server, authority, options, words):
    bad = new_fault_server(certificate=authority.issue("bad", **options))
    bad.has_tags("team/bad", ["1.0.0", "1.1.0"])
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    _with_bad(duo, bad.host)
    _good_goes_on(duo, env={"SSL_CERT_FILE": str(authority.ca_file)})
    _says(duo, bad.host, *words)
    assert bad.seen == []


# memcached


def test_memcached_that_dies_and_comes_back_in_the_middle_of_a_scan(duo, bad, memcacheds):
    tags = [f"1.{number}.0" for number in range(40)]
    bad.has_tags("team/bad", tags)
    for number, tag in enumerate(tags):
        bad.has_image("team/bad", tag, f"2024-02-01T00:{number:02}:00Z")
    events = {"/manifests/1.10.0": "stop", "/manifests/1.25.0": "start"}

    def with_event(path, event):
        answer = bad._answer_for(path)

        def acts(request, connection):
            for server in memcacheds:
                getattr(server, event)()
            answer(request, connection)
        bad.on(path, acts)

    for path, event in events.items():
        with_event(path, event)
    _with_bad(duo, bad.host, policy="glob:*")
    cache = "memcached://" + ",".join(server.address for server in memcacheds)
    report = _good_goes_on(duo, "--cache", cache, rc=0, changes=2)
    assert b":1.39.0 " in duo.repo.read("bad0.yaml") and report["errors"] == []
    lines = duo.result.stderr.splitlines()  # that requests could have been saved may be said, once
    assert len(lines) <= 1 and all("memcached" in line for line in lines), duo.result
