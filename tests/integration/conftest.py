"""Fixtures: the real parts, fresh for each test where that is cheap, once a session where it is not.

A part that is missing fails the tests that need it. Whoever cannot have a part says so, with `--without PART` or
PAWL_WITHOUT=part,part, and the tests that need it are then left out and counted.

Every fixture of a part asks for the part's own `part_…` fixture: it checks that the part can be had at all, and its
name among a test's fixtures tells that the test needs the part.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from parts import githttps, sshd as sshd_part
from parts.charts import ChartRepository
from parts.faults import FaultProxy
from parts.gitrepo import GitRepo
from parts.githttps import GitHttps
from parts.kube import Cluster
from parts.memcached import Memcached
from parts.pawl import Pawl
from parts.registry import Registry
from parts.site import Site
from parts.sshd import Sshd
from parts.tls import Authority
from parts.tokens import TokenServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "faults"))

from fault_server import FaultServer  # noqa: E402  (the path must be set first)

PARTS = ("registry", "memcached", "ssh", "https", "kubernetes")
_left_out = pytest.StashKey()


# Leaving parts out


def pytest_addoption(parser):
    parser.addoption("--without", action="append", default=[], metavar="PART", choices=PARTS,
                     help=f"leave out the tests that need PART ({', '.join(PARTS)}); also PAWL_WITHOUT=part,part")


def _without(config):
    named = [part for part in os.environ.get("PAWL_WITHOUT", "").replace(",", " ").split() if part]
    unknown = sorted(set(named) - set(PARTS))
    if unknown:
        raise pytest.UsageError(f"PAWL_WITHOUT names {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    return set(named) | set(config.getoption("--without"))


def pytest_collection_modifyitems(config, items):
    without = _without(config)
    needs = {item: {part for part in PARTS if f"part_{part}" in item.fixturenames} for item in items}
    left_out = [item for item in items if needs[item] & without]
    config.stash[_left_out] = (len(left_out), without)
    if left_out:
        items[:] = [item for item in items if not needs[item] & without]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter, config):
    count, without = config.stash.get(_left_out, (0, set()))
    if without:
        terminalreporter.write_line(f"{count} tests left out: without {', '.join(sorted(without))}")


def _need(part, *programs):
    missing = [program for program in programs if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        pytest.fail(f"{part} needs {', '.join(missing)}: run scripts/packages.sh test, or leave it out with "
                    f"--without {part}", pytrace=False)


@pytest.fixture(scope="session")
def part_registry():
    _need("registry", "docker-registry", "htpasswd", "openssl")


@pytest.fixture(scope="session")
def part_memcached():
    _need("memcached", "memcached")


@pytest.fixture(scope="session")
def part_ssh():
    _need("ssh", sshd_part.PROGRAM, "ssh", "ssh-keygen", "git")


@pytest.fixture(scope="session")
def part_https():
    _need("https", "git", "openssl")
    if not githttps.is_available():
        pytest.fail("https needs git-http-backend, which is part of Debian's git", pytrace=False)


@pytest.fixture(scope="session")
def part_kubernetes():
    """The folder with the API server's programs; building them is left to the script, which shows its progress."""
    _need("kubernetes", "etcd", "openssl")
    found = subprocess.run([ROOT / "scripts" / "apiserver.sh", "--find"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.fail(f"{found.stderr.strip()}; or leave it out with --without kubernetes", pytrace=False)
    return pathlib.Path(found.stdout.strip())


# Registries


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority; `authority.ca_file` is what clients must trust."""
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def server_certificate(authority):
    """For 127.0.0.1 and localhost."""
    return authority.issue("server")


@pytest.fixture
def new_registry(part_registry, tmp_path):
    """Starts registries: `new_registry()`, `new_registry(auth="basic")`, `new_registry(certificate=…, ca_file=…)`."""
    started = []

    def start(**options):
        started.append(Registry(tmp_path / f"registry-{len(started)}", **options))
        return started[-1]

    yield start
    for registry in started:
        registry.stop()


@pytest.fixture
def registry(new_registry):
    """An empty registry without authentication, over plain http."""
    return new_registry()


@pytest.fixture
def registry_basic(new_registry):
    """One that wants HTTP Basic: `registry.user`, `registry.password`."""
    return new_registry(auth="basic")


@pytest.fixture
def token_server(part_registry, server_certificate):
    server = TokenServer(server_certificate)
    yield server
    server.stop()


@pytest.fixture
def registry_token(new_registry, token_server):
    """One that wants bearer tokens from `token_server` (also `registry.auth`); `public/…` may be pulled by anybody."""
    return new_registry(auth=token_server)


@pytest.fixture
def registry_tls(new_registry, server_certificate, authority):
    """One that speaks https with a certificate of `authority`."""
    return new_registry(certificate=server_certificate, ca_file=authority.ca_file)


@pytest.fixture
def new_chart_repository():
    """Starts Helm repositories: `new_chart_repository()`, with the options of parts.charts."""
    started = []

    def start(*arguments, **options):
        started.append(ChartRepository(*arguments, **options))
        return started[-1]

    yield start
    for repository in started:
        repository.stop()


@pytest.fixture
def fault_proxy(registry):
    """Stands before `registry` and fails as it is told."""
    proxy = FaultProxy(registry.port)
    yield proxy
    proxy.stop()


# Caches


@pytest.fixture
def new_memcached(part_memcached, tmp_path):
    """Starts memcached servers."""
    started = []

    def start(**options):
        started.append(Memcached(tmp_path / "memcached", **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def memcacheds(new_memcached):
    """Two empty memcached servers."""
    return [new_memcached(), new_memcached()]


# Git


@pytest.fixture
def repos(tmp_path):
    """The folder that repositories are served from."""
    folder = tmp_path / "repos"
    folder.mkdir()
    return folder


@pytest.fixture
def new_repo(repos):
    """Makes bare repositories: `new_repo("name", {"path": content})`."""
    def make(name="gitops", files=None, **options):
        repo = GitRepo(repos / f"{name}.git", **options)
        if files:
            repo.commit(files, "the beginning")
        return repo
    return make


@pytest.fixture(scope="session")
def sshd(part_ssh, tmp_path_factory):
    """An ssh server; `pawl.env.update(sshd.environment())` lets pawl in."""
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def git_https(part_https, repos, server_certificate):
    """Serves `repos` over https to everybody."""
    server = GitHttps(repos, server_certificate)
    yield server
    server.stop()


@pytest.fixture
def git_https_auth(part_https, repos, server_certificate):
    """Serves `repos` over https to one user with a password."""
    server = GitHttps(repos, server_certificate, user="ann", password="pass-word.1")
    yield server
    server.stop()


# Kubernetes


@pytest.fixture(scope="session")
def cluster(part_kubernetes, tmp_path_factory):
    """The control plane, one for the session."""
    running = Cluster(tmp_path_factory.mktemp("cluster"), part_kubernetes)
    yield running
    running.stop()


@pytest.fixture
def namespace(cluster):
    """A fresh namespace."""
    made = cluster.namespace()
    yield made
    made.remove()


# pawl itself


@pytest.fixture
def pawl(tmp_path):
    """The binary named by PAWL_BIN (default: the one in build/), with a home of its own."""
    binary = pathlib.Path(os.environ.get("PAWL_BIN", ROOT / "build" / "pawl"))
    if not binary.is_file():
        pytest.fail(f"no pawl at {binary}: build it, or set PAWL_BIN", pytrace=False)
    return Pawl(binary, tmp_path / "home")


@pytest.fixture
def site(pawl, registry, new_repo, tmp_path):
    """pawl between an empty registry, an empty repository and an empty folder to apply to."""
    return Site(pawl, registry, new_repo(), tmp_path / "target")


# Registries at fault


@pytest.fixture
def new_fault_server():
    """Starts registries that do what a test scripts: `new_fault_server()`, `new_fault_server(certificate=…)`."""
    started = []

    def start(**options):
        started.append(FaultServer(**options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def bad(new_fault_server):
    """One of them."""
    return new_fault_server()


@pytest.fixture
def duo(pawl, registry, new_repo, tmp_path):
    """A site with a good workload; `parts.duo.with_bad` adds those at fault."""
    site = Site(pawl, registry, new_repo(), tmp_path / "target")
    site.push("team/good", "1.0.0", "1.1.0")
    return site
