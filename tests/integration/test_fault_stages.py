"""Registries that stall or break off, at each stage of the conversation, and registries with another clock.

As in test_faults.py, each test says what the user reads, and that the good workload was updated in the same run.
"""

import email.utils
import itertools
import socket
import time

import pytest

from parts.duo import DATES, STALLS, full_backlog, good_goes_on, says, wants_token, with_bad, with_bad_hosts

_QUICK = ("--registry-timeout", "1s")


def _reset(_, connection):
    connection.reset()


def _reset_in_body(_, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"a":')
    connection.reset()


def _break_off(_, connection):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"a":')
    connection.close()


_BREAKS = {"reset before the answer": _reset, "reset in the body": _reset_in_body, "end in the body": _break_off}

# What goes wrong, and what is said of it.
_FAULTS = {
    **{name: (answer, "no end after 1000 ms, " + ("waiting for an answer" if name == "before the answer" else "reading the answer"))
       for name, answer in STALLS.items()},
    "reset before the answer": (_reset, "connection broke"),
    "reset in the body": (_reset_in_body, "connection broke"),
    "end in the body": (_break_off, "cut off"),
}


def _leads_to_second_page(bad):
    bad.on("/tags/", lambda _, connection: connection.reply(
        200, {"tags": ["1.0.0"]}, {"Link": "</v2/team/bad/tags/list?last=1.0.0>; rel=next"}))


def _leads_to_token(bad):
    bad.on("/tags/", wants_token(f"http://{bad.host}/token", ["t"]))


def _leads_elsewhere(bad):
    bad.on("/blobs/", lambda _, connection: connection.reply(307, headers={"Location": f"http://{bad.host}/elsewhere"}))


# Where it goes wrong, what leads there, and how the user is told where.
_STAGES = {
    "second page": ("last=", _leads_to_second_page, "/v2/team/bad/tags/list"),
    "token": ("/token", _leads_to_token, "getting a token"),
    "manifest": ("/manifests/", lambda _: None, "the manifest of 1."),
    "config": ("/blobs/", lambda _: None, "the config of 1."),
    "redirect": ("/elsewhere", _leads_elsewhere, "/elsewhere"),
}


def _has_images(bad):
    bad.has_tags("team/bad", ["1.0.0", "1.1.0", "1.2.0"])
    for tag, date in zip(("1.0.0", "1.1.0", "1.2.0"), DATES):
        bad.has_image("team/bad", tag, date)


def _servers(new_fault_server, faults, **options):
    """A registry for each of the faults, with images."""
    servers = {fault: new_fault_server(**options) for fault in faults}
    for server in servers.values():
        _has_images(server)
    return servers


@pytest.mark.parametrize("stage", _STAGES)
def test_a_fault_at_any_stage_is_named_with_the_stage(duo, new_fault_server, stage):
    path, lead, where = _STAGES[stage]
    servers = _servers(new_fault_server, _FAULTS)
    for fault, server in servers.items():
        lead(server)
        server.on(path, _FAULTS[fault][0])
    with_bad_hosts(duo, [server.host for server in servers.values()], policy="glob:*")
    report = good_goes_on(duo, *_QUICK)
    for fault, server in servers.items():
        says(duo, server.host, where, _FAULTS[fault][1], *(["--registry-timeout"] if fault in STALLS else []))
    causes = {held["cause"] for held in report["held"]}
    assert len(report["held"]) == len(servers)
    assert causes == {"no-answer" if stage in ("second page", "token") else "no-creation-time"}
    assert not any("does not say" in held["reason"] for held in report["held"])


def test_a_plain_registry_that_stalls_from_the_start_is_not_said_to_fail_in_tls(duo, new_fault_server):
    servers = _servers(new_fault_server, STALLS)
    for fault, server in servers.items():
        server.on("", STALLS[fault])
    with_bad_hosts(duo, [server.host for server in servers.values()])
    good_goes_on(duo, "--registry-timeout", "4s")  # so that a busy machine refuses TLS in time
    for fault, server in servers.items():
        says(duo, server.host, _FAULTS[fault][1].replace("1000", "4000"), "https is not spoken there", "--registry-timeout")
    assert "handshake" not in duo.result.stderr and "insecure" not in duo.result.stderr


def test_a_registry_that_breaks_off_from_the_start(duo, new_fault_server, server_certificate, authority):
    servers = _servers(new_fault_server, _BREAKS, certificate=server_certificate)
    for fault, server in servers.items():
        server.on("", _BREAKS[fault])
    with_bad_hosts(duo, [server.host for server in servers.values()])
    good_goes_on(duo, env={"SSL_CERT_FILE": str(authority.ca_file)})
    for server in servers.values():
        says(duo, server.host, "https://", "/v2/team/bad/tags/list")


def test_a_connection_that_never_comes_about(duo):
    listener, fillers = full_backlog()
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    with_bad(duo, host)
    good_goes_on(duo, *_QUICK)
    says(duo, host, "no end after 1000 ms, connecting", "--registry-timeout")
    for sock in (listener, *fillers):
        sock.close()


def test_a_tls_handshake_that_never_ends(duo):
    with socket.create_server(("127.0.0.1", 0)) as listener:  # connected by the kernel, and never accepted
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        with_bad(duo, host)
        good_goes_on(duo, *_QUICK)
        says(duo, host, "no end after 1000 ms, in the TLS handshake", "--registry-timeout")


def test_one_tag_that_stalls_or_breaks_off_is_passed_over_and_said(duo, new_fault_server):
    servers = _servers(new_fault_server, _FAULTS)
    for fault, server in servers.items():
        server.on("/manifests/1.2.0", _FAULTS[fault][0])
    with_bad_hosts(duo, [server.host for server in servers.values()], policy="glob:*")
    report = good_goes_on(duo, *_QUICK, rc=0, changes=len(servers) + 1)
    for fault, server in servers.items():
        change = next(change for change in report["changes"] if server.host in change["to"])
        assert change["to"].endswith(":1.1.0")
        assert "passed over the manifest of 1.2.0" in change["reason"] and _FAULTS[fault][1] in change["reason"]


# Tokens that expire oddly


def test_a_token_with_an_absurd_life_is_used_all_the_same(duo, new_fault_server):
    lives = (b"0", b"-1", b"-9223372036854775808", b"9223372036854775807", b"1.5", b'"300"', b"null", b"[]")
    servers = _servers(new_fault_server, lives)
    for life, server in servers.items():
        answer = b'{"token": "t", "expires_in": %s}' % life
        server.on("/token", lambda _, connection, answer=answer: connection.reply(200, answer))
        _leads_to_token(server)
    with_bad_hosts(duo, [server.host for server in servers.values()])
    good_goes_on(duo, rc=0, changes=len(servers) + 1)
    assert duo.result.stderr == ""
    for life, server in servers.items():
        assert sum("/token" in request.target for request in server.seen) == 1, life


def test_a_token_that_no_sooner_given_has_expired_is_not_asked_for_without_end(duo, bad):
    numbers = itertools.count()
    bad.on("/token", lambda _, connection: connection.reply(200, {"token": f"t{next(numbers)}", "expires_in": 1}))
    bad.on("/tags/", wants_token(f"http://{bad.host}/token", []))
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "401")
    assert next(numbers) <= 2


# Clocks


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_registry_with_another_clock_is_read_as_ever(duo, bad, hours):
    there = {"Date": email.utils.formatdate(time.time() + hours * 3600, usegmt=True)}
    bad.on("/tags/", lambda _, connection: connection.reply(200, {"tags": ["1.0.0", "1.1.0"]}, there))
    with_bad(duo, bad.host)
    good_goes_on(duo, rc=0, changes=2)
    assert b":1.1.0 " in duo.repo.read("bad0.yaml") and duo.result.stderr == ""


@pytest.mark.parametrize("hours", [-5, 5])
def test_images_from_another_time_are_ordered_as_they_say(duo, bad, hours):
    bad.has_tags("team/bad", ["main-a", "main-b"])
    for tag, minutes in (("main-a", 0), ("main-b", 1)):
        moment = time.gmtime(time.time() + hours * 3600 + minutes * 60)
        bad.has_image("team/bad", tag, time.strftime("%Y-%m-%dT%H:%M:%SZ", moment))
    with_bad(duo, bad.host, policy="glob:main-*")
    good_goes_on(duo, rc=0, changes=2)
    assert b":main-b " in duo.repo.read("bad0.yaml")


@pytest.mark.parametrize("hours", [-5, 5, 24 * 365 * 100])
def test_a_retry_after_of_another_clock_blocks_no_other_host(duo, bad, hours):
    there = {"Retry-After": email.utils.formatdate(time.time() + hours * 3600, usegmt=True)}
    bad.on("/tags/", lambda _, connection: connection.reply(429, headers=there))
    with_bad(duo, bad.host)
    good_goes_on(duo)
    says(duo, bad.host, "429")


# 429 without Retry-After


def test_after_one_429_the_others_of_the_host_wait_their_turn_and_go_on(duo, bad):
    refusals = []

    def answer(_, connection):
        if not refusals:
            refusals.append(time.monotonic())
            connection.reply(429)
        else:
            connection.reply(200, {"tags": ["1.0.0", "1.1.0"]})
    bad.on("/tags/", answer)
    with_bad(duo, bad.host, count=8)
    with duo.serve("--registry-rps", "4", "--registry-burst", "1", "--registry-poll-interval", "1h") as daemon:
        daemon.wait_until(lambda: b":1.1.0 " in duo.repo.read("good.yaml"), "the good update")
        daemon.wait_until(lambda: sum(b":1.1.0 " in duo.repo.read(f"bad{number}.yaml") for number in range(8)) >= 7,
                          "the others of the host")
        values = daemon.metrics()
    good = duo.registry.host
    assert values[f'pawl_registry_rate{{host="{bad.host}",bound="ceiling"}}'] == 4
    assert 2 <= values[f'pawl_registry_rate{{host="{bad.host}",bound="now"}}'] < 2.5, "halved"
    assert values[f'pawl_registry_requests_total{{host="{bad.host}",kind="tags",status="429"}}'] == 1
    assert values[f'pawl_registry_rate_limited_total{{host="{bad.host}"}}'] == 1
    assert values[f'pawl_registry_rate{{host="{good}",bound="now"}}'] == 4, "another host is not touched"
    assert f'pawl_registry_rate_limited_total{{host="{good}"}}' not in values
    assert time.monotonic() - refusals[0] >= 7 / 2 * 0.9, "seven at two a second"
