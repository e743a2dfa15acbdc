"""Two workloads, one at a registry at fault and a good one at a real registry: what happens to the one, and that the other goes on."""

import socket

from parts.manifests import workload

DATES = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z")


def with_bad_hosts(duo, hosts, policy="semver:1", name="team/bad"):
    """Starts with the good workload and one for each of the hosts: bad0.yaml, bad1.yaml, …"""
    duo.start({"good.yaml": workload("good", duo.image("team/good", "1.0.0"), policy="semver:1"),
               **{f"bad{number}.yaml": workload(f"bad{number}", f"{host}/{name}:1.0.0", policy=policy)
                  for number, host in enumerate(hosts)}})


def with_bad(duo, host, policy="semver:1", count=1, name="team/bad"):
    """The same with `count` repositories of one host: team/bad, or team/bad0, team/bad1, …"""
    names = [name] if count == 1 else [f"{name}{number}" for number in range(count)]
    duo.start({"good.yaml": workload("good", duo.image("team/good", "1.0.0"), policy="semver:1"),
               **{f"bad{number}.yaml": workload(f"bad{number}", f"{host}/{name}:1.0.0", policy=policy)
                  for number, name in enumerate(names)}})


def good_goes_on(duo, *options, rc=1, changes=1, **how):
    """Runs a round: the good workload is updated, pushed and applied. Returns the report."""
    report = duo.once(*options, rc=rc, **how)
    assert "demo:deployment/good" in [change["workload"] for change in report["changes"]], duo.result
    assert len(report["changes"]) == changes, duo.result
    assert report["commit"] == duo.repo.sha() and b":1.1.0 " in duo.repo.read("good.yaml")
    assert duo.applied("good.yaml") == duo.repo.read("good.yaml")
    return report


def says(duo, host, *words):
    """One line for people that names the registry and has these words; nothing of it can command a terminal."""
    lines = [line for line in duo.result.stderr.splitlines() if host in line]
    assert len(lines) == 1, duo.result
    for word in words:
        assert word.lower() in lines[0].lower(), f"{word!r} is not in {lines[0]!r}"
    assert "\x1b" not in duo.result.stderr


def full_backlog():
    """A port that takes no connection: the queue of those that wait is full, and the kernel drops what comes."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


STALLS = {
    "before the answer": lambda _, connection: connection.hold(),
    "in the status line": lambda _, connection: (connection.send(b"HTTP/1.1 20"), connection.hold()),
    "in the headers": lambda _, connection: (connection.send(b"HTTP/1.1 200 OK\r\nContent-Le"), connection.hold()),
    "in the body": lambda _, connection: (
        connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"tags":["9'), connection.hold()),
    "a byte a second": lambda _, connection: connection.drip(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"tags":['),
}


def wants_token(realm, tokens):
    """Answers for who has one of `tokens`, and sends all others to `realm`."""
    def answer(request, connection):
        if request.headers.get("authorization") in [f"Bearer {token}" for token in tokens]:
            connection.reply(200, {"tags": ["1.0.0", "1.1.0"]})
        else:
            connection.reply(401, {"errors": [{"code": "UNAUTHORIZED"}]},
                             {"WWW-Authenticate": f'Bearer realm="{realm}",service="s",scope="repository:team/bad:pull"'})
    return answer
