"""Registries that tell `pawl serve` of a push: /hook/SOURCE/KEY."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import re
import stat
import subprocess
import threading
import time

import pytest

from parts.manifests import workload
from parts.process import free_port

KEY, SECRET = "a-key-of-the-tests-0123", "a-secret-of-the-tests-0123"


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "hook-keys"
    path.write_text(f"# of the tests\n\n{KEY} {SECRET}\nanother-key-without-a-secret\n")
    return path


def _serve(site, key_file, *options, **how):
    """Polls once an hour: whatever happens comes of a webhook."""
    return site.pawl.serve(*site.options, "--git-poll-interval", "1h", "--registry-poll-interval", "1h",
                           "--hook-key-file", str(key_file), *options, **how)


def _start(site, policy="semver:1"):
    site.push("app", "1.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy=policy)})


def _wait_for_scan(site, daemon):
    daemon.wait_until(lambda: daemon.metrics().get(f'pawl_scans_total{{host="{site.registry.host}",result="ok"}}'),
                      "the first scan")


def _generic(daemon, *images, key=KEY, secret=SECRET, signature=None):
    body = json.dumps({"images": images}).encode()
    signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Signature": signed if signature is None else signature}
    return daemon.http(f"/hook/generic/{key}", body, {k: v for k, v in headers.items() if v})


def _releases(site, tag):
    return lambda: site.has_pushed(f"Auto-release {site.image('app', tag)}")


def test_a_registry_that_notifies_makes_a_commit_within_a_second(site, new_registry, key_file):
    port = free_port()
    site.registry = new_registry(notify=f"http://127.0.0.1:{port}/hook/distribution/{KEY}")
    _start(site)
    with _serve(site, key_file, "--listen", f"127.0.0.1:{port}") as daemon:
        _wait_for_scan(site, daemon)
        site.registry.reset_requests()
        site.push("app", "1.1.0")
        began = time.monotonic()
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")
        assert time.monotonic() - began < 1 * site.pawl.patience + 0.5
        daemon.wait_until(lambda: b":1.1.0 " in site.applied("web.yaml"), "the commit to be applied")
        mine = {(r.method, r.path.rpartition("/")[2]) for r in site.registry.requests() if r.agent.startswith("pawl")}
        # What it could not tell before pawl listened it tells late.
        assert ("HEAD", "1.1.0") in mine and mine <= {("HEAD", "1.1.0"), ("HEAD", "1.0.0")}


def _lists_and_heads(site):
    mine = [r for r in site.registry.requests() if r.agent.startswith("pawl")]
    lists = [r for r in mine if "/tags/list" in r.path]
    heads = [r.path.rpartition("/")[2] for r in mine if r.method == "HEAD"]
    assert len(lists) + len(heads) == len(mine)
    return len(lists), heads


def test_while_a_webhook_tells_in_every_interval_nothing_is_listed(site, key_file):
    """And an interval after the last push a list is, for what was not told."""
    _start(site)
    interval = 4 * site.pawl.patience  # a push and its commit take a second or two on a busy machine
    with _serve(site, key_file, "--registry-poll-interval", f"{int(interval * 1000)}ms") as daemon:
        _wait_for_scan(site, daemon)
        daemon.wait_until(lambda: _lists_and_heads(site)[0] >= 2, "the second list, which brings nothing new")
        site.registry.reset_requests()
        tags = [f"1.{minor}.0" for minor in range(1, 8)]
        for tag in tags:
            began = time.monotonic()
            site.push("app", tag)
            assert _generic(daemon, site.image("app", tag))[0] == 202
            daemon.wait_until(_releases(site, tag), "the commit")
            time.sleep(max(0, began + interval / 3 - time.monotonic()))
        assert _lists_and_heads(site) == (0, tags)
        assert daemon.metrics()["pawl_images_overdue"] == 0
        site.push("app", "1.9.0")
        daemon.wait_until(_releases(site, "1.9.0"), "the commit of what was not told", timeout=2 * interval)
        assert _lists_and_heads(site) == (1, tags)
    assert "event=overdue" not in daemon.log()


def test_a_repository_whose_dates_are_wanted_is_listed_in_every_interval(site, key_file):
    _start(site, policy="glob:main-*")
    with _serve(site, key_file, "--registry-poll-interval", "1s") as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "main-1", first_day=3)
        site.registry.reset_requests()
        for _ in range(8):
            assert _generic(daemon, site.image("app", "main-1"))[0] == 202
            time.sleep(0.4)
        assert [r for r in site.registry.requests("/tags/list") if r.agent.startswith("pawl")]


def test_a_pushed_tag_that_is_chosen_by_date_is_read_without_a_list(site, key_file):
    _start(site, policy="glob:main-*")
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "main-1", first_day=3)
        site.registry.reset_requests()
        assert _generic(daemon, site.image("app", "main-1"))[0] == 202
        daemon.wait_until(_releases(site, "main-1"), "the commit")
        mine = [r for r in site.registry.requests() if r.agent.startswith("pawl")]
        assert not [r for r in mine if "/tags/list" in r.path] and len(mine) <= 3


def test_a_tag_that_moved_is_looked_at_again(site, key_file):
    """Of two tags with a date, the older one is pushed again and is the newest then."""
    site.push("app", "main-1", "main-2")
    site.start({"web.yaml": workload("web", site.image("app", "main-2"), policy="glob:main-*")})
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "main-1", first_day=9)
        assert _generic(daemon, site.image("app", "main-1"))[0] == 202
        daemon.wait_until(lambda: "main-1" in site.repo.read("web.yaml").decode() or
                          "candidate=main-1" in daemon.log(), "the moved tag to be seen")


def test_a_burst_is_one_commit(site, key_file):
    _start(site)
    tags = [f"1.{minor}.0" for minor in range(1, 8)]
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        for tag in tags:
            site.push("app", tag)
        for tag in tags:
            assert _generic(daemon, site.image("app", tag))[0] == 202
        daemon.wait_until(_releases(site, tags[-1]), "the commit")
        time.sleep(1)
    assert len(site.repo.log()) == 2


def test_a_burst_of_hundreds_is_one_list(site, key_file):
    """Looking at each would cost more; and the list waits for the last of them."""
    _start(site)
    tags = [f"1.{minor}.0" for minor in range(1, 350)]
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.registry.tag_many("app", "1.0.0", tags)
        site.registry.reset_requests()
        assert _generic(daemon, *(site.image("app", tag) for tag in tags))[0] == 202
        daemon.wait_until(_releases(site, tags[-1]), "the commit")
        time.sleep(0.5)
        assert _lists_and_heads(site) == (1, [])
    assert len(site.repo.log()) == 2


def test_a_push_to_what_nobody_wants_asks_for_nothing(site, key_file):
    _start(site)
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.registry.reset_requests()
        status, _, text = _generic(daemon, site.image("other", "1.1.0"), "quay.io/o/app:2", "nonsense::")
        answer = json.loads(text)
        assert (status, answer["images"], answer["wanted"]) == (202, 2, 0)
        assert f"{site.registry.host}/other" in answer["help"]
        time.sleep(1)
        assert not site.registry.requests()


def test_what_signing_tools_push_is_no_image(site, key_file):
    """Their tags are left out of lists, and so they are when a webhook tells of them."""
    _start(site, policy="glob:*")
    tags = [f"sha256-{'0a' * 32}{ending}" for ending in ("", ".sig", ".att", ".sbom")]
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", *tags, first_day=5)
        site.registry.reset_requests()
        status, _, text = _generic(daemon, *(site.image("app", tag) for tag in tags))
        assert (status, json.loads(text)["images"]) == (202, 0)
        time.sleep(1)
        assert not site.registry.requests()
    assert len(site.repo.log()) == 1


def test_a_tag_that_is_not_there_changes_nothing(site, key_file):
    _start(site)
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        assert _generic(daemon, site.image("app", "1.9.0"))[0] == 202
        site.push("app", "1.1.0")
        assert _generic(daemon, site.image("app", "1.1.0"))[0] == 202
        daemon.wait_until(_releases(site, "1.1.0"), "the commit of the one that is there")
    assert len(site.repo.log()) == 2


def test_a_push_before_the_manifests_are_read_is_looked_at_when_they_are(site, key_file):
    """pawl starts with a list from its cache that is young enough, so that no new one comes for an hour."""
    _start(site)
    site.once()
    site.push("app", "1.1.0")
    away = site.repo.path.with_name("away.git")
    site.repo.path.rename(away)
    site.registry.reset_requests()
    with _serve(site, key_file, "--git-poll-interval", "500ms") as daemon:
        daemon.wait_for_log("component=sync-loop level=error")
        status, _, text = _generic(daemon, site.image("app", "1.1.0"))
        assert (status, json.loads(text)["wanted"]) == (202, 0)
        away.rename(site.repo.path)
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")
        assert _lists_and_heads(site) == (0, ["1.1.0"])


def test_a_hook_that_came_too_early_brings_the_list_forward(site, key_file):
    _start(site)
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        assert _generic(daemon, site.image("app", "1.1.0"))[0] == 202
        daemon.wait_until(lambda: daemon.metrics().get(
            f'pawl_scans_total{{host="{site.registry.host}",result="not-found"}}'), "the look that finds nothing")
        site.push("app", "1.1.0")
        daemon.wait_until(_releases(site, "1.1.0"), "the commit", timeout=30)


@pytest.mark.parametrize("how", [
    {"signature": ""}, {"signature": "sha256=" + "0" * 64}, {"signature": "sha256=zz"}, {"secret": "a-wrong-secret-of-tests"},
    {"key": "another-key-without-a-secret"}, {"key": "a-wrong-key-of-the-tests"}, {"key": ""}, {"key": KEY + "/"},
    {"key": KEY + "x"}, {"key": KEY[:-1]},
])
def test_a_hook_without_the_right_key_and_signature_is_refused(site, key_file, how):
    _start(site)
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "1.1.0")
        status, headers, text = _generic(daemon, site.image("app", "1.1.0"), **how)
        assert status == 401 and headers["Content-Type"].startswith("application/json")
        assert json.loads(text)["type"] == "user"
        _generic(daemon, site.image("app", "1.1.0"), **how)
        assert daemon.metrics()['pawl_hook_requests_total{source="generic",result="refused"}'] == 2
        time.sleep(0.7)
    assert len(site.repo.log()) == 1
    assert daemon.log().count("event=refused") == 1
    assert KEY not in daemon.log() and SECRET not in daemon.log()


def test_what_a_hook_must_be(site, key_file):
    _start(site)
    with _serve(site, key_file) as daemon:
        for path, body, status in (
                (f"/hook/nobody/{KEY}", b"{}", 404), ("/hook/", b"{}", 404), (f"/hook/gcr/{KEY}", b"{}", 404),
                (f"/hook/dockerhub/{KEY}", b"", 400), (f"/hook/dockerhub/{KEY}", b"{", 400),
                (f"/hook/dockerhub/{KEY}", b"[" * 1000 + b"]" * 1000, 413),
                (f"/hook/dockerhub/{KEY}", b'{"ping": 1}', 202)):
            assert daemon.http(path, body, method="POST")[0] == status, (path, body[:20])
        assert daemon.http(f"/hook/dockerhub/{KEY}")[0] == 405
        assert _status_of_announced(daemon, f"/hook/dockerhub/{KEY}", (1 << 20) + 1) == 413


def _status_of_announced(daemon, path, length):
    """What is answered to the header of a body of this length: a body that is too large is refused before it is sent,
    and who sends it all the same may find the connection closed."""
    connection = http.client.HTTPConnection(daemon.address, timeout=30)
    try:
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def _say(sender, body, headers=None, key=KEY):
    return sender, body, headers or {}, key


@pytest.mark.parametrize("call, status, words", [
    (_say("github", b"{}"), 401, "X-Hub-Signature-256 is missing; the sender must be given the SECRET"),
    (_say("github", b"{}", {"X-Hub-Signature-256": "sha256=0"}), 401, "X-Hub-Signature-256 is wrong"),
    (_say("github", b"{}", key="another-key-without-a-secret"), 401, "must be given this key as its secret"),
    (_say("gitlab", b"{}", {"X-Gitlab-Token": KEY}), 401, "X-Gitlab-Token is wrong"),
    (_say("quay", b"{}", key="not-a-key-of-the-tests"), 401, "this KEY is not in --hook-key-file"),
    (_say("quay", b"{}", key=""), 401, "must end with /hook/SOURCE/KEY"),
    (_say("Quay", b"{}"), 404, 'is called "Quay"; there are: dockerhub, github, '),
    (_say("quay", b""), 400, "the body is empty"),
    (_say("quay", b"payload=%7B%7D", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}), 400,
     "content type application/json"),
    (_say("quay", b"\x1f\x8b\x08", {"Content-Encoding": "gzip"}), 400, "is compressed"),
])
def test_what_is_refused_says_what_to_do(site, key_file, call, status, words):
    _start(site)
    sender, body, headers, key = call
    with _serve(site, key_file) as daemon:
        got, _, text = daemon.http(f"/hook/{sender}/{key}", body, headers, method="POST")
    assert (got, SECRET in text) == (status, False) and words in json.loads(text)["error"], text


def test_what_is_taken_and_does_nothing_says_why(site, key_file):
    _start(site)
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        for sender, body, words in (("quay", {"docker_url": "quay.io/o/app"}, "names no image with a tag that was pushed"),
                                    ("quay", {"docker_url": "quay.io/o/app", "updated_tags": ["1"]}, "has an image quay.io/o/app"),
                                    ("jfrog", {"domain": "docker", "event_type": "pushed",
                                               "data": {"image_name": "o/x", "tag": "1"}}, "whose path ends with o/x")):
            status, _, text = daemon.http(f"/hook/{sender}/{KEY}", json.dumps(body).encode())
            assert (status, json.loads(text)["wanted"]) == (202, 0) and words in json.loads(text)["help"]


def test_a_body_of_unannounced_length_that_is_too_large_is_told_so(site, key_file):
    """And an endless one is cut."""
    _start(site)
    piece = b"x" * (1 << 20)
    with _serve(site, key_file) as daemon:
        def post(pieces):
            connection = http.client.HTTPConnection(daemon.address, timeout=30 * site.pawl.patience)
            try:
                connection.request("POST", f"/hook/quay/{KEY}", iter([piece] * pieces), encode_chunked=True,
                                   headers={"Transfer-Encoding": "chunked"})
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            finally:
                connection.close()
        assert post(1)[0] == 400
        status, text = post(3)
        assert status == 413 and "at most 1048576 bytes" in json.loads(text)["error"]
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            post(64)
        assert daemon.http("/healthz")[0] == 200


def test_secrets_in_headers(site, key_file):
    _start(site)
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "1.1.0")
        event = {"action": "push", "request": {"host": site.registry.host}, "target": {"repository": "app", "tag": "1.1.0"}}
        body = json.dumps({"events": [event]}).encode()
        assert daemon.http(f"/hook/gitlab/{KEY}", body)[0] == 401
        assert daemon.http(f"/hook/gitlab/{KEY}", body, {"X-Gitlab-Token": KEY})[0] == 401
        status, _, text = daemon.http(f"/hook/gitlab/{KEY}", body, {"X-Gitlab-Token": SECRET})
        assert (status, json.loads(text)) == (202, {"images": 1, "wanted": 1})
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")


def test_what_nexus_signs_is_checked(site, key_file):
    """It signs only if it was given a secret: what has none beside its key may come without."""
    _start(site)
    body = b'{"action": "CREATED", "component": {"format": "docker", "name": "app", "version": "1.1.0"}}'
    compact = body.replace(b": ", b":").replace(b", ", b",")
    alone = "another-key-without-a-secret"

    def signed(secret, text):
        return {"X-Nexus-Webhook-Signature": hmac.new(secret.encode(), text, hashlib.sha1).hexdigest()}

    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "1.1.0")
        for key, headers in ((KEY, {}), (KEY, signed(KEY, body)), (KEY, signed(SECRET, body + b" x")),
                             (alone, signed(SECRET, body))):
            assert daemon.http(f"/hook/nexus/{key}", body, headers)[0] == 401
        time.sleep(0.5)
        assert len(site.repo.log()) == 1
        for key, headers in ((KEY, signed(SECRET, body)), (KEY, signed(SECRET, compact)), (alone, {}),
                             (alone, signed(alone, body))):
            status, _, text = daemon.http(f"/hook/nexus/{key}", body, headers)
            assert (status, json.loads(text)) == (202, {"images": 1, "wanted": 1})
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")


def test_keys_are_replaced_without_a_restart(site, key_file):
    _start(site)
    new = "a-new-key-of-the-tests-1"
    with _serve(site, key_file) as daemon:
        _wait_for_scan(site, daemon)

        def is_taken(key):
            return _generic(daemon, key=key, secret=key)[0] == 202

        assert not is_taken(new)
        key_file.write_text(f"{new}\nanother-key-without-a-secret\n")
        daemon.wait_until(lambda: is_taken(new), "the new key to be taken")
        assert is_taken("another-key-without-a-secret") and _generic(daemon)[0] == 401
        key_file.write_text("short\n")
        daemon.wait_until(lambda: is_taken(new) and "event=bad-keys" in daemon.log(), "the file to be refused")
        time.sleep(2.1)
        assert is_taken(new)
        key_file.write_text(f"{KEY} {SECRET}\n")
        daemon.wait_until(lambda: _generic(daemon)[0] == 202, "the old key to be taken again")
        assert not is_taken(new)
    # A file that is written in place can be seen when it is empty.
    assert len([line for line in daemon.log().splitlines() if "event=bad-keys" in line and ":1: " in line]) == 1
    assert new not in daemon.log() and SECRET not in daemon.log()


def test_without_a_key_file_hooks_are_off(site):
    _start(site)
    with site.serve() as daemon:
        daemon.wait_for_log("component=hook event=off .*--hook-key-file")
        status, _, text = daemon.http(f"/hook/dockerhub/{KEY}", b"{}")
        assert status == 404 and "--hook-key-file" in json.loads(text)["error"]


def test_a_key_file_that_is_missing_is_made(site, tmp_path):
    _start(site)
    path = tmp_path / "made"
    with _serve(site, path) as daemon:
        key, secret = path.read_text().split()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(key) == len(secret) == 48 and key != secret
        assert daemon.http(f"/hook/dockerhub/{key}", b"{}")[0] == 202
    assert key not in daemon.log() and secret not in daemon.log()
    with _serve(site, path) as daemon:
        assert daemon.http(f"/hook/dockerhub/{key}", b"{}")[0] == 202


@pytest.mark.parametrize("text, words", [("", "no key"), ("# only\n", "no key"), ("short\n", ":1: "),
                                         (f"{KEY}\n{KEY} a b\n", ":2: "), (f"{KEY}/x\n", ":1: ")])
def test_a_key_file_that_is_no_good_starts_nothing(site, tmp_path, text, words):
    path = tmp_path / "keys"
    path.write_text(text)
    result = site.pawl.expect(2, "serve", *site.options, "--listen", "127.0.0.1:0", "--hook-key-file", str(path))
    assert "--hook-key-file" in result.stderr and words in result.stderr and "event=started" not in result.stderr


# Google's tokens


def _url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Google:
    """Publishes one key, and signs with it."""

    def __init__(self, folder):
        self.key = folder / "google.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        shown = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True, capture_output=True)
        modulus = bytes.fromhex(re.search(rb"Modulus=(\S+)", shown.stdout).group(1).decode())
        keys = json.dumps({"keys": [{"kid": "one", "kty": "RSA", "alg": "RS256", "use": "sig", "e": "AQAB",
                                     "n": _url64(modulus)}]}).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(keys)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/certs"

    def token(self, *, kid="one", alg="RS256", **claims):
        claims = {"aud": "pawl", "iss": "https://accounts.google.com", "email": "push@p.iam.gserviceaccount.com",
                  "email_verified": True, "iat": int(time.time()), "exp": int(time.time()) + 3600, **claims}
        text = ".".join(_url64(json.dumps(part).encode()) for part in ({"alg": alg, "kid": kid}, claims))
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True,
                                capture_output=True)
        return f"{text}.{_url64(signed.stdout)}"


@pytest.fixture
def google(tmp_path):
    google = Google(tmp_path)
    yield google
    google.server.shutdown()
    google.server.server_close()


def test_a_push_of_google_is_believed_by_its_token(site, key_file, google):
    _start(site)
    with _serve(site, key_file, "--hook-google-audience", "pawl", "--hook-google-keys-url", google.url,
                "--hook-google-account", "push@p.iam.gserviceaccount.com") as daemon:
        _wait_for_scan(site, daemon)
        site.push("app", "1.1.0")
        message = json.dumps({"action": "INSERT", "tag": site.image("app", "1.1.0")}).encode()
        body = json.dumps({"message": {"data": base64.b64encode(message).decode()}, "subscription": "s"}).encode()

        def post(authorization):
            return daemon.http(f"/hook/gcr/{KEY}", body, {"Authorization": authorization} if authorization else {})[0]
        daemon.wait_until(lambda: post(f"Bearer {google.token(aud='x')}") != 503, "the keys")
        head, claims, signature = google.token().split(".")
        _, others, _ = google.token(aud="pawl", sub="1").split(".")
        for refused in (None, "Bearer ", "Bearer x.y.z", f"Basic {google.token()}", f"Bearer {google.token(aud='other')}",
                        f"Bearer {google.token(exp=int(time.time()) - 3600)}", f"Bearer {google.token(iss='https://evil')}",
                        f"Bearer {google.token(email='me@example.com')}", f"Bearer {google.token(email_verified=False)}",
                        f"Bearer {google.token(alg='none')}", f"Bearer {google.token(alg='HS256')}",
                        f"Bearer {head}.{others}.{signature}", f"Bearer {head}.{claims}."):
            assert post(refused) == 401, refused
        assert post(f"Bearer {google.token(kid='two')}") == 503
        assert len(site.repo.log()) == 1
        assert post(f"Bearer {google.token(aud=['x', 'pawl'])}") == 202
        daemon.wait_until(_releases(site, "1.1.0"), "the commit")


def test_keys_that_cannot_be_fetched_refuse_for_a_while(site, key_file, google):
    _start(site)
    with _serve(site, key_file, "--hook-google-audience", "pawl", "--hook-google-keys-url",
                f"http://127.0.0.1:{free_port()}/") as daemon:
        daemon.wait_for_log("component=hook level=warn event=no-keys")
        status, headers, _ = daemon.http(f"/hook/gcr/{KEY}", b"{}", {"Authorization": f"Bearer {google.token()}"})
        assert status == 503 and int(headers["Retry-After"]) > 0
        assert daemon.http("/healthz")[0] == 200
