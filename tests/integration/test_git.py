"""Where the manifests come from and commits go to: the transports, and everything that can be wrong with a remote."""

import contextlib
import socket
import types

import pytest

from parts.manifests import workload
from parts.process import LOOPBACK, free_port, run, wait_until


def _one_line(result, *words):
    """The run said one line on stderr, with these words in it."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result
    for word in words:
        assert word.lower() in lines[0].lower(), f"{word!r} is not in {lines[0]!r}"


def _start(site):
    site.push("app", "1.0.0", "1.1.0")
    return site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})


def _updates(site, url, **how):
    """A round over this URL, and another that finds its work done."""
    _start(site)
    site.url = url
    report = site.once(**how)
    assert site.repo.log()[0].subject == f"Auto-release {site.image('app', '1.1.0')}"
    assert report["commit"] == site.repo.sha() and len(site.repo.log()) == 2
    assert site.once(**how)["commit"] is None
    # Somebody else's commit is fetched into what is there already.
    elsewhere = site.repo.commit({"note.txt": "by hand\n"})
    assert site.once(**how)["head"] == elsewhere


# Transports


def test_a_path(site):
    _updates(site, str(site.repo.path))


def test_a_file_url(site):
    _updates(site, site.repo.url)


def test_ssh(site, sshd):
    site.pawl.env.update(sshd.environment())
    _updates(site, sshd.url(site.repo))


def test_ssh_as_user_at_host_and_path(site, sshd):
    command = f"{sshd.environment()['GIT_SSH_COMMAND']} -p {sshd.port}"
    _updates(site, f"{sshd.user}@{LOOPBACK}:{site.repo.path}", env={"GIT_SSH_COMMAND": command})


def test_https(site, git_https, authority):
    site.pawl.env["GIT_SSL_CAINFO"] = str(authority.ca_file)
    _updates(site, git_https.url(site.repo))


def test_https_with_the_password_in_the_url(site, git_https_auth, authority):
    site.pawl.env["GIT_SSL_CAINFO"] = str(authority.ca_file)
    _updates(site, git_https_auth.url(site.repo, credentials=True))


def test_https_with_the_password_from_gits_credential_helper(site, git_https_auth, authority):
    url = git_https_auth.url(site.repo)
    scheme, _, rest = url.partition("://")
    (site.pawl.home / ".gitconfig").write_text(
        f"[credential]\n\thelper = store --file={site.pawl.home / 'passwords'}\n")
    (site.pawl.home / "passwords").write_text(
        f"{scheme}://{git_https_auth.user}:{git_https_auth.password}@{rest.partition('/')[0]}\n")
    site.pawl.env["GIT_SSL_CAINFO"] = str(authority.ca_file)
    _updates(site, url)


def test_a_large_repository_over_https(site, git_https, authority):
    site.push("app", "1.0.0", "1.1.0")
    files = {f"{number // 50}/{number}.yaml": workload(f"w{number}", site.image("app", "1.0.0"), policy="semver:1")
             for number in range(300)}
    site.start(files)
    site.url = git_https.url(site.repo)
    report = site.once(env={"GIT_SSL_CAINFO": str(authority.ca_file)}, timeout=60)
    assert len(report["changes"]) == 300 and len(site.repo.diff()) == 600
    assert len(site.repo.log()) == 2


# Not let in, not there


def test_https_with_a_wrong_password(site, git_https_auth, authority):
    start = _start(site)
    site.url = git_https_auth.url(site.repo, credentials=True).replace(git_https_auth.password, "wrong-secret")
    site.pawl.env["GIT_SSL_CAINFO"] = str(authority.ca_file)
    report = site.once(rc=1)
    _one_line(site.result, "127.0.0.1", "password")
    assert "wrong-secret" not in site.result.stdout + site.result.stderr
    assert report["head"] is None and len(report["errors"]) == 1 and site.repo.sha() == start


def test_https_without_the_password_that_is_wanted(site, git_https_auth, authority):
    _start(site)
    site.url = git_https_auth.url(site.repo)
    site.once(rc=1, env={"GIT_SSL_CAINFO": str(authority.ca_file)})
    _one_line(site.result, site.url, "password")


def test_https_with_an_unknown_authority(site, git_https):
    _start(site)
    site.url = git_https.url(site.repo)
    site.once(rc=1)
    _one_line(site.result, site.url, "certificate", "GIT_SSL_CAINFO")


def test_ssh_to_a_host_with_an_unknown_key(site, sshd):
    start = _start(site)
    site.url = sshd.url(site.repo)
    site.once(rc=1, env=sshd.stranger_environment())
    _one_line(site.result, "host key", LOOPBACK)
    assert site.repo.sha() == start


def test_ssh_with_a_key_that_is_not_let_in(site, sshd, tmp_path):
    _start(site)
    site.url = sshd.url(site.repo)
    config = sshd.client_config.read_text().replace(str(sshd.client_key), str(tmp_path / "none"))
    (tmp_path / "ssh_config").write_text(config)
    site.once(rc=1, env={"GIT_SSH_COMMAND": f"ssh -F {tmp_path / 'ssh_config'}"})
    _one_line(site.result, LOOPBACK, "permission denied")


@pytest.mark.parametrize("form", ["path", "file", "ssh", "https"])
def test_a_repository_that_is_not_there(request, site, form):
    _start(site)
    site.url = f"{site.repo.path}-not"
    if form == "file":
        site.url = f"file://{site.url}"
    if form == "ssh":
        sshd = request.getfixturevalue("sshd")
        site.pawl.env.update(sshd.environment())
        site.url = f"{sshd.url(site.repo)}-not"
    if form == "https":
        site.url = f"{request.getfixturevalue('git_https').url(site.repo)}-not"
        site.pawl.env["GIT_SSL_CAINFO"] = str(request.getfixturevalue("authority").ca_file)
    report = site.once(rc=1)
    _one_line(site.result, "gitops.git-not")
    assert report["head"] is None and report["changes"] == []


@pytest.mark.parametrize("url", ["ssh://nobody@127.0.0.1:PORT/x.git", "https://127.0.0.1:PORT/x.git",
                                 "http://127.0.0.1:PORT/x.git"])
def test_a_host_that_is_not_reached(site, url):
    site.url = url.replace("PORT", str(free_port()))
    report = site.once(rc=1)
    _one_line(site.result, LOOPBACK)
    assert report["head"] is None and report["commit"] is None and len(report["errors"]) == 1
    assert not site.target.exists()


@pytest.mark.parametrize("scheme", ["ssh", "https"])
def test_a_host_that_never_answers_is_given_up(site, scheme):
    with contextlib.closing(socket.create_server((LOOPBACK, 0))) as silent:
        site.url = f"{scheme}://{LOOPBACK}:{silent.getsockname()[1]}/x.git"
        site.once("--git-timeout", "1s", rc=1, timeout=10)
    _one_line(site.result, LOOPBACK)


def test_a_branch_that_is_not_there_names_those_that_are(site):
    start = _start(site)
    site.repo.git("branch", "release-1", start)
    site.once("--git-branch", "mian", rc=1)
    _one_line(site.result, "mian", "main", "release-1")


@pytest.mark.parametrize("form", ["path", "https"])
def test_a_shallow_clone_is_called_one(request, site, form, repos):
    """As a CI system checks out by default."""
    _start(site)
    site.repo.commit({"note.txt": "by hand\n"})
    shallow = repos / "shallow.git"
    run(["git", "clone", "-q", "--bare", "--depth", "1", site.repo.url, shallow], env=site.repo.env)
    url = str(shallow)
    if form == "https":
        site.pawl.env["GIT_SSL_CAINFO"] = str(request.getfixturevalue("authority").ca_file)
        url = request.getfixturevalue("git_https").url(types.SimpleNamespace(path=shallow))
    _one_line(site.pawl.expect(1, "once", "--git-url", url, "--deploy-to", "none"), "shallow clone", "git fetch --unshallow")


def test_an_empty_repository(site):
    report = site.once(rc=1)
    _one_line(site.result, "gitops")
    assert report["head"] is None


def test_a_path_that_is_not_there(site):
    start = _start(site)
    site.once("--git-path", "releases/staging", rc=1)
    _one_line(site.result, "releases/staging")
    assert site.repo.sha() == start and not site.target.exists()


def test_a_url_that_is_none(site):
    site.url = "ftp://example.test/x.git"
    result = site.pawl.expect(2, "once", *site.options)
    assert "ftp://" in result.stderr and "ssh://" in result.stderr and result.stdout == ""


# Branches and authors


def test_another_branch_is_read_and_pushed_to(site):
    start = _start(site)
    site.repo.commit({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")}, "production",
                     ref="refs/heads/production", parent=start)
    site.once("--git-branch", "production")
    assert site.repo.sha() == start
    assert [commit.subject for commit in site.repo.log("production")][0].startswith("Auto-release ")


def test_the_remotes_own_branch_is_taken_when_none_is_given(site, new_repo):
    site.push("app", "1.0.0", "1.1.0")
    trunk = new_repo("trunk", {"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")},
                     branch="trunk")
    trunk.git("branch", "main", "trunk")
    site.url = trunk.url
    site.once()
    assert len(trunk.log("trunk")) == 2 and len(trunk.log("main")) == 1


def test_author_and_suffix_are_as_configured(site):
    _start(site)
    site.once("--git-user", "Flux", "--git-email", "flux@example.com", "--git-ci-skip")
    head = site.repo.log()[0]
    assert (head.author, head.email) == ("Flux", "flux@example.com")
    assert head.subject == f"Auto-release {site.image('app', '1.1.0')}" and head.body.strip() == "[ci skip]"


def test_a_file_keeps_its_mode(site):
    text = workload("web", site.image("app", "1.0.0"), policy="semver:1")
    site.push("app", "1.0.0", "1.1.0")
    stream = ("commit refs/heads/main\ncommitter Ann <ann@example.com> 1700000000 +0000\ndata 0\n"
              f"M 100755 inline web.yaml\ndata {len(text)}\n{text}\n")
    site.repo.git("fast-import", "--quiet", stdin=stream.encode())
    site.once()
    assert site.repo.git("ls-tree", "main", "web.yaml").startswith("100755 ") and len(site.repo.log()) == 2


# Pushes that do not go through


@pytest.mark.parametrize("transport", ["file", "ssh", "https"])
def test_a_push_that_a_hook_rejects_shows_its_words_and_what_is_in_git_is_applied(request, site, transport):
    start = _start(site)
    site.repo.reject_pushes("commits need a ticket number")
    if transport == "ssh":
        sshd = request.getfixturevalue("sshd")
        site.pawl.env.update(sshd.environment())
        site.url = sshd.url(site.repo)
    if transport == "https":
        site.url = request.getfixturevalue("git_https").url(site.repo)
        site.pawl.env["GIT_SSL_CAINFO"] = str(request.getfixturevalue("authority").ca_file)
    report = site.once(rc=1)
    _one_line(site.result, "commits need a ticket number")
    assert report["commit"] is None and site.repo.sha() == start
    # The commit that there is belongs to others: it is applied, and ours is not.
    assert report["applied"]["created"] == len(site.repo.files()) and report["applied"]["failed"] == 0
    assert all(site.applied(path) == site.repo.read(path) for path in site.repo.files())
    # Nothing is left that would be in the way once pushes are taken again.
    site.repo.accept_pushes()
    assert site.once()["commit"] == site.repo.sha() and len(site.repo.log()) == 2


def test_an_overtaken_push_decides_again_on_the_new_head(site):
    start = _start(site)
    overtaking = site.repo.overtake_next_push({"note.txt": "somebody was first\n"})
    report = site.once()
    assert [commit.sha for commit in site.repo.log()] == [report["commit"], overtaking, start]
    assert site.repo.read("note.txt") == b"somebody was first\n"
    assert b":1.1.0" in site.repo.read("web.yaml")


def test_an_overtaken_push_does_not_undo_what_came_first(site):
    _start(site)
    locked = workload("web", site.image("app", "1.0.0"), policy="semver:1", annotations={"fluxcd.io/locked": "true"})
    overtaking = site.repo.overtake_next_push({"web.yaml": locked}, "locked by hand")
    report = site.once()
    assert site.repo.sha() == overtaking and report["commit"] is None
    assert [held["candidate"] for held in report["held"]] == ["1.1.0"]


def test_a_busy_branch_loses_no_update_of_anyone(site):
    for number in range(8):
        site.push(f"app{number}", "1.0.0", "1.1.0")
    site.start({f"{number}.yaml": workload(f"w{number}", site.image(f"app{number}", "1.0.0"), policy="semver:1")
                for number in range(8)})
    with site.repo.busy_writer(interval_s=0.3 * site.pawl.patience) as foreign:
        for number in range(8):
            site.pawl.run("once", *site.options, "--git-path", f"{number}.yaml")
        wait_until(lambda: len(foreign) >= 3, "the other writer")
    site.once()
    history = {commit.sha for commit in site.repo.log()}
    assert len(foreign) >= 3 and set(foreign) <= history
    for number in range(8):
        assert b":1.1.0" in site.repo.read(f"{number}.yaml")
    assert site.repo.read("busy.txt").decode() == f"{len(foreign) - 1}\n"


def test_a_read_only_repository_is_applied_and_not_pushed_to(site):
    start = _start(site)
    report = site.once("--git-readonly")
    assert site.repo.sha() == start and report["changes"] == [] and report["commit"] is None
    held, = report["held"]
    assert held["candidate"] == "1.1.0" and "read-only" in held["reason"]
    assert site.applied("web.yaml") == site.repo.read("web.yaml")


def test_paths_of_any_name_are_read_and_written(site):
    site.push("app", "1.0.0", "1.1.0")
    names = ("with space/web 1.yaml", "grüße/世界.yaml", "quote's/we\"b.yaml", "-dash/--web.yml", "back\\slash.yaml")
    site.start({f'"{name.translate({34: chr(92) + chr(34), 92: chr(92) * 2})}"':
                workload(f"w{number}", site.image("app", "1.0.0"), policy="semver:1")
                for number, name in enumerate(names)})
    report = site.once()
    assert {change["file"] for change in report["changes"]} == set(names)
    for name in names:
        assert site.applied(name) == site.repo.read(name) and b":1.1.0" in site.repo.read(name)


def test_a_rewritten_history_is_followed(site):
    _start(site)
    site.once()
    site.repo.git("update-ref", "-d", "refs/heads/main")
    anew = site.repo.commit({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")}, "anew")
    report = site.once()
    assert report["head"] == anew and [commit.sha for commit in site.repo.log()] == [report["commit"], anew]


def test_a_broken_mirror_is_made_anew(site):
    _start(site)
    site.once()
    head, = (site.pawl.state / "pawl" / "git").glob("*/HEAD")
    head.write_bytes(b"\0garbage")
    site.once()
    for file in (head.parent / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"\0garbage")
    site.push("app", "1.2.0")
    site.once()
    assert b":1.2.0" in site.repo.read("web.yaml")
