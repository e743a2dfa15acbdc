"""The command line, the environment and the file: one table, three ways in."""

import os
import pathlib
import re
import subprocess

import pytest

from parts.manifests import workload

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ("once", "serve", "tags", "set-image", "version")


# Help


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(pawl, arguments):
    result = pawl.ok(*arguments)
    assert result.stdout.startswith("usage: pawl ") and result.stderr == ""
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", result.stdout, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(pawl, command):
    result = pawl.ok(command, "--help")
    assert result.stdout.startswith(f"usage: pawl {command}") and result.stderr == ""
    assert pawl.ok("help", command).stdout == result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 120


def test_help_says_everything_that_once_takes(pawl):
    text = pawl.ok("once", "--help").stdout
    for option in ("git-url", "git-branch", "git-path", "git-user", "git-email", "git-readonly", "git-timeout",
                   "registry-rps", "registry-burst", "registry-tag-limit", "registry-timeout", "platform", "cache", "deploy-to",
                   "kubeconfig", "context", "k8s-default-namespace", "data-dir", "config", "log-format", "log-level",
                   "dry-run", "output"):
        assert re.search(rf"--{option}\b", text), option


def test_no_arguments_show_the_help_and_fail(pawl):
    result = pawl.expect(2)
    assert result.stdout == "" and result.stderr.startswith("usage: pawl ")


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_version(pawl, arguments):
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", pawl.ok(*arguments).stdout)


def test_the_manual_is_the_one_in_docs(pawl):
    assert pawl.ok("manual").stdout == (ROOT / "docs" / "pawl.1").read_text(), \
        "docs/pawl.1 is not what `pawl manual` prints: run `pawl manual > docs/pawl.1`"


def test_the_manual_has_every_option_of_every_command(pawl):
    manual = pawl.ok("manual").stdout.replace("\\-", "-")
    commands = re.findall(r"^  ([a-z-]+) ", pawl.ok("--help").stdout, re.MULTILINE)
    assert len(commands) > 15
    for command in commands:
        text = pawl.ok(command, "--help").stdout
        for option in re.findall(r"^  +(?:-\w, )?(--[a-z0-9-]+)", text, re.MULTILINE):
            assert re.search(rf"{option}\\fR", manual), (command, option)


# Wrong usage


@pytest.mark.parametrize("arguments, words", [
    (["onc"], ['"onc"', '"once"']),
    (["set-imge"], ['"set-imge"', '"set-image"']),
    (["frobnicate"], ['"frobnicate"', "--help"]),
    (["--git-url", "x"], ["--git-url", "command"]),
    (["once", "--git-ulr", "x"], ["--git-ulr", "--git-url"]),
    (["once", "--dry-rum"], ["--dry-rum", "--dry-run"]),
    (["once", "--frobnicate"], ["--frobnicate"]),
    (["once", "-z"], ["-z"]),
    (["once", "stray"], ["stray"]),
    (["once", "--git-url"], ["--git-url", "value"]),
    (["once", "--git-url", "x", "--git-timeout", "soon"], ["--git-timeout", "soon"]),
    (["once", "--git-url", "x", "--registry-rps", "many"], ["--registry-rps", "many"]),
    (["once", "--git-url", "x", "--registry-rps", "0"], ["--registry-rps"]),
    (["once", "--git-url", "x", "--dry-run=perhaps"], ["--dry-run", "perhaps"]),
    (["once", "--git-url", "x", "-o", "yaml"], ["yaml", "json"]),
    (["once", "--git-url", "x", "--log-level", "loud"], ["loud", "debug"]),
    (["once", "--git-url", "x", "--git-path", "/etc"], ["/etc"]),
    (["once", "--git-url", "x", "--git-path", "a/../../b"], ["a/../../b"]),
    (["once", "--git-url", "x", "--config", "/no/such/file"], ["/no/such/file"]),
    (["tags", "x", "--git-url", "y"], ["--git-url", "tags"]),
    (["set-image", "a/b", "c=d", "--deploy-to", "none"], ["--deploy-to"]),
    (["version", "--frobnicate"], ["--frobnicate"]),
])
def test_wrong_usage_ends_with_2_and_says_what_is_right(pawl, arguments, words):
    result = pawl.expect(2, *arguments)
    assert result.stdout == "" and result.stderr.startswith("pawl: ")
    for word in words:
        assert word in result.stderr.splitlines()[0], result
    assert not (pawl.state / "pawl").exists()


@pytest.mark.parametrize("flag, words", [
    ("--git-gpg-key-import=/x", "sign"), ("--git-signing-key=x", "sign"), ("--git-verify-signatures", "sign"),
    ("--sops", "decrypt"), ("--manifest-generation", "generators"), ("--sync-garbage-collection", "deletes nothing"),
    ("--auth=none", "API"), ("--ssh-keygen-bits=2048", "keys"), ("--connect=ws://x", "no such service"),
    ("--memcached-service=x", "--cache memcached://"), ("--git-sync-tag=x", "sync marker"),
])
@pytest.mark.parametrize("command", ["once", "serve"])
def test_flags_of_flux_that_are_not_there_are_refused_with_the_reason(pawl, command, flag, words):
    result = pawl.expect(2, command, "--git-url", "/no/such", flag)
    assert flag.partition("=")[0] in result.stderr and words in result.stderr, result
    assert not (pawl.state / "pawl").exists()


@pytest.mark.parametrize("flags", [["--k8s-in-cluster"], ["--registry-cache-expiry=1h"], ["--k8s-verbosity", "3"],
                                   ["--kubernetes-kubectl", "/bin/kubectl"]])
def test_flags_of_flux_without_effect_are_taken(site, flags):
    site.start({"README.md": "hello\n"})
    site.pawl.ok("once", *site.options, *flags)


@pytest.mark.parametrize("command", ["check", "sync", "identity", "wait", "install"])
def test_commands_that_are_not_there_yet_are_refused_with_the_reason(pawl, command):
    result = pawl.expect(2, command, "--whatever", "x")
    assert result.stdout == "" and result.stderr.startswith(f"pawl: {command} ")


# The file


@pytest.mark.parametrize("text, place, words", [
    ("git-url: x\ngit-brnch: y\n", "2:1", ['"git-brnch"', '"git-branch"']),
    ("git:\n  url: x\n  brnch: y\n", "3:3", ["git-brnch", "git-branch"]),
    ("git-url: x\ngit-timeout: soon\n", "2:14", ["git-timeout", "soon"]),
    ("git-url: [x, y]\n", "1:10", ["git-url"]),
    ("git-url: x\ngit: {url: y}\n", "2:7", ["git-url", "twice"]),
    ("git-url: x\nsops: true\n", "2:", ["sops", "decrypt"]),
    ("git-url: [x\n", "", ["pawl.yaml:"]),
    ("- a\n- b\n", "1:1", []),
    ("git-url: x\n---\ngit-url: y\n", "", ["more than one document"]),
    ("repositories:\n  - name: x\n", "2", ["url"]),
    ("repositories:\n  - {url: x, brnch: y}\n", "2:14", ["brnch", "branch"]),
    ("repositories: {url: x}\n", "1", ["list"]),
    ("repositories:\n  - url: a/x\n  - url: b/x\n", "", ['"x"']),
    ("repositories:\n  - {url: x, path: [/etc]}\n", "", ["/etc"]),
    ("repositories: []\n", "", ["no repository"]),
])
def test_errors_in_the_file_have_a_place(pawl, tmp_path, text, place, words):
    file = tmp_path / "pawl.yaml"
    file.write_text(text)
    result = pawl.expect(2, "once", "--config", file)
    assert result.stdout == ""
    if place:
        assert f"{file}:{place}" in result.stderr, result
    for word in words:
        assert word in result.stderr, result
    assert not (pawl.state / "pawl").exists()


def test_a_url_and_a_list_exclude_each_other(pawl, tmp_path):
    file = tmp_path / "pawl.yaml"
    file.write_text("repositories:\n  - url: x\n")
    assert "--git-url" in pawl.expect(2, "once", "--config", file, "--git-url", "y").stderr


def test_a_file_with_several_repositories(site, new_repo, tmp_path):
    site.push("app", "1.0.0", "1.1.0")
    text = workload("web", site.image("app", "1.0.0"), policy="semver:1")
    site.start({"web.yaml": text})
    second, third = (new_repo(name, {"deep/web.yaml": text}) for name in ("second", "third"))
    file = tmp_path / "pawl.yaml"
    file.write_text(f"""\
# all that we run
data-dir: {tmp_path}/data
deploy: {{to: none}}
repositories:
  - {{name: one, url: {site.repo.url}, deploy-to: "dir:{tmp_path}/one"}}
  - {{name: gone, url: {tmp_path}/no-such}}
  - {{url: {second.url}, path: [deep]}}
  - {{name: three, url: {third.url}, git-readonly: true}}
""")
    result = site.pawl.expect(1, "once", "--config", file, "-o", "json")
    reports = {report["name"]: report for report in result.json["repositories"]}
    assert list(reports) == ["one", "gone", "second", "three"]
    assert [bool(report["commit"]) for report in reports.values()] == [True, False, True, False]
    assert reports["gone"]["errors"] and reports["three"]["held"]
    assert (tmp_path / "one" / "web.yaml").exists() and (tmp_path / "data").is_dir()
    assert not (site.pawl.state / "pawl").exists()


def test_two_paths_of_one_repository_are_two_repositories(site, tmp_path):
    site.push("app", "1.0.0", "1.1.0")
    site.start({f"{name}/web.yaml": workload(name, site.image("app", "1.0.0"), policy="semver:1")
                for name in ("staging", "prod")})
    file = tmp_path / "pawl.yaml"
    file.write_text(f"""\
repositories:
  - {{name: staging, url: {site.url}, path: [staging], deploy-to: "dir:{tmp_path}/staging"}}
  - {{name: prod, url: {site.url}, path: [prod], deploy-to: "dir:{tmp_path}/prod"}}
""")
    reports = site.pawl.ok("once", "--config", file, "-o", "json").json["repositories"]
    assert [len(report["changes"]) for report in reports] == [1, 1] and len(site.repo.log()) == 3
    for name in ("staging", "prod"):
        assert (tmp_path / name / "web.yaml").read_bytes() == site.repo.read(f"{name}/web.yaml")


# Precedence


def _author(site, *options, **how):
    """The author of the commit of a round with these options."""
    site.once(*options, **how)
    return site.repo.log()[0].author


def test_a_flag_wins_over_the_environment_and_that_over_the_file(site, tmp_path):
    file = tmp_path / "pawl.yaml"
    file.write_text("git:\n  user: from-file\n")
    site.push("app", "1.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    environment = {"PAWL_GIT_USER": "from-environment"}
    for minor, (options, env, expected) in enumerate((
            ([], {}, "pawl"),
            (["--config", file], {}, "from-file"),
            ([], {"PAWL_CONFIG": str(file)}, "from-file"),
            (["--config", file], environment, "from-environment"),
            (["--config", file, "--git-user", "from-flag"], environment, "from-flag"),
            (["--config", file, "--git-user=from-flag"], {}, "from-flag")), 1):
        site.push("app", f"1.{minor}.0")
        assert _author(site, *options, env=env) == expected, (options, env)


def test_lists_are_replaced_and_not_added_to(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({f"{name}/web.yaml": workload(name, site.image("app", "1.0.0"), policy="semver:1") for name in "abc"})
    site.once("--git-path", "a", "--git-path", "b", env={"PAWL_GIT_PATH": "c"})
    assert site.repo.changed_files() == ["a/web.yaml", "b/web.yaml"]
    site.once(env={"PAWL_GIT_PATH": "a,c"})
    assert site.repo.changed_files() == ["c/web.yaml"]


def test_everything_can_come_from_the_environment(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    result = site.pawl.expect(3, "once", env={"PAWL_GIT_URL": site.url, "PAWL_DRY_RUN": "true", "PAWL_OUTPUT": "json",
                                              "PAWL_DEPLOY_TO": "none"})
    assert result.json["repositories"][0]["changes"]


@pytest.mark.parametrize("variable, value, words", [
    ("PAWL_GIT_ULR", "x", ["PAWL_GIT_ULR", "PAWL_GIT_URL"]),
    ("PAWL_FROBNICATE", "x", ["PAWL_FROBNICATE"]),
    ("PAWL_GIT_TIMEOUT", "soon", ["PAWL_GIT_TIMEOUT", "soon"]),
    ("PAWL_SOPS", "true", ["PAWL_SOPS", "decrypt"]),
])
def test_errors_in_the_environment_name_the_variable(pawl, variable, value, words):
    result = pawl.expect(2, "once", "--git-url", "x", env={variable: value})
    for word in words:
        assert word in result.stderr, result


def test_an_empty_variable_is_none(site):
    site.start({"README.md": "hello\n"})
    site.pawl.ok("once", *site.options, env={"PAWL_GIT_BRANCH": "", "PAWL_GIT_TIMEOUT": ""})


def test_no_home_folder_is_needed(site, tmp_path):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    done = subprocess.run([site.pawl.binary, "once", *site.options, "--data-dir", tmp_path / "data"], cwd="/",
                          env={"PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0 and done.stderr == b"" and len(site.repo.log()) == 2


# Secrets

def test_what_pawl_keeps_is_for_its_user_alone(site):
    site.start({"README.md": "hello\n"})
    site.once()
    assert (site.pawl.state / "pawl").stat().st_mode & 0o077 == 0


SECRET = "hunter2-the-secret"


@pytest.mark.parametrize("url", [
    "https://ann:SECRET@127.0.0.1:1/org/gitops.git", "https://SECRET@127.0.0.1:1/org/gitops.git",
    "https://:SECRET@127.0.0.1:1/org/gitops.git", "ssh://ann:SECRET@127.0.0.1:1/org/gitops.git",
    "http://ann:SECRET@no-such-host.invalid/org/gitops.git", "https://ann:SECRET@127.0.0.1:99999/org/gitops.git",
    "ftp://ann:SECRET@127.0.0.1/org/gitops.git", "https://ann:SECRET%2F@127.0.0.1:1/a b.git",
    "https://ann:SEC/SECRET@127.0.0.1:1/x.git",
])
@pytest.mark.parametrize("way", ["flag", "environment", "file"])
def test_a_password_in_a_url_is_never_shown(pawl, tmp_path, url, way):
    url = url.replace("SECRET", SECRET)
    file = tmp_path / "pawl.yaml"
    file.write_text(f"repositories:\n  - url: {url}\n")
    options = {"flag": ["--git-url", url], "environment": [], "file": ["--config", file]}[way]
    env = {"PAWL_GIT_URL": url} if way == "environment" else {}
    for extra in (["-o", "json", "--log-level", "debug"], ["--dry-run", "--git-timeout", "1s"]):
        result = pawl.run("once", *options, *extra, env=env)
        assert result.rc in (1, 2) and SECRET not in result.stdout + result.stderr, result


def test_a_password_in_a_url_is_not_left_on_disk_nor_in_the_log(site, git_https_auth, authority):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0"), policy="semver:1")})
    site.url = git_https_auth.url(site.repo, credentials=True)
    site.pawl.env["GIT_SSL_CAINFO"] = str(authority.ca_file)
    with site.serve("--log-level", "debug") as daemon:
        daemon.wait_until(lambda: len(site.repo.log()) == 2, "the commit")
        daemon.wait_until(lambda: site.applied("web.yaml") is not None, "the apply")
    result = site.pawl.ok("once", *site.options, "--log-level", "debug")
    assert git_https_auth.password not in daemon.process.log() + result.stdout + result.stderr
    for file in (site.pawl.state / "pawl").rglob("*"):
        assert not file.is_file() or git_https_auth.password.encode() not in file.read_bytes(), file
    assert git_https_auth.password not in site.repo.git("log", "--format=fuller", "-p")


def test_a_configuration_file_cannot_be_a_folder_or_huge(pawl, tmp_path):
    assert str(tmp_path) in pawl.expect(2, "once", "--config", tmp_path).stderr
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"# x\n" * 300_000)
    assert "huge.yaml" in pawl.expect(2, "once", "--config", huge).stderr


def test_output_that_cannot_be_written_is_an_error(pawl):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([pawl.binary, "--help"], stdout=full, stderr=subprocess.PIPE, env=pawl.environment(),
                              encoding="utf-8", check=False)
    assert done.returncode == 1 and "standard output" in done.stderr
