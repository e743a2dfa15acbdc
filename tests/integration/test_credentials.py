"""Credentials from where users keep them, against registries that want them.

The registries are real ones. What cloud providers run beside theirs (the service that gives tokens, the metadata server) is
scripted in parts/clouds.py, and the way to the registry by its name in the cloud is a proxy of the tests'.
"""

import base64
import json
import os

import pytest

from parts.clouds import Ecr, GoogleMetadata, Tunnel
from parts.manifests import workload
from parts.registry import Registry
from parts.site import Site


class Docker:
    """The user's Docker configuration and the helpers in PATH."""

    def __init__(self, pawl, folder):
        self.pawl = pawl
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "helpers.log"
        self.log.touch()
        pawl.env["PATH"] = f"{self.bin}:{os.environ['PATH']}"

    def write(self, config, name=".docker/config.json"):
        path = self.pawl.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(config))

    def helper(self, name, script):
        """A credential helper that notes what it is asked and goes on with `script` ($1: the verb, $server)."""
        program = self.bin / f"docker-credential-{name}"
        program.write_text(f'#!/bin/sh\nread server\necho "{name} $1 $server" >>{self.log}\n{script}\n')
        program.chmod(0o755)

    def helper_that_knows(self, name, user, secret):
        self.helper(name, "cat <<END\n" + json.dumps({"ServerURL": "", "Username": user, "Secret": secret}) + "\nEND")

    @property
    def asked(self):
        return self.log.read_text().splitlines()


@pytest.fixture
def docker(pawl, tmp_path):
    return Docker(pawl, tmp_path)


@pytest.fixture
def basic(pawl, registry_basic, new_repo, tmp_path):
    """A site whose registry wants HTTP Basic, with something to update."""
    return _site(pawl, registry_basic, new_repo, tmp_path)


@pytest.fixture
def token(pawl, registry_token, new_repo, tmp_path):
    """The same with bearer tokens."""
    return _site(pawl, registry_token, new_repo, tmp_path)


def _site(pawl, registry, new_repo, tmp_path):
    site = Site(pawl, registry, new_repo(), tmp_path / "target")
    site.push("team/app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("team/app", "1.0.0"), policy="semver:1")})
    return site


def _updates(site):
    assert [change["to"] for change in site.once()["changes"]] == [site.image("team/app", "1.1.0")]


def _fails(site, *words, **how):
    site.once(rc=1, **how)
    for word in words:
        assert word in site.result.stderr, site.result
    assert len(site.repo.log()) == 1


@pytest.mark.parametrize("setting", ["credHelpers", "credsStore", "credsStore and an empty entry"])
def test_a_helper_that_has_them(basic, docker, setting):
    host = basic.registry.host
    docker.helper_that_knows("vault", basic.registry.user, basic.registry.password)
    docker.write({"credHelpers": {host: "vault"}} if setting == "credHelpers" else
                 {"credsStore": "vault", "auths": {} if setting == "credsStore" else {host: {}}})
    _updates(basic)
    assert docker.asked == [f"vault get {host}"]


def test_a_helper_is_asked_once_for_all_repositories_of_a_host(basic, docker):
    docker.helper_that_knows("vault", basic.registry.user, basic.registry.password)
    docker.write({"credsStore": "vault"})
    files = {}
    for number in range(30):
        basic.push(f"many/app{number}", "1.0.0", "1.1.0")
        image = basic.image(f"many/app{number}", "1.0.0")
        files[f"app{number}.yaml"] = workload(f"app{number}", image, policy="semver:1")
    basic.repo.commit(files, "thirty more")
    assert len(basic.once()["changes"]) == 31
    assert len(docker.asked) == 1


def test_what_is_written_comes_before_a_helper(basic, docker):
    host = basic.registry.host
    docker.helper("vault", "exit 1")
    auth = base64.b64encode(f"{basic.registry.user}:{basic.registry.password}".encode()).decode()
    docker.write({"auths": {host: {"auth": auth}}, "credHelpers": {host: "vault"}, "credsStore": "vault"})
    _updates(basic)
    assert docker.asked == []


def test_a_helper_that_has_none_leaves_one_anonymous(pawl, registry_token, docker, new_repo, tmp_path):
    site = Site(pawl, registry_token, new_repo(), tmp_path / "target")
    site.push("public/app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("public/app", "1.0.0"), policy="semver:1")})
    docker.helper("vault", "echo 'credentials not found in native keychain'; exit 1")
    docker.write({"credsStore": "vault"})
    assert len(site.once()["changes"]) == 1


@pytest.mark.parametrize("helper, words", [
    ("missing", ["docker-credential-missing"]),
    ("sealed", ["docker-credential-sealed", "the vault is sealed"]),
    ("garbage", ["docker-credential-garbage", "no JSON object"]),
    ("../../bin/sh", ["not a plain file name"]),
])
def test_a_bad_helper_spoils_only_its_host(basic, docker, registry, helper, words):
    docker.helper("sealed", "echo 'the vault is sealed'; exit 1")
    docker.helper("garbage", "echo open-secret")
    docker.write({"credHelpers": {basic.registry.host: helper}})
    _fails(basic, basic.registry.host, *words)
    assert "open-secret" not in basic.result.stdout + basic.result.stderr
    for number, tag in enumerate(("1.0.0", "1.1.0")):
        registry.push("other", tag, created=f"2024-01-0{number + 1}T00:00:00Z")
    other = f"{registry.host}/other:1.0.0"
    basic.repo.commit({"other.yaml": workload("other", other, policy="semver:1")}, "another registry")
    report = basic.once(rc=1)
    assert [change["from"] for change in report["changes"]] == [other]


def test_a_helper_that_hangs_delays_only_its_host(basic, docker, registry):
    docker.helper("hung", "exec sleep 60")
    docker.write({"credHelpers": {basic.registry.host: "hung"}})
    registry.push("other", "1.0.0")
    registry.push("other", "1.1.0")
    basic.repo.commit({"other.yaml": workload("other", f"{registry.host}/other:1.0.0", policy="semver:1")}, "more")
    with basic.serve() as daemon:
        daemon.wait_until(lambda: b"other:1.1.0" in basic.repo.read("other.yaml"), "the other update", timeout=6)
        daemon.wait_for_log("docker-credential-hung", timeout=15)


def test_an_identity_token_of_a_helper(token, token_server, docker):
    token_server.identity_tokens["idt-1"] = "robot"
    docker.helper_that_knows("vault", "<token>", "idt-1")
    docker.write({"credsStore": "vault"})
    _updates(token)
    assert {user for user, _ in token_server.seen} == {"robot"}
    assert "idt-1" not in token.result.stdout + token.result.stderr


@pytest.mark.parametrize("user", ["", "00000000-0000-0000-0000-000000000000:"])
def test_an_identity_token_in_the_file(token, token_server, docker, user):
    token_server.identity_tokens["idt-1"] = "robot"
    entry = {"identitytoken": "idt-1"}
    if user:
        entry["auth"] = base64.b64encode(user.encode()).decode()
    docker.write({"auths": {token.registry.host: entry}})
    _updates(token)


def test_an_identity_token_that_is_refused(token, docker):
    docker.write({"auths": {token.registry.host: {"identitytoken": "idt-2"}}})
    _fails(token, token.registry.host, "token")
    assert "idt-2" not in token.result.stdout + token.result.stderr


def test_a_password_that_is_replaced_needs_no_restart(basic, docker):
    """As in a Secret that a pod mounts. What cannot be read changes nothing, and is said once."""
    registry = basic.registry
    basic.pawl.docker_login(registry.host, registry.user, "of yesterday")
    with basic.serve() as daemon:
        daemon.wait_for_log("the credentials were refused")
        basic.pawl.docker_login(registry.host, registry.user, registry.password)
        daemon.wait_until(lambda: b":1.1.0" in basic.repo.read("web.yaml"), "the update with the new password")
        assert "event=credentials-changed" in daemon.log()
        (basic.pawl.home / ".docker" / "config.json").write_text("{")
        daemon.wait_for_log("event=bad-credentials .*config.json")
        basic.push("team/app", "1.2.0")
        daemon.wait_until(lambda: b":1.2.0" in basic.repo.read("web.yaml"), "the update with what was read before")
        assert daemon.log().count("event=bad-credentials") == 1


@pytest.mark.parametrize("where", ["basic", "token"])
@pytest.mark.parametrize("password, words", [
    ("wrong", "check the credentials of user robot for "),
    ("secret with spaces\n", "of user robot for {image}: the password ends with a line break, which `echo` adds"),
])
def test_a_refusal_names_the_user_and_what_can_be_seen_of_the_password(request, pawl, where, password, words):
    site = request.getfixturevalue(where)
    host = site.registry.host
    pawl.docker_login(host, "robot", password)
    error = pawl.expect(1, "tags", f"{host}/app").stderr
    assert words.format(image=f"{host}/app") in error and "spaces" not in error
    assert ("line break" in error) == password.endswith("\n")


def test_the_legacy_file(basic, docker):
    auth = base64.b64encode(f"{basic.registry.user}:{basic.registry.password}".encode()).decode()
    docker.write({basic.registry.host: {"auth": auth, "email": "me@example.org"}}, ".dockercfg")
    _updates(basic)


# Cloud providers

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
GOOGLE = "europe-docker.pkg.dev"


class Cloud:
    """A registry with a name in a cloud, reached through the tests' proxy; `stop` is called by the fixture."""

    def __init__(self, site, name, tunnel, ca_file):
        self.site, self.name, self.tunnel = site, name, tunnel
        site.pawl.env.update({"https_proxy": tunnel.url, "no_proxy": "127.0.0.1", "SSL_CERT_FILE": str(ca_file),
                              "AWS_EC2_METADATA_DISABLED": "true"})

    def start(self, *repositories):
        for repository in repositories:
            self.site.push(repository, "1.0.0", "1.1.0")
        self.site.start({f"{number}.yaml": workload(f"app{number}", f"{self.name}/{repository}:1.0.0", policy="semver:1")
                         for number, repository in enumerate(repositories)})


@pytest.fixture
def new_cloud(pawl, part_registry, new_repo, authority, tmp_path):
    """Makes a Cloud whose registry knows one user."""
    started = []

    def make(name, user, password):
        certificate = authority.issue(name, subject_names=f"DNS:{name},IP:127.0.0.1")
        kind = type("CloudRegistry", (Registry,), {"user": user, "password": password})
        registry = kind(tmp_path / name, auth="basic", certificate=certificate, ca_file=authority.ca_file)
        started.append(registry)
        started.append(Tunnel(registry.port))
        site = Site(pawl, registry, new_repo(), tmp_path / "target")
        return Cloud(site, name, started[-1], authority.ca_file)

    yield make
    for part in reversed(started):
        part.stop()


@pytest.fixture
def serving():
    """Stops what a test has started."""
    started = []
    yield lambda part: started.append(part) or part
    for part in started:
        part.stop()


@pytest.mark.parametrize("session", [None, "session/token+1=="])
def test_amazon_ecr(new_cloud, serving, session):
    cloud = new_cloud(ECR, "AWS", "of-amazon")
    ecr = serving(Ecr("of-amazon", session=session))
    cloud.start("team/a", "team/b", "team/c")
    assert len(cloud.site.once(env=ecr.environment())["changes"]) == 3
    assert ecr.asked == 1
    assert set(cloud.tunnel.names) == {f"{ECR}:443"}


def test_amazon_ecr_with_a_key_that_is_refused(new_cloud, serving):
    cloud = new_cloud(ECR, "AWS", "of-amazon")
    ecr = serving(Ecr("of-amazon"))
    cloud.start("team/a")
    _fails(cloud.site, ECR, "Amazon ECR", "does not match", env={**ecr.environment(), "AWS_SECRET_ACCESS_KEY": "other"})
    assert cloud.tunnel.names == []


def test_what_docker_has_comes_before_a_provider(new_cloud, serving):
    cloud = new_cloud(ECR, "AWS", "of-amazon")
    ecr = serving(Ecr("something else"))
    cloud.start("team/a")
    cloud.site.pawl.docker_login(ECR, "AWS", "of-amazon")
    assert len(cloud.site.once(env=ecr.environment())["changes"]) == 1
    assert ecr.asked == 0


def test_without_an_identity_a_cloud_is_asked_anonymously(new_cloud):
    cloud = new_cloud(ECR, "AWS", "of-amazon")
    cloud.start("team/a")
    _fails(cloud.site, ECR, "there are no credentials", "an identity at Amazon ECR")


def test_google_artifact_registry_by_the_metadata_server(new_cloud, serving):
    cloud = new_cloud(GOOGLE, "oauth2accesstoken", "of-google")
    metadata = serving(GoogleMetadata("of-google"))
    cloud.start("project/a", "project/b")
    assert len(cloud.site.once(env=metadata.environment())["changes"]) == 2
    assert len(metadata.asked) == 1


def test_providers_are_asked_only_for_what_is_theirs(site, serving):
    ecr, metadata = serving(Ecr("x")), serving(GoogleMetadata("x"))
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    assert len(site.once(env={**ecr.environment(), **metadata.environment()})["changes"]) == 1
    assert ecr.asked == 0 and metadata.asked == []
