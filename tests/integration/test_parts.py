"""Each part on its own, without pawl: when one of these fails, look at the machine before you look at pawl."""

import datetime
import random
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from parts.pawl import parse_metrics
from parts.process import PartFailed, run, wait_until
from parts.registry import RegistryError, basic_auth

UTC = datetime.timezone.utc


def _get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


# Registry


def test_registry_lists_what_was_pushed(registry):
    registry.push("team/app", "1.0", created=datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), labels={"a": "b"})
    registry.push("team/app", "1.1", kind="oci")
    registry.tag("team/app", "1.1", "latest")
    assert sorted(registry.tags("team/app")) == ["1.0", "1.1", "latest"]
    config = registry.manifest("team/app", "1.0")["config"]["digest"]
    _, _, blob = _get(f"{registry.url}/v2/team/app/blobs/{config}")
    assert b'"created": "2024-01-02T03:04:05Z"' in blob and b'"a": "b"' in blob
    assert registry.digest("team/app", "latest") == registry.digest("team/app", "1.1")


def test_registry_deletes_and_serves_indexes(registry):
    index = registry.push_index("app", "2.0", ("linux/amd64", "linux/arm/v7"))
    entries = registry.manifest("app", "2.0")["manifests"]
    assert [entry["platform"]["architecture"] for entry in entries] == ["amd64", "arm"]
    registry.push("app", "old")
    registry.delete("app", "old")
    assert registry.tags("app") == ["2.0"] and registry.digest("app", "2.0") == index


def test_registry_counts_the_requests_of_others(registry):
    registry.push("app", "1")
    registry.reset_requests()
    for _ in range(3):
        _get(f"{registry.url}/v2/app/tags/list")
    registry.tags("app")
    counted = registry.requests("/tags/list")
    assert [(one.method, one.path, one.status) for one in counted] == [("GET", "/v2/app/tags/list", 200)] * 3


def test_registry_basic_wants_the_password(registry_basic):
    registry_basic.push("app", "1")
    url = f"{registry_basic.url}/v2/app/tags/list"
    status, headers, _ = _get(url)
    assert status == 401 and headers["Www-Authenticate"].startswith("Basic ")
    assert _get(url, Authorization=basic_auth(registry_basic.user, "wrong"))[0] == 401
    assert _get(url, Authorization=basic_auth(registry_basic.user, registry_basic.password))[0] == 200


def test_registry_token_takes_only_tokens_for_the_repository(registry_token, token_server):
    registry_token.push("private/app", "1")
    url = f"{registry_token.url}/v2/private/app/tags/list"
    status, headers, _ = _get(url)
    assert status == 401
    challenge = headers["Www-Authenticate"]
    assert challenge.startswith(f'Bearer realm="{token_server.url}"')
    assert 'scope="repository:private/app:pull"' in challenge
    good = token_server.sign("ann", ["repository:private/app:pull"])
    other = token_server.sign("ann", ["repository:private/other:pull"])
    assert _get(url, Authorization=f"Bearer {good}")[0] == 200
    assert _get(url, Authorization=f"Bearer {other}")[0] == 401
    assert _get(url, Authorization=f"Bearer {good[:-8]}AAAAAAAA")[0] == 401


def test_token_server_gives_strangers_public_pulls_only(token_server):
    query = "service=the+tests%27+registry&scope=repository:public/a:pull,push"
    status, _, body = _get(f"{token_server.url}?{query}")
    assert status == 200 and b'"token"' in body
    assert _get(f"{token_server.url}?{query}", Authorization=basic_auth("robot", "wrong"))[0] == 401
    assert token_server.seen[0] == (None, ["repository:public/a:pull,push"])


def test_registry_tls_is_trusted_only_with_the_authority(registry_tls):
    registry_tls.push("app", "1")
    assert registry_tls.tags("app") == ["1"]
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        _get(f"{registry_tls.url}/v2/")


def test_registry_survives_a_restart(registry):
    registry.push("app", "1")
    registry.stop()
    with pytest.raises(OSError):
        _get(f"{registry.url}/v2/")
    registry.start()
    assert registry.tags("app") == ["1"]


def test_fault_proxy_breaks_what_it_is_told_to(registry, fault_proxy):
    registry.push("app", "1")
    url = f"http://{fault_proxy.host}/v2/app/tags/list"
    fault_proxy.answer(429, path="/tags/", headers={"Retry-After": "1"})
    status, headers, _ = _get(url)
    assert (status, headers["Retry-After"]) == (429, "1")
    assert _get(url)[0] == 200
    fault_proxy.cut(after=3, path="/tags/")
    with pytest.raises(Exception, match="IncompleteRead"):
        _get(url)
    assert [one.status for one in fault_proxy.seen] == [429, 200, 200]
    with pytest.raises(RegistryError):
        registry.delete("app", "no-such-tag")


# memcached


def test_memcacheds_are_two_and_forget_on_restart(memcacheds):
    first, second = memcacheds
    assert first.command("set one 0 0 1\r\nx", end=b"STORED\r\n") == []
    assert first.keys() == ["one"] and second.keys() == []
    assert first.stats()["curr_items"] == 1
    first.restart()
    assert first.keys() == []


# Git


def _clone_change_push(url, folder, env, content=b"new\n", *push_options):
    git = ["git", "-c", "user.name=Ben", "-c", "user.email=ben@example.com"]
    run([*git, "clone", "-q", url, folder], env=env)
    (folder / "new.txt").write_bytes(content)
    run([*git, "add", "new.txt"], env=env, cwd=folder)
    run([*git, "commit", "-q", "-m", "over the wire"], env=env, cwd=folder)
    run([*git, *push_options, "push", "-q"], env=env, cwd=folder)


def test_repo_keeps_bytes_and_tells_history(new_repo):
    crlf = b"a: 1\r\n# caf\xc3\xa9\r\nb: 2"
    repo = new_repo("bytes", {"dir/a.yaml": crlf, "gone.txt": "x"})
    assert repo.read("dir/a.yaml") == crlf
    repo.commit({"dir/a.yaml": crlf.replace(b"2", b"3"), "gone.txt": None}, "change\n\nbecause")
    assert [(one.subject, one.body.strip()) for one in repo.log()] == [("change", "because"), ("the beginning", "")]
    assert repo.files() == ["dir/a.yaml"]
    assert repo.changed_files() == ["dir/a.yaml", "gone.txt"]
    assert "+b: 3" in repo.diff()


def test_repo_over_ssh(new_repo, sshd, tmp_path):
    repo = new_repo("over-ssh", {"a.txt": "a\n"})
    env = {**repo.env, **sshd.environment()}
    _clone_change_push(sshd.url(repo), tmp_path / "clone", env)
    assert repo.log()[0].subject == "over the wire"
    with pytest.raises(PartFailed, match="Host key verification failed"):
        run(["git", "ls-remote", sshd.url(repo)], env={**repo.env, **sshd.stranger_environment()})


def test_repo_over_https(new_repo, git_https, authority, tmp_path):
    repo = new_repo("over-https", {"a.txt": "a\n"})
    env = {**repo.env, "GIT_SSL_CAINFO": str(authority.ca_file)}
    _clone_change_push(git_https.url(repo), tmp_path / "clone", env)
    assert repo.log()[0].subject == "over the wire"
    with pytest.raises(PartFailed, match="certificate"):
        run(["git", "ls-remote", git_https.url(repo)], env=repo.env)


def test_repo_over_https_takes_chunked_and_compressed_bodies(new_repo, git_https, authority, tmp_path):
    repo = new_repo("large", {f"file-{number}.txt": f"{number}\n" for number in range(500)})
    # Enough names that what is asked for is long, and no two the same commit.
    for number in range(60):
        repo.commit({f"file-{number}.txt": "again\n"}, ref=f"refs/heads/side-{number}", parent=repo.sha())
    env = {**repo.env, "GIT_SSL_CAINFO": str(authority.ca_file)}
    # A pack over the smallest post buffer that git allows is sent chunked; asking for many refs is sent compressed.
    noise = random.Random(1).randbytes(300_000)
    _clone_change_push(git_https.url(repo), tmp_path / "clone", env, noise, "-c", "http.postBuffer=65536")
    assert repo.read("new.txt") == noise
    assert {"chunked", "gzip"} <= {how for request in git_https.seen for how in request.encodings}


def test_repo_over_https_with_a_password(new_repo, git_https_auth, authority, tmp_path):
    repo = new_repo("guarded", {"a.txt": "a\n"})
    env = {**repo.env, "GIT_SSL_CAINFO": str(authority.ca_file)}
    with pytest.raises(PartFailed, match="could not read Username"):
        run(["git", "ls-remote", git_https_auth.url(repo)], env=env)
    _clone_change_push(git_https_auth.url(repo, credentials=True), tmp_path / "clone", env)
    assert repo.log()[0].subject == "over the wire"


def test_repo_refuses_and_overtakes_pushes(new_repo, tmp_path):
    repo = new_repo("hooked", {"a.txt": "a\n"})
    repo.reject_pushes("not today")
    with pytest.raises(PartFailed, match="not today"):
        _clone_change_push(repo.url, tmp_path / "one", repo.env)
    overtaking = repo.overtake_next_push({"b.txt": "b\n"})
    with pytest.raises(PartFailed, match="rejected|failed to push"):
        _clone_change_push(repo.url, tmp_path / "two", repo.env)
    assert repo.sha() == overtaking
    run(["git", "-c", "user.name=Ben", "-c", "user.email=b@example.com", "pull", "-q", "--rebase"],
        env=repo.env, cwd=tmp_path / "two")
    run(["git", "push", "-q"], env=repo.env, cwd=tmp_path / "two")
    assert [one.subject for one in repo.log()] == ["over the wire", "a change that came first", "the beginning"]


def test_repo_overtakes_as_many_pushes_as_it_is_told(new_repo, tmp_path):
    repo = new_repo("hurried", {"a.txt": "a\n"})
    repo.overtake_pushes(2)
    with pytest.raises(PartFailed, match="rejected|failed to push"):
        _clone_change_push(repo.url, tmp_path / "clone", repo.env)
    pull = ["git", "-c", "user.name=Ben", "-c", "user.email=b@example.com", "pull", "-q", "--rebase"]
    run(pull, env=repo.env, cwd=tmp_path / "clone")
    with pytest.raises(PartFailed, match="rejected|failed to push"):
        run(["git", "push", "-q"], env=repo.env, cwd=tmp_path / "clone")
    run(pull, env=repo.env, cwd=tmp_path / "clone")
    run(["git", "push", "-q"], env=repo.env, cwd=tmp_path / "clone")
    assert [one.subject for one in repo.log()] == ["over the wire"] + ["somebody was first"] * 2 + ["the beginning"]


def test_repo_has_a_busy_writer(new_repo):
    repo = new_repo("busy", {"a.txt": "a\n"})
    with repo.busy_writer(interval_s=0.01) as commits:
        wait_until(lambda: len(commits) >= 3, "three commits")
    assert len(repo.log()) == len(commits) + 1


# Kubernetes

DEPLOYMENT = {
    "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}},
                 "spec": {"containers": [{"name": "web", "image": "example.test/web:1"}]}},
}


def test_cluster_makes_pods_of_a_deployment(namespace):
    namespace.create("Deployment", "web", spec=DEPLOYMENT)
    wait_until(lambda: len(namespace.list("ReplicaSet")) == 1, "a ReplicaSet")
    wait_until(lambda: len(namespace.list("Pod")) == 2, "two Pods")
    assert namespace.pods_become() == 2
    wait_until(lambda: namespace.get("Deployment", "web")["status"].get("availableReplicas") == 2,
               "the Deployment to be available")
    namespace.delete("Deployment", "web")
    assert namespace.get("Deployment", "web") is None


def test_cluster_namespaces_are_apart_and_end(cluster, namespace):
    other = cluster.namespace()
    other.create("ConfigMap", "one", data={"a": "b"})
    assert namespace.get("ConfigMap", "one") is None
    other.remove()
    wait_until(lambda: cluster.exchange("GET", f"/api/v1/namespaces/{other.name}")[0] == 404, "the namespace to end")


def test_cluster_limits_users(cluster, namespace, tmp_path):
    token = namespace.limited_token([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}])
    path = namespace.path("ConfigMap")
    wait_until(lambda: cluster.exchange("GET", path, token=token)[0] == 200, "the role to be known")
    status, answer = cluster.exchange("POST", path, {"metadata": {"name": "x"}}, token=token)
    assert status == 403 and "forbidden" in answer["message"]
    assert cluster.exchange("GET", path, token="nobody")[0] == 401
    assert token in cluster.kubeconfig(tmp_path / "kubeconfig", token=token).read_text()


# Metrics

_COUNTER = "# HELP a_total A.\n# TYPE a_total counter\n"
_HISTOGRAM = '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n'


def test_metrics_are_read():
    text = _COUNTER + 'a_total{x="a\\"b\\\\c\\nd",y=""} 1\n' + _HISTOGRAM
    assert parse_metrics(text) == {'a_total{x="a\\"b\\\\c\\nd",y=""}': 1, 'h_bucket{le="1"}': 2,
                                   'h_bucket{le="+Inf"}': 3, "h_sum": 4, "h_count": 3}


@pytest.mark.parametrize("text", [
    "a_total 1\n", "# TYPE a_total counter\na_total 1\n", _COUNTER + _COUNTER, _COUNTER + "a_total 1\na_total 1\n",
    _COUNTER + "a_total -1\n", _COUNTER + "a_total 1", _COUNTER + "b_total 1\n", _COUNTER + 'a_total{x="\\t"} 1\n',
    _COUNTER + 'a_total{x="1",x="2"} 1\n', _COUNTER + "a_total one\n", _COUNTER + "a_total 1 2 3\n",
    _COUNTER.replace("a_total", "a"), _COUNTER.replace("A.", ""), _HISTOGRAM.replace("Inf\"} 3", "Inf\"} 4"),
    _HISTOGRAM.replace("} 2", "} 5"), _HISTOGRAM.replace("h_sum 4\n", ""), _HISTOGRAM.replace('h_bucket{le="+Inf"} 3\n', ""),
    _HISTOGRAM.replace('le="1"', 'x="1"'), _HISTOGRAM + _COUNTER + "h_count 3\n",
])
def test_metrics_that_are_malformed_are_refused(text):
    with pytest.raises((AssertionError, ValueError)):
        parse_metrics(text)


# Leaving parts out


def _run_pytest_without(parts, folder):
    # From a folder of its own, with this suite's conftest, so that nothing of the session is in its way.
    environment = {"PAWL_WITHOUT": parts, "PATH": "/nonexistent", "HOME": str(folder)}
    return subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "--basetemp", folder / "inner", "-k",
                           "memcacheds_are_two", __file__], env=environment, capture_output=True, text=True,
                          check=False)


def test_a_missing_part_fails(tmp_path):
    done = _run_pytest_without("", tmp_path)
    assert done.returncode == 1 and "memcached needs memcached" in done.stdout and "1 error" in done.stdout


def test_a_part_left_out_is_said(tmp_path):
    done = _run_pytest_without("memcached", tmp_path)
    assert "1 tests left out: without memcached" in done.stdout


def test_an_unknown_part_is_refused(tmp_path):
    done = _run_pytest_without("memcache", tmp_path)
    assert done.returncode == 4 and "PAWL_WITHOUT names memcache" in done.stderr
