"""What registries must not do and some do: each time, what the user reads, and that the others went on.

Every test has two workloads: one whose image is at the registry at fault, and a good one at a real registry, whose update
must be pushed in the very same run. Faults that a proxy before a real registry can make are in test_registry.py; stalls and
resets at every stage, and what has to do with clocks, in test_fault_stages.py.
"""

import pytest

from parts.duo import DATES, STALLS, full_backlog, good_goes_on, says, wants_token, with_bad, with_bad_hosts
from parts.registry import basic_auth


# Registries that keep one waiting


@pytest.mark.parametrize("stage", ["connect", *STALLS])
def test_a_registry_that_hangs_delays_nobody_else(duo, bad, stage):
    held = full_backlog() if stage == "connect" else None
    host = f"127.0.0.1:{held[0].getsockname()[1]}" if held else bad.host
    if not held:
        bad.on("/tags/", STALLS[stage])
    with_bad(duo, host, count=12)  # more than may be asked of one host at once
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
    with_bad(duo, bad.host, count=20)
    good_goes_on(duo)
    says(duo, bad.host, "429")
    assert len(bad.seen) <= 8, "what was in flight when the first answer came"


def test_a_storm_of_429_without_retry_after_is_not_answered_with_one(duo, bad):
    bad.on("", lambda _, connection: connection.reply(429))
    with_bad(duo, bad.host, count=20)
    good_goes_on(duo)
    says(duo, bad.host, "429", "too many requests", "19 more")
    assert len(bad.seen) <= 20, "nothing is asked twice"


def test_a_connection_that_is_reset(duo, bad):
    bad.on("/tags/", lambda _, connection: connection.reset())
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "team/bad")


def test_a_connection_that_is_reset_in_the_body(duo, bad):
    def answer(_, connection):
        connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"tags":["1.0.0","1.9.0"')
        connection.reset()
    bad.on("/tags/", answer)
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "team/bad")


# Answers that cannot be


def _endless(_, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"tags":[\r\n')
    piece = b'"1.9.0",' * 8192
    while True:  # until pawl hangs up, which ends the thread
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))


def test_a_tag_list_without_end_is_cut_off_at_the_limit(duo, bad):
    bad.on("/tags/", _endless)
    with_bad(duo, bad.host)
    good_goes_on(duo, timeout=60)
    says(duo, bad.host, "limit")


# What is no JSON of the right kind, and what is said of it.
_GARBAGE = {b"": "not valid JSON", b"not json": "not valid JSON", b'{"schemaVersion":2': "not valid JSON",
            b"[" * 100_000: "nested deeper than 128", b"\xff\xfe{}": "not valid JSON", b"null": "", b'{"a": 1}': ""}


def _reason_to_pass_over(report, host):
    """Why 1.2.0 was not taken in the update of the workload at `host`."""
    change = next(change for change in report["changes"] if host in change["to"])
    assert change["to"].endswith(":1.1.0"), change
    before, _, why = change["reason"].partition("; passed over ")
    assert "1.2.0" in why and before == "1.1.0 is the newest that matches glob:*", change
    return why


def _has_images(server):
    server.has_tags("team/bad", ["1.0.0", "1.1.0", "1.2.0"])
    for tag, date in zip(("1.0.0", "1.1.0", "1.2.0"), DATES):
        server.has_image("team/bad", tag, date)


def test_a_manifest_that_is_none_spoils_its_tag_alone(duo, new_fault_server):
    servers = {body: new_fault_server() for body in _GARBAGE}
    for body, server in servers.items():
        _has_images(server)
        server.on("/manifests/1.2.0", lambda _, connection, body=body: connection.reply(200, body))
    with_bad_hosts(duo, [server.host for server in servers.values()], policy="glob:*")
    report = good_goes_on(duo, rc=0, changes=len(servers) + 1)
    for body, server in servers.items():
        assert (_GARBAGE[body] or "neither an image manifest nor an index") in _reason_to_pass_over(report, server.host)


def test_a_tag_list_that_is_none_is_named_as_such(duo, new_fault_server):
    servers = {body: new_fault_server() for body in _GARBAGE}
    for body, server in servers.items():
        server.on("/tags/", lambda _, connection, body=body: connection.reply(200, body))
    with_bad_hosts(duo, [server.host for server in servers.values()])
    good_goes_on(duo)
    for body, server in servers.items():
        says(duo, server.host, "the tag list", _GARBAGE[body] or 'has no "tags": is this a registry?')


def test_a_token_answer_that_is_none_is_named_as_such(duo, new_fault_server):
    servers = {body: new_fault_server() for body in _GARBAGE}
    for body, server in servers.items():
        server.on("/tags/", wants_token(f"http://{server.host}/token", ["t"]))
        server.on("/token", lambda _, connection, body=body: connection.reply(200, body))
    with_bad_hosts(duo, [server.host for server in servers.values()])
    good_goes_on(duo)
    for server in servers.values():
        says(duo, server.host, "getting a token", "the token server's answer holds no token")


@pytest.mark.parametrize("path", ["/manifests/1.2.0", "/token"])
def test_other_answers_without_end_are_cut_off_too(duo, bad, path):
    _has_images(bad)
    if path == "/token":
        bad.on("/tags/", wants_token(f"http://{bad.host}/token", ["t"]))
    bad.on(path, _endless)
    with_bad(duo, bad.host, policy="glob:*")
    report = good_goes_on(duo, rc=1 if path == "/token" else 0, changes=1 if path == "/token" else 2)
    if path == "/token":
        says(duo, bad.host, "getting a token", "larger than the limit")
    else:
        assert "larger than the limit" in _reason_to_pass_over(report, bad.host)


def test_a_manifest_that_is_not_what_its_digest_says_spoils_its_tag_alone(duo, bad):
    _has_images(bad)
    bad.on("/manifests/1.2.0", lambda _, connection: connection.reply(
        200, {"schemaVersion": 2, "layers": [], "config": {}}, {"Docker-Content-Digest": "sha256:" + "0" * 64}))
    with_bad(duo, bad.host, policy="glob:*")
    report = good_goes_on(duo, rc=0, changes=2)
    assert "digest" in _reason_to_pass_over(report, bad.host)


def test_a_config_that_is_not_what_its_digest_says_spoils_its_tag_alone(duo, bad):
    _has_images(bad)
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 50}
    bad.on("/manifests/1.2.0", lambda _, connection: connection.reply(200, {"schemaVersion": 2, "layers": [], "config": config}))
    bad.on("/blobs/sha256:000", lambda _, connection: connection.reply(200, {"created": "2030-01-01T00:00:00Z"}))
    with_bad(duo, bad.host, policy="glob:*")
    report = good_goes_on(duo, rc=0, changes=2)
    assert "the config of 1.2.0" in _reason_to_pass_over(report, bad.host)


@pytest.mark.parametrize("status, words", [(500, "in trouble"), (502, "in trouble"), (503, "in trouble"), (418, "not an answer of a registry")])
def test_a_registry_that_fails_is_one_line_with_the_status(duo, bad, status, words):
    bad.on("", lambda _, connection: connection.reply(status, b"<html>\x1b[31moops</html>"))
    with_bad(duo, bad.host, count=3)
    good_goes_on(duo)
    says(duo, bad.host, str(status), words, "2 more")


_HOSTILE = ["1.1.0", "1.1.0", "1.1.0", "", "-rf", ".hidden", "../../../etc/passwd", "1.9.0\n", "1.9.0 ", "1.9.0\x1b[31m",
            "1.9.0/x", "1.9.0:x", "1.9.0@sha256:x", "1.9.0#", '1.9.0"', "１.9.0", "9." * 64 + "0.0", None, 190,
            ["1.9.0"], {"1.9.0": 1}, "sha256-" + "0" * 64 + ".sig"]


def test_hostile_and_repeated_tag_names_are_passed_over(duo, bad):
    bad.has_tags("team/bad", ["1.0.0", *_HOSTILE])
    with_bad(duo, bad.host)
    good_goes_on(duo, rc=0, changes=2)
    assert b"/team/bad:1.1.0 " in duo.repo.read("bad0.yaml")
    listed = duo.pawl.ok("tags", f"{bad.host}/team/bad", "-o", "name").stdout
    assert listed.split("\n") == ["1.1.0", "1.0.0", ""]


def test_a_hundred_thousand_tags_in_one_answer(duo, bad):
    bad.has_tags("team/bad", [f"1.0.{number}" for number in range(100_000)])
    with_bad(duo, bad.host)
    report = good_goes_on(duo, rc=0)
    assert b":1.0.0 " in duo.repo.read("bad0.yaml")  # over --registry-tag-limit: never a reason to update
    assert report["held"][0]["cause"] == "too-many-tags" and "raise --registry-tag-limit" in report["held"][0]["reason"]
    report = duo.once("--registry-tag-limit", "100000", timeout=60)
    assert [change["to"] for change in report["changes"]] == [f"{bad.host}/team/bad:1.0.99999"]


# Pages that lead astray


def _page(tags, link):
    return lambda _, connection: connection.reply(200, {"tags": tags}, {"Link": f'<{link}>; rel="next"'})


def test_pages_that_lead_in_a_circle(duo, bad):
    bad.on("/tags/", _page(["1.0.0", "1.9.0"], "/v2/team/bad/tags/list?last=1.9.0"))
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "circle")
    assert len(bad.seen) == 2


def test_pages_without_end_are_cut_off(duo, bad):
    def answer(_, connection):
        count = len(bad.seen)
        connection.reply(200, {"tags": [f"1.{count}.0"]}, {"Link": f"</v2/team/bad/tags/list?last={count}>; rel=next"})
    bad.on("/tags/", answer)
    with_bad(duo, bad.host)
    report = good_goes_on(duo, "--registry-rps", "100000", "--registry-burst", "100000", "--registry-tag-limit", "300", rc=0)
    assert len(bad.seen) <= 302
    assert "--registry-tag-limit" in report["held"][0]["reason"]


def test_pages_at_another_host_are_not_followed(duo, bad, new_fault_server):
    other = new_fault_server()
    bad.on("/tags/", _page(["1.0.0", "1.9.0"], f"http://{other.host}/v2/team/bad/tags/list?last=1.9.0"))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "another server")
    assert other.seen == []


# Tokens


def test_credentials_do_not_follow_a_realm_to_another_host(duo, bad, new_fault_server):
    other = new_fault_server()
    other.on("/token", lambda _, connection: connection.reply(200, {"token": "stolen"}))
    bad.on("/tags/", wants_token(f"http://localhost:{other.port}/token", ["stolen"]))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, f"localhost:{other.port}")
    assert other.authorizations() == [] and other.seen == []
    assert "secret-of-the-robot" not in duo.result.stderr + duo.result.stdout


def test_credentials_do_not_leave_https_for_a_realm_over_http(duo, new_fault_server, server_certificate, authority):
    bad, other = new_fault_server(certificate=server_certificate), new_fault_server()
    other.on("/token", lambda _, connection: connection.reply(200, {"token": "stolen"}))
    bad.on("/tags/", wants_token(f"http://{other.host}/token", ["stolen"]))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    with_bad(duo, bad.host)
    good_goes_on(duo, env={"SSL_CERT_FILE": str(authority.ca_file)})
    says(duo, bad.host, "http")
    assert other.authorizations() == [] and bad.authorizations() == []


def test_a_registry_over_https_may_have_its_realm_at_another_host(duo, new_fault_server, server_certificate, authority):
    """As Docker Hub has: whom a checked certificate speaks for may say who gives the tokens."""
    registry, realm = (new_fault_server(certificate=server_certificate) for _ in range(2))
    realm.on("/token", lambda _, connection: connection.reply(200, {"token": "given"}))
    registry.on("/tags/", wants_token(f"https://localhost:{realm.port}/token", ["given"]))
    duo.pawl.docker_login(registry.host, "robot", "secret-of-the-robot")
    with_bad(duo, registry.host)
    good_goes_on(duo, rc=0, changes=2, env={"SSL_CERT_FILE": str(authority.ca_file)})
    assert realm.authorizations() == [basic_auth("robot", "secret-of-the-robot")]
    assert registry.authorizations() == ["Bearer given"]


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
    with_bad(duo, bad.host)
    good_goes_on(duo, rc=0, changes=2)
    assert given == ["t0", "t1"]


@pytest.mark.parametrize("issued_at", ["2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z", "yesterday"])
def test_a_token_server_with_another_clock(duo, bad, issued_at):
    bad.on("/token", lambda _, connection: connection.reply(
        200, {"token": "t", "expires_in": 300, "issued_at": issued_at}, {"Date": "Mon, 01 Jan 2001 00:00:00 GMT"}))
    bad.on("/tags/", wants_token(f"http://{bad.host}/token", ["t"]))
    with_bad(duo, bad.host)
    good_goes_on(duo, rc=0, changes=2)
    assert sum("/token" in request.target for request in bad.seen) == 1


def test_a_refused_password_is_not_tried_again_and_again(duo, bad):
    bad.on("/token", lambda _, connection: connection.reply(401, {"details": "incorrect username or password"}))
    bad.on("/tags/", wants_token(f"http://{bad.host}/token", []))
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "incorrect username or password")
    assert bad.authorizations() == [basic_auth("robot", "secret-of-the-robot")]


# Certificates


@pytest.mark.parametrize("options, trusts, words", [
    ({"subject_names": "DNS:elsewhere.test"}, True, ("certificate", "no alternative certificate subject name")),
    ({"days": -1}, True, ("certificate", "expired")),
    ({}, False, ("certificate", "not trusted", "SSL_CERT_FILE", "--registry-insecure-host")),
], ids=["wrong host", "expired", "unknown authority"])
def test_a_certificate_that_does_not_hold(duo, new_fault_server, authority, options, trusts, words):
    bad = new_fault_server(certificate=authority.issue("bad", **options))
    bad.has_tags("team/bad", ["1.0.0", "1.1.0"])
    duo.pawl.docker_login(bad.host, "robot", "secret-of-the-robot")
    with_bad(duo, bad.host)
    good_goes_on(duo, env={"SSL_CERT_FILE": str(authority.ca_file)} if trusts else None)
    says(duo, bad.host, *words)
    assert bad.seen == []


@pytest.mark.parametrize("way", ["SSL_CERT_FILE", "--registry-insecure-host"])
def test_a_certificate_of_a_private_authority_is_taken_as_told(duo, new_fault_server, authority, server_certificate, way):
    bad = new_fault_server(certificate=server_certificate)
    bad.has_tags("team/bad", ["1.0.0", "1.1.0"])
    with_bad(duo, bad.host)
    env = {way: str(authority.ca_file)} if way == "SSL_CERT_FILE" else None
    good_goes_on(duo, *([] if env else [way, bad.host]), rc=0, changes=2, env=env)
    assert b":1.1.0 " in duo.repo.read("bad0.yaml") and duo.result.stderr == ""


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
    with_bad(duo, bad.host, policy="glob:*")
    cache = "memcached://" + ",".join(server.address for server in memcacheds)
    report = good_goes_on(duo, "--cache", cache, rc=0, changes=2)
    assert b":1.39.0 " in duo.repo.read("bad0.yaml") and report["errors"] == []
    lines = duo.result.stderr.splitlines()  # that requests could have been saved may be said, once
    assert len(lines) <= 1 and all("memcached" in line for line in lines), duo.result
