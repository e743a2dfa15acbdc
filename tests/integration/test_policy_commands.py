"""`pawl automate`, `deautomate`, `lock`, `unlock` and `policy` on a real remote: one commit each, only the annotation's bytes."""

import datetime
import subprocess
import time

import pytest

from parts.manifests import DOCUMENTS, kind_of, workload, write_document

WHO = "demo:deployment/app"
IMAGE = "example.test/team/app:1.0.0"


class Bench:
    """pawl and a repository that it changes."""

    def __init__(self, pawl, repo):
        self.pawl, self.repo = pawl, repo

    def run(self, command, *options, rc=0, who=WHO, **how):
        return self.pawl.expect(rc, command, "--git-url", self.repo.url, "--deploy-to", "none", "-w", who, *options,
                                **how)

    def message(self):
        return self.repo.git("log", "-1", "--format=%B", self.repo.branch).rstrip("\n")


@pytest.fixture
def bench(pawl, new_repo):
    return Bench(pawl, new_repo())


def _start(bench, *arguments, **how):
    how.setdefault("automated", False)
    bench.repo.commit({"app.yaml": workload("app", IMAGE, **how)}, "the beginning")


def test_each_command_is_one_commit_of_its_annotation(bench):
    _start(bench, annotations={"note": "kept"})
    for command, options, subject, lines in (
            ("automate", [], f"Automated: {WHO}", ['+    fluxcd.io/automated: "true"']),
            ("policy", ["--tag", "app=semver:>=1.2, <2"], f"Updated policies: {WHO}",
             ['+    fluxcd.io/tag.app: "semver:>=1.2, <2"']),
            ("policy", ["--tag", "app=main-*"], f"Updated policies: {WHO}",
             ['-    fluxcd.io/tag.app: "semver:>=1.2, <2"', '+    fluxcd.io/tag.app: "glob:main-*"']),
            ("policy", ["--tag", "app=*"], f"Updated policies: {WHO}", ['-    fluxcd.io/tag.app: "glob:main-*"']),
            ("deautomate", [], f"Deautomated: {WHO}", ['-    fluxcd.io/automated: "true"'])):
        before = len(bench.repo.log())
        result = bench.run(command, *options)
        assert result.stderr == f"Commit pushed:\t{bench.repo.sha()[:7]}\n"
        assert [line.split() for line in result.stdout.splitlines()] == [["WORKLOAD", "STATUS", "UPDATES"],
                                                                         [WHO, "success"]]
        assert len(bench.repo.log()) == before + 1 and bench.message() == subject
        assert bench.repo.diff() == lines and bench.repo.changed_files() == ["app.yaml"]


def test_a_lock_says_who_and_why_and_unlock_takes_it_all_away(bench):
    _start(bench)
    before = bench.repo.read("app.yaml")
    bench.run("lock", "-m", "waits: for #42", "--user", "Jane <jane@example.com>")
    assert bench.message() == f"waits: for #42\n\n- Locked: {WHO}"
    assert bench.repo.diff() == ["-  annotations: {}", "+  annotations:", '+    fluxcd.io/locked: "true"',
                                 '+    fluxcd.io/locked_user: Jane <jane@example.com>',
                                 '+    fluxcd.io/locked_msg: "waits: for #42"']
    bench.run("unlock")
    assert bench.message() == f"Unlocked: {WHO}"
    assert bench.repo.read("app.yaml") == before.replace(b"  annotations: {}\n", b"")


def test_a_lock_anew_replaces_the_words_of_the_old_one(bench):
    _start(bench)
    bench.run("lock", "-m", "one", "--user", "Jane")
    bench.run("lock", "--user", "Joe")
    assert bench.repo.diff() == ["-    fluxcd.io/locked_user: Jane", "-    fluxcd.io/locked_msg: one",
                                 "+    fluxcd.io/locked_user: Joe"]


def test_the_user_is_gits_by_default(bench):
    _start(bench)
    (bench.pawl.home / ".gitconfig").write_text("[user]\n  name = Ann Other\n  email = ann@example.com\n")
    bench.run("lock", env={"GIT_CONFIG_GLOBAL": str(bench.pawl.home / ".gitconfig")})
    assert "+    fluxcd.io/locked_user: Ann Other <ann@example.com>" in bench.repo.diff()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_lock_and_its_end_leave_every_other_byte(bench, document):
    written = write_document(document, IMAGE)
    name = f"demo:{kind_of(document).lower()}/{document}"
    bench.repo.commit({"a.yaml": written, "other.yml": "x: y\n"})
    bench.run("lock", who=name, rc=0)
    locked = bench.repo.read("a.yaml")
    assert len(locked) > len(written) and locked.count(b"fluxcd.io/locked") == 1
    assert b"IMAGE" not in locked and locked.replace(b"\r", b"").count(b"\n") - written.count(b"\n") in (0, 1)
    bench.run("unlock", who=name)
    assert bench.repo.read("a.yaml") == written


@pytest.mark.parametrize("prefix", ["pawl.dev", "fluxcd.io", "flux.weave.works"])
def test_an_annotation_keeps_its_prefix(bench, prefix):
    _start(bench, annotations={f"{prefix}/automated": "false", f"{prefix}/tag.app": "glob:a"})
    bench.run("policy", "--automate", "--tag", "app=semver:~1")
    assert bench.message() == f"Updated workload policies\n\n- Automated: {WHO}\n- Updated policies: {WHO}"
    assert [line for line in bench.repo.diff() if line[0] == "+"] == [f'+    {prefix}/automated: "true"',
                                                                      f'+    {prefix}/tag.app: "semver:~1"']


def test_the_old_filter_annotation_is_changed_where_it_is(bench):
    _start(bench, annotations={"filter.fluxcd.io/app": "glob:a"})
    bench.run("policy", "--tag", "app=regexp:^v[0-9]+=?$")
    assert bench.repo.diff()[1] == '+    filter.fluxcd.io/app: "regexp:^v[0-9]+=?$"'


def test_removal_takes_every_prefix(bench):
    _start(bench, annotations={"fluxcd.io/automated": "true", "flux.weave.works/automated": "true", "x": "y"})
    bench.run("deautomate")
    assert bench.repo.diff() == ['-    fluxcd.io/automated: "true"', '-    flux.weave.works/automated: "true"']


def test_a_pattern_for_all_containers_and_another_for_one(bench):
    text = workload("app", IMAGE, automated=False) + f"        - name: side\n          image: {IMAGE}\n"
    bench.repo.commit({"app.yaml": text})
    bench.run("policy", "--tag-all", "semver:1", "--tag", "side=glob:s-*")
    assert bench.repo.diff()[2:] == ['+    fluxcd.io/tag.app: "semver:1"'.replace('"', ""),
                                     "+    fluxcd.io/tag.side: glob:s-*"]
    bench.run("policy", "--tag-all", "*")
    assert bench.repo.read("app.yaml") == text.replace("  annotations: {}\n", "").encode()


def test_what_is_so_already_is_no_commit(bench):
    _start(bench, automated=True)
    head = bench.repo.sha()
    result = bench.run("automate")
    assert result.stdout == "" and result.stderr == "Nothing to do\n" and bench.repo.sha() == head
    assert bench.run("automate", "-v").stdout.splitlines()[1].split()[:2] == [WHO, "skipped"]
    assert bench.run("automate", "-o", "json").json == {
        WHO: {"Status": "skipped", "Error": "it is so already", "PerContainer": None}}


def test_json_is_flux_v1s(bench):
    _start(bench)
    assert bench.run("automate", "-o", "json").json == {WHO: {"Status": "success", "PerContainer": None}}


def test_a_dry_run_shows_the_diff_and_pushes_nothing(bench):
    _start(bench)
    head, text = bench.repo.sha(), bench.repo.read("app.yaml")
    result = bench.run("automate", "--dry-run", rc=3)
    assert bench.repo.sha() == head and result.stderr == ""
    checkout = bench.pawl.home / "checkout"
    checkout.mkdir()
    (checkout / "app.yaml").write_bytes(text)
    subprocess.run(["git", "apply"], cwd=checkout, input=result.stdout.encode(), check=True)
    bench.run("automate")
    assert (checkout / "app.yaml").read_bytes() == bench.repo.read("app.yaml")
    bench.run("automate", "--dry-run", rc=0)


@pytest.mark.parametrize("command, options, rc, words", [
    ("policy", ["--tag", "app=semver:foo"], 2, "invalid tag pattern"),
    ("policy", ["--tag", "app=regexp:("], 2, "invalid tag pattern"),
    ("policy", ["--tag-all", "semver:"], 2, "invalid tag pattern"),
    ("policy", ["--tag", "app"], 2, "CONTAINER=PATTERN"),
    ("policy", ["--tag", "web=semver:1"], 1, "there are: app"),
    ("policy", ["--set", "tag.app=semver:foo"], 2, "semver:foo"),
    ("policy", ["--set", "colour=red"], 2, "pawl.dev/colour"),
    ("policy", ["--set", "automatd=true"], 2, "did you mean pawl.dev/automated"),
    ("policy", [], 2, "nothing is asked for"),
    ("policy", ["--automate", "--deautomate"], 2, "both"),
    ("policy", ["--lock", "--unlock"], 2, "both"),
    ("lock", ["--until", "yesterday"], 2, "--until"),
    ("lock", ["--until", "2020-01-01T00:00:00Z"], 2, "over already"),
    ("policy", ["--until", "8h", "--automate"], 2, "--until"),
    ("automate", ["-w", "no such id!"], 2, "--workload"),
    ("automate", ["-w", "demo:deployment/ap"], 1, f"did you mean {WHO}?"),
    ("automate", ["-n", "prod", "-w", "deployment/app"], 1, f"did you mean {WHO}?"),
    ("automate", ["--dry-run=maybe"], 2, "dry-run"),
])
def test_what_cannot_be_done_is_said_and_not_written(bench, command, options, rc, words):
    _start(bench)
    head = bench.repo.sha()
    result = bench.run(command, *options, rc=rc)
    assert words in result.stdout + result.stderr and bench.repo.sha() == head


def test_a_workload_has_to_be_named(bench):
    _start(bench)
    result = bench.pawl.expect(2, "lock", "--git-url", bench.repo.url)
    assert "--workload" in result.stderr


def test_broken_and_doubled_manifests_are_said_with_their_place(bench):
    bench.repo.commit({"a.yaml": workload("app", IMAGE), "b.yaml": workload("app", IMAGE)})
    assert "app" in bench.run("lock", rc=1).stdout and len(bench.repo.log()) == 1
    bench.repo.commit({"b.yaml": None, "a.yaml": workload("app", IMAGE).replace("  annotations:", "  annotations: &a")
                       + "x: *a\n"})
    assert "a.yaml: fluxcd.io/locked: line 7: annotations is shared" in bench.run("lock", rc=1).stdout


def test_a_namespace_given_once_is_for_names_without_one(bench):
    _start(bench)
    bench.run("lock", "-n", "demo", who="deployment/app")
    bench.run("unlock", "-n", "other", who=WHO)


def test_an_overtaken_push_decides_again(bench):
    _start(bench)
    overtaking = bench.repo.overtake_next_push({"app.yaml": "# first\n" + workload("app", IMAGE, automated=False)})
    bench.run("lock")
    assert bench.repo.log()[1].sha == overtaking
    assert bench.repo.read("app.yaml").startswith(b"# first\n") and b"fluxcd.io/locked" in bench.repo.read("app.yaml")


def test_overtaken_by_the_same_wish_there_is_nothing_left_to_do(bench):
    _start(bench)
    overtaking = bench.repo.overtake_next_push(
        {"app.yaml": workload("app", IMAGE, automated=False, annotations={"fluxcd.io/locked": "true"})})
    bench.run("lock")
    assert bench.repo.sha() == overtaking


def test_a_read_only_repository_is_not_written(bench):
    _start(bench)
    assert "read-only" in bench.run("lock", "--git-readonly", rc=1).stderr
    bench.run("lock", "--git-readonly", "--dry-run", rc=3)


def test_a_push_that_is_refused_shows_the_remotes_words(bench):
    _start(bench)
    bench.repo.reject_pushes("no locks on Fridays")
    said = bench.run("lock", rc=1).stderr
    assert "no locks on Fridays" in said and said.count(bench.repo.url) == 1 and "protected" in said


def test_a_locked_workload_is_not_updated(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"app.yaml": workload("app", site.image("app", "1.0.0"), policy="semver:1")})
    who = ["--git-url", site.url, "-w", WHO]
    site.pawl.ok("lock", *who, "-m", "freeze", "--user", "jane")
    (held,) = site.once()["held"]
    assert held["cause"] == "locked" and "jane" in held["reason"] and "freeze" in held["reason"]
    site.pawl.ok("unlock", *who)
    assert site.once()["changes"][0]["to"].endswith(":1.1.0")


def test_a_lock_that_ends_by_itself(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"app.yaml": workload("app", site.image("app", "1.0.0"), policy="semver:1")})
    who = ["--git-url", site.url, "-w", WHO]
    before = datetime.datetime.now(datetime.timezone.utc)
    site.pawl.ok("lock", *who, "--until", "8h", "--user", "jane")
    (line,) = [line for line in site.repo.diff() if "locked-until" in line]
    assert line.startswith("+    pawl.dev/locked-until: ")
    until = datetime.datetime.fromisoformat(line.split('"')[1].replace("Z", "+00:00"))
    assert datetime.timedelta(hours=7, minutes=59) < until - before < datetime.timedelta(hours=8, minutes=5)
    assert site.once()["held"][0]["cause"] == "locked"
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    site.pawl.ok("lock", *who, "--until", soon.strftime("%Y-%m-%dT%H:%M:%SZ"), "--user", "jane")
    time.sleep(3.5)
    assert site.once()["changes"][0]["to"].endswith(":1.1.0")
    site.pawl.ok("lock", *who, "--user", "jane")
    assert not any(line.startswith("+") for line in site.repo.diff())  # the old end goes, and the lock has none
    site.pawl.ok("unlock", *who)
    assert b"lock" not in site.repo.read("app.yaml")


@pytest.mark.parametrize("setting, line", [
    ("min-age=2d", "+    pawl.dev/min-age: \"2d\""), ("min-age.app=30m", "+    pawl.dev/min-age.app: \"30m\""),
    ("digest.app=pin", "+    pawl.dev/digest.app: pin"), ("allow-downgrade=true", '+    pawl.dev/allow-downgrade: "true"'),
    ("window=Mon-Fri 09:00-16:00 Europe/Berlin", '+    pawl.dev/window: Mon-Fri 09:00-16:00 Europe/Berlin'),
    ("platforms=linux/amd64,linux/arm64/v8", '+    pawl.dev/platforms: "linux/amd64,linux/arm64/v8"'),
])
def test_every_policy_of_ours_can_be_set_and_unset(bench, setting, line):
    _start(bench, annotations={"x": "y"})
    before = bench.repo.read("app.yaml")
    bench.run("policy", "--set", setting)
    assert bench.repo.diff() == [line]
    bench.run("policy", "--unset", setting.partition("=")[0])
    assert bench.repo.read("app.yaml") == before


@pytest.mark.parametrize("setting, words", [
    ("automated=yes", '"true" or "false"'), ("locked=True", '"true" or "false"'), ("ignore=on", '"sync_only"')])
def test_a_value_that_would_not_count_is_refused(bench, setting, words):
    _start(bench, automated=True)
    head = bench.repo.sha()
    assert words in bench.run("policy", "--set", setting, rc=2).stderr and bench.repo.sha() == head


def test_the_message_says_what_a_value_means(bench):
    _start(bench, automated=True)
    for setting, message in (("automated=false", "Deautomated"), ("locked=true", "Locked"), ("locked=false", "Unlocked"),
                             ("automated=true", "Automated"), ("ignore=sync_only", "Updated policies")):
        bench.run("policy", "--set", setting)
        assert bench.message() == f"{message}: {WHO}"



@pytest.mark.parametrize("setting", ["min-age=soon", "digest=perhaps", "window=Mon-Fri", "locked-until=later", "platforms=x"])
def test_a_value_that_cannot_be_read_is_never_written(bench, setting):
    _start(bench)
    head = bench.repo.sha()
    result = bench.run("policy", "--set", setting, rc=2)
    assert "nothing was written" in result.stderr and bench.repo.sha() == head


# Several repositories


def _config(pawl, **repos):
    rows = "".join(f"  - {{name: {name}, url: {repo.url}, deploy-to: none}}\n" for name, repo in repos.items())
    path = pawl.home / "pawl.yaml"
    path.write_text("repositories:\n" + rows)
    return ["--config", path]


def test_of_several_repositories_the_one_with_the_workload_is_changed(pawl, new_repo):
    one = new_repo("one", {"a.yaml": workload("app", IMAGE)})
    two = new_repo("two", {"a.yaml": workload("web", IMAGE)})
    config = _config(pawl, one=one, two=two)
    pawl.ok("lock", *config, "-w", "demo:deployment/web")
    assert len(one.log()) == 1 and len(two.log()) == 2
    assert "not found" in pawl.expect(1, "lock", *config, "-w", "demo:deployment/gone").stderr
    for command in (["lock", "-w"], ["history"], ["release", "--update-all-images", "--workload"]):
        near = pawl.expect(1, command[0], *config, *command[1:], "deployment/web").stderr
        assert "not found in any of the repositories; did you mean demo:deployment/web?" in near
    assert "did you mean \"two\"" in pawl.expect(2, "lock", *config, "--repository", "tw", "-w", WHO).stderr


def test_a_workload_in_several_repositories_needs_the_repositorys_name(pawl, new_repo):
    one, two = (new_repo(name, {"a.yaml": workload("app", IMAGE)}) for name in ("one", "two"))
    config = _config(pawl, one=one, two=two)
    result = pawl.expect(2, "lock", *config, "-w", WHO)
    assert "one, two" in result.stderr and "--repository" in result.stderr
    pawl.ok("lock", *config, "-w", WHO, "--repository", "two")
    assert len(one.log()) == 1 and len(two.log()) == 2


# As people who know fluxctl type


def test_flags_that_found_fluxs_daemon_are_of_no_effect(bench):
    _start(bench)
    found = ("--k8s-fwd-ns", "flux", "--k8s-fwd-labels=app=flux", "--timeout", "5m")
    bench.run("lock", *found)
    assert bench.message() == f"Locked: {WHO}"
    for command in (["list-workloads", "-a"], ["history", WHO]):
        bench.pawl.ok(*command, "--git-url", bench.repo.url, *found)
    for flags in (["--token", "x"], ["-t", "x"]):
        assert "no such service any more" in bench.run("unlock", *flags, rc=2).stderr
    refused = bench.run("unlock", "--url", "http://127.0.0.1:3030/api/flux", rc=2).stderr
    assert "asks no daemon" in refused and "--git-url" in refused and bench.message() == f"Locked: {WHO}"
