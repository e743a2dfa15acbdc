"""`pawl release`: images that a person wants, as one commit."""

import base64
import contextlib
import json
import os
import pty
import subprocess
import time

import pytest

from parts.manifests import workload
from parts.site import Site

WEB, API, DB = "demo:deployment/web", "demo:deployment/api", "demo:deployment/db"


def _release(site, *options, rc=0):
    return site.pawl.expect(rc, "release", "--git-url", site.url, "-n", "demo", *options)


def _results(site, *options, rc=0):
    """Status, message and updates by workload."""
    answer = _release(site, "-o", "json", *options, rc=rc).json
    return {name: (each["Status"], each.get("Error"), [(update["Container"], update["Current"], update["Target"])
                                                       for update in each["PerContainer"] or []])
            for name, each in answer.items()}


def _fill(site, **annotations):
    """Two workloads of one image and one of another; by hand, none is automated."""
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    site.push("db", "9.0", "9.1")
    files = {f"{name}.yaml": workload(name, site.image(image, tag), automated=False, policy=policy,
                                      annotations=annotations.get(name))
             for name, image, tag, policy in (("web", "app", "1.0.0", "semver:1"), ("api", "app", "1.0.0", "semver:*"),
                                              ("db", "db", "9.0", None))}
    site.start(files)
    return files


def test_one_image_goes_to_all_containers_of_its_repository(site):
    files = _fill(site)
    image = site.image("app", "1.1.0")
    site.registry.reset_requests()
    results = _results(site, "--all", "--update-image", image)
    assert results == {
        WEB: ("success", None, [("app", site.image("app", "1.0.0"), image)]),
        API: ("success", None, [("app", site.image("app", "1.0.0"), image)]),
        DB: ("ignored", "a different image", [])}
    asked = [(request.method, request.path) for request in site.registry.requests("/v2/app/")]
    assert asked == [("HEAD", "/v2/app/manifests/1.1.0")]
    assert len(site.repo.log()) == 2
    assert site.repo.log()[0].subject == f"Release {image} to all" and site.repo.log()[0].body.strip() == ""
    assert site.repo.read("web.yaml") == files["web.yaml"].replace("1.0.0", "1.1.0").encode()
    assert sorted(site.repo.changed_files()) == ["api.yaml", "web.yaml"]


def test_one_workload_of_several_and_the_table(site):
    _fill(site)
    image = site.image("app", "1.1.0")
    done = _release(site, "--workload", "deployment/web", "-i", image)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["WORKLOAD", "STATUS", "UPDATES"],
        [WEB, "success", "app:", site.image("app", "1.0.0"), "->", "1.1.0"]]
    assert f"Commit pushed:\t{site.repo.sha()[:7]}" in done.stderr
    assert site.repo.changed_files() == ["web.yaml"]
    assert site.repo.log()[0].subject == f"Release {image} to {WEB}"
    # Once more there is nothing to do.
    again = _release(site, "--workload", "deployment/web", "-i", image)
    assert "image(s) up to date" in again.stdout and "Nothing to do" in again.stderr
    assert len(site.repo.log()) == 2


def test_all_latest_takes_what_each_policy_takes(site):
    _fill(site)
    results = _results(site, "--all", "--update-all-images", "--exclude", "deployment/db")
    assert results[WEB] == ("success", None, [("app", site.image("app", "1.0.0"), site.image("app", "1.1.0"))])
    assert results[API] == ("success", None, [("app", site.image("app", "1.0.0"), site.image("app", "2.0.0"))])
    assert results[DB] == ("ignored", "excluded", [])
    assert site.repo.log()[0].subject == "Release all latest to all"
    assert _results(site, "--all", "--update-all-images")[WEB] == ("skipped", "image(s) up to date", [])
    assert site.repo.read("db.yaml").decode().count(site.image("db", "9.1")) == 1  # not excluded any more


def test_all_latest_goes_back_where_a_round_would_not(site):
    # Newest by date is the lower version: automation holds, a person may.
    site.push("app", "1.1.0", "1.0.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.1.0"))})
    assert [held["cause"] for held in site.once()["held"]] == ["step-back"]
    assert _results(site, "--all", "--update-all-images")[WEB][2] == [
        ("app", site.image("app", "1.1.0"), site.image("app", "1.0.0"))]


@pytest.mark.parametrize("key, reason", [("fluxcd.io/locked", "locked"), ("fluxcd.io/ignore", "ignore")])
def test_locks_hold_unless_forced_by_name(site, key, reason):
    _fill(site, web={key: "true"})
    image = site.image("app", "1.1.0")
    assert _results(site, "--workload", WEB, "-i", image)[WEB] == ("skipped", reason, [])
    forced = _release(site, "--all", "--force", "-i", image, "--exclude", API)
    assert "--force breaks no locks" in forced.stderr
    assert len(site.repo.log()) == 1
    assert _results(site, "--workload", WEB, "-i", image, "--force")[WEB][0] == "success"
    assert len(site.repo.log()) == 2


def test_a_tag_that_the_policy_leaves_out_needs_force(site):
    _fill(site)
    image = site.image("app", "2.0.0")
    status, why, _ = _results(site, "--workload", WEB, "-i", image)[WEB]
    assert status == "skipped" and why.startswith("cannot find one or more images: app: 2.0.0 does not match semver:1")
    assert _results(site, "--workload", WEB, "-i", image, "--force")[WEB][0] == "success"


def test_an_image_that_does_not_exist_is_not_released(site):
    _fill(site)
    for tag, words in (("7.7.7", "does not exist"),):
        done = _release(site, "--all", "--force", "-i", site.image("app", tag), rc=1)
        assert f'image "{site.image("app", tag)}" {words}' in done.stderr
    site.registry.stop()
    done = _release(site, "--all", "-i", site.image("app", "1.1.0"), rc=1)
    assert "cannot see whether the image" in done.stderr and "does not exist" not in done.stderr
    done = _release(site, "--workload", WEB, "--update-all-images", "-o", "json", rc=1)
    assert done.json[WEB]["Status"] == "skipped"
    assert done.json[WEB]["Error"].startswith("cannot find one or more images: app: blocked: no tags are known")
    assert site.registry.host in done.stderr and "Nothing to do" not in done.stderr
    assert len(site.repo.log()) == 1


def test_looking_at_one_tag_leaves_no_list_in_the_cache(site):
    _fill(site)
    _release(site, "--workload", WEB, "-i", site.image("app", "1.1.0"))
    assert site.pawl.expect(0, "cache", "ls", "-o", "name").stdout == ""
    # Where there is a list, the tag is put into it.
    _release(site, "--workload", WEB, "--update-all-images")
    _release(site, "--workload", WEB, "-i", site.image("app", "1.0.0"))
    listed = site.pawl.expect(0, "cache", "inspect", f"{site.registry.host}/app", "-o", "name").stdout
    assert all(tag in listed for tag in ("1.0.0", "1.1.0", "2.0.0"))


def test_containers_by_name(site):
    _fill(site, web={"fluxcd.io/tag.app": "semver:1"})
    site.registry.stop()  # nobody is asked
    target = "elsewhere.test/app:7"
    assert _results(site, "--workload", WEB, "--set", f"app={target}", "--set", "side=a:1", rc=1)[WEB] == (
        "failed", "container(s) not found: side", [])
    assert len(site.repo.log()) == 1
    assert _results(site, "--workload", WEB, "--set", f"app={target}")[WEB][0] == "success"
    assert site.repo.log()[0].subject == f"Update image refs in {WEB}"
    assert site.repo.log()[0].body.strip() == f"{WEB}\n- {target}"
    assert _results(site, "--workload", WEB, "--set", f"app={target}")[WEB] == ("skipped", "image(s) up to date", [])


def test_what_is_not_there_is_said(site):
    _fill(site)
    for dry_run in ([], ["--dry-run"]):
        done = _release(site, "--workload", "deployment/wweb", "--update-all-images", *dry_run, rc=1)
        assert "demo:deployment/wweb" in done.stdout
        assert "not found in repository; did you mean demo:deployment/web?" in done.stdout
        assert "Nothing to do" not in done.stderr
    site.repo.commit({"worker.yaml": "kind: [\n"})
    assert "(worker.yaml:" in _release(site, "--workload", "deployment/worker", "--update-all-images", rc=1).stdout
    assert len(site.repo.log()) == 2


def test_what_is_there_is_released_and_the_exit_code_is_for_the_rest(site):
    _fill(site)
    results = _results(site, "--workload", f"{WEB},demo:deployment/wweb", "--update-all-images", rc=1)
    assert results[WEB][0] == "success" and results["demo:deployment/wweb"][0] == "skipped"
    assert len(site.repo.log()) == 2


def test_an_answer_of_a_registry_that_failed_is_said_beside_a_release(site):
    files = _fill(site)
    site.repo.commit({"api.yaml": files["api.yaml"].replace(site.registry.host, "127.0.0.1:1")})
    done = _release(site, "--all", "--update-all-images", "-o", "json", rc=1)
    assert done.json[WEB]["Status"] == "success" and done.json[API]["Status"] == "skipped"
    assert "127.0.0.1:1/app" in done.stderr and len(site.repo.log()) == 3


def test_an_exclude_that_excludes_nothing_is_said(site):
    _fill(site)
    results = _results(site, "--all", "--update-all-images", "--exclude", "demo:deployment/wweb", "--dry-run", rc=3)
    assert results["demo:deployment/wweb"] == (
        "ignored", "excluded; not found in repository; did you mean demo:deployment/web?", [])
    assert "wweb" in _release(site, "--all", "--update-all-images", "--exclude", "deployment/wweb").stdout


def test_an_image_that_nobody_has_is_said(site):
    _fill(site)
    site.push("other", "1.0.0")
    assert "does not exist" in _release(site, "--all", "-i", site.image("othr", "1.0.0"), rc=1).stderr
    assert "Nothing to do; 3 were not meant, -vv shows why" in _release(site, "--all", "-i", site.image("other", "1.0.0")).stderr


def test_what_was_named_is_shown_whatever_comes_of_it(site):
    _fill(site, db={"fluxcd.io/locked": "true"})
    done = _release(site, "--workload", "deployment/db", "-i", site.image("app", "1.1.0"))
    assert [line.split(None, 2) for line in done.stdout.splitlines()[1:]] == [[DB, "ignored", "a different image"]]
    done = _release(site, "--all", "-i", site.image("db", "9.1"))
    assert done.stdout == "" and "Nothing to do; 1 skipped, -v shows why" in done.stderr
    assert "locked" in _release(site, "--all", "-i", site.image("db", "9.1"), "-v").stdout


# Kustomizations


STAGING, PRODUCTION = "default:kustomization/staging", "default:kustomization/production"


def _fill_overlays(site, *, kustomization="", **how):
    """A base whose workload decides for two overlays; `kustomization` are annotations of the first."""
    site.push("app", "1.0.0", "1.1.0", "2.0.0")
    base = workload("web", site.image("app", "1.0.0"), **{"policy": "semver:1", **how})
    files = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": base}
    for name, annotations in (("staging", kustomization), ("production", "")):
        files[f"{name}/kustomization.yaml"] = (
            f"metadata: {{annotations: {{{annotations}}}}}\n" * bool(annotations) + "resources: [../base]\n"
            f"images:\n- name: {site.registry.host}/app\n  newTag: 1.0.0\n- name: other.test/x\n  newTag: '1'\n")
    site.start(files)
    return files


@pytest.mark.parametrize("automated", [True, False])
@pytest.mark.parametrize("what", [["--update-all-images", "--registry-exclude-image", "other.test/*"], ["-i", "1.1.0"]])
def test_an_entry_of_a_kustomization_has_the_policy_that_rounds_go_by(site, what, automated):
    files = _fill_overlays(site, automated=automated)
    what = [site.image("app", word) if word == "1.1.0" else word for word in what]
    results = _results(site, "--all", *what)
    expected = ("success", None, [(f"{site.registry.host}/app".rpartition("/")[2], site.image("app", "1.0.0"), site.image("app", "1.1.0"))])
    assert results[STAGING] == results[PRODUCTION] == expected
    assert results[WEB][0] == "skipped" and "overridden by the kustomization's entry in production/" in results[WEB][1]
    assert site.repo.read("base/web.yaml").decode() == files["base/web.yaml"]
    assert site.repo.read("staging/kustomization.yaml").decode() == files["staging/kustomization.yaml"].replace("1.0.0", "1.1.0")
    status, why, _ = _results(site, "--all", "-i", site.image("app", "2.0.0"))[STAGING]
    assert status == "skipped" and "2.0.0 does not match semver:1" in why


def test_a_lock_of_the_workload_holds_the_entries_that_replace_its_images(site):
    _fill_overlays(site, automated=False, policy=None, annotations={"fluxcd.io/locked": "true"})
    assert _results(site, "--workload", STAGING, "-i", site.image("app", "1.1.0"))[STAGING] == ("skipped", "locked", [])
    set_it = ["--set", f"app={site.image('app', '1.1.0')}"]
    assert _results(site, "--workload", STAGING, *set_it)[STAGING] == ("skipped", "locked", [])
    assert _results(site, "--workload", STAGING, "--set", "x=other.test/x:2")[STAGING][0] == "success"
    assert _results(site, "--workload", STAGING, *set_it, "--force")[STAGING][0] == "success"
    rolled_back = site.pawl.ok("rollback", STAGING, "--git-url", site.url)
    assert "locked; --force rolls back all the same" in rolled_back.stdout
    site.pawl.ok("rollback", STAGING, "--git-url", site.url, "--force")


def test_a_lock_of_the_kustomization_holds_its_entries(site):
    _fill_overlays(site)
    site.pawl.ok("lock", "--git-url", site.url, "-w", STAGING, "-m", "freeze", "--user", "jane")
    assert _results(site, "--workload", STAGING, "-i", site.image("app", "1.1.0"))[STAGING] == ("skipped", "locked", [])
    report = site.once()
    assert [change["workload"] for change in report["changes"]] == [PRODUCTION]
    (held,) = [each for each in report["held"] if each["workload"] == STAGING]
    assert held["cause"] == "locked" and "jane" in held["reason"]
    site.pawl.ok("unlock", "--git-url", site.url, "-w", STAGING)
    assert [change["workload"] for change in site.once()["changes"]] == [STAGING]


def test_what_cannot_be_read_is_said_with_its_place(site):
    files = _fill(site)
    site.repo.commit({"web.yaml": files["web.yaml"].replace("    fluxcd.io/tag.app", "    pawl.dev/tgs: x\n    fluxcd.io/tag.app"),
                      "api.yaml": files["api.yaml"] + "---\n" + files["api.yaml"]})
    results = _results(site, "--all", "--force", "-i", site.image("app", "1.1.0"))
    assert results[WEB][0] == "skipped" and results[WEB][1].startswith("web.yaml:") and "pawl.dev/tgs" in results[WEB][1]
    assert results[API][0] == "skipped" and results[API][1] == "api.yaml:1: it is defined more than once"
    assert len(site.repo.log()) == 2


def test_a_private_registry_is_asked_with_its_log_in(pawl, registry_basic, new_repo, tmp_path):
    site = Site(pawl, registry_basic, new_repo(), tmp_path / "target")
    _fill(site)
    image = site.image("app", "1.1.0")
    refused = _release(site, "--workload", WEB, "-i", image, rc=1)
    assert "cannot see whether the image" in refused.stderr and len(site.repo.log()) == 1
    auth = base64.b64encode(f"{registry_basic.user}:{registry_basic.password}".encode()).decode()
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {registry_basic.host: {"auth": auth}}}))
    assert _results(site, "--workload", WEB, "-i", image, "--docker-config", config)[WEB][0] == "success"


def test_a_pinned_container_stays_pinned(site):
    site.push("app", "1.0.0", "1.1.0")
    old, new = site.registry.digest("app", "1.0.0"), site.registry.digest("app", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0") + f"@{old}", automated=False)})
    _release(site, "--all", "-i", site.image("app", "1.1.0"))
    assert site.image("app", "1.1.0") + f"@{new}" in site.repo.read("web.yaml").decode()


def test_all_latest_asks_what_its_candidates_need(site):
    """Digests and platforms are asked of candidates alone; images that a round would call old enough are so here."""
    site.push("app", "1.0.0", "1.1.0")
    wanted = {"pinned": {"pawl.dev/digest": "pin"}, "both": {"pawl.dev/platforms": "linux/amd64"},
              "old": {"pawl.dev/min-age": "1h"}, "elsewhere": {"pawl.dev/platforms": "linux/riscv64"}}
    site.start({f"{name}.yaml": workload(name, site.image("app", "1.0.0"), policy="glob:1.*", annotations=annotations)
                for name, annotations in wanted.items()})
    results = _results(site, "--all", "--update-all-images")
    new = site.image("app", "1.1.0")
    assert results["demo:deployment/pinned"][2][0][2] == f"{new}@{site.registry.digest('app', '1.1.0')}"
    assert results["demo:deployment/both"][2][0][2] == new
    assert results["demo:deployment/old"][2][0][2] == new
    assert results["demo:deployment/elsewhere"][0] == "skipped"


def test_a_dry_run_shows_the_diff_and_pushes_nothing(site):
    _fill(site)
    done = _release(site, "--workload", WEB, "-i", site.image("app", "1.1.0"), "--dry-run", rc=3)
    assert "+          image: " + site.image("app", "1.1.0") in done.stdout and "--- a/web.yaml" in done.stdout
    assert len(site.repo.log()) == 1
    _release(site, "--workload", WEB, "-i", site.image("app", "1.0.0"), "--dry-run", rc=0)


def test_a_push_that_is_overtaken_is_decided_again(site):
    files = _fill(site)
    site.repo.overtake_next_push({"web.yaml": "# first\n" + files["web.yaml"]})
    assert _results(site, "--workload", WEB, "-i", site.image("app", "1.1.0"))[WEB][0] == "success"
    assert site.repo.read("web.yaml").decode() == "# first\n" + files["web.yaml"].replace("1.0.0", "1.1.0")
    assert len(site.repo.log()) == 3


def test_a_lock_that_came_first_holds(site):
    files = _fill(site)
    locked = workload("web", site.image("app", "1.0.0"), annotations={"fluxcd.io/locked": "true"})
    site.repo.overtake_next_push({"web.yaml": locked})
    assert _results(site, "--workload", WEB, "-i", site.image("app", "1.1.0"))[WEB] == ("skipped", "locked", [])
    assert site.repo.read("web.yaml").decode() == locked != files["web.yaml"] and len(site.repo.log()) == 2


def test_a_message_is_taken_word_for_word(site):
    _fill(site)
    _release(site, "--workload", WEB, "-i", site.image("app", "1.1.0"), "-m", "because: 100 % sure")
    assert site.repo.log()[0].subject == "because: 100 % sure"


@pytest.mark.parametrize("options, words", [
    (["--all"], "please supply exactly one of --update-image=<image>, --update-all-images"),
    (["--all", "-i", "a:1", "--update-all-images"], "please supply only one of --update-image=<image>"),
    (["-i", "a:1"], "please supply either --all, or at least one --workload=<workload>"),
    (["--all", "--workload", WEB, "-i", "a:1"], "please supply only one of --all and --workload"),
    (["--all", "--update-all-images", "--force"], "--force has no effect"),
    (["--all", "-i", "team/app"], "blank tag (if you want latest, explicitly state the tag :latest)"),
    (["--all", "-i", "team/app:1@sha256:" + "0" * 64], "leave the digest out"),
    (["--all", "-i", "BAD NAME"], "BAD NAME"),
    (["--all", "--set", "app=a:1"], "--set needs one --workload"),
    (["--workload", WEB, "--set", "app"], "CONTAINER=IMAGE"),
    (["--workload", WEB, "--set", "app=a:1", "--set", "app=a:2"], "two images are given"),
    (["--workload", "a/b/c", "-i", "a:1"], "a/b/c"),
    (["--all", "-i", "a:1", "--interactive", "--dry-run"], "--dry-run"),
    (["--all", "-i", "a:1", "-w"], "kubectl rollout status"),
])
def test_what_does_not_go_together_is_wrong_usage(site, options, words):
    _fill(site)
    assert words in _release(site, *options, rc=2).stderr
    assert len(site.repo.log()) == 1


@pytest.mark.parametrize("options, author", [
    (["--user", "Jane Doe <jane@example.org>"], ("pawl", "pawl@localhost")),
    (["--user", "Jane Doe <jane@example.org>", "--git-set-author"], ("Jane Doe", "jane@example.org")),
    (["--git-set-author"], ("pawl", "pawl@localhost")),  # nobody says who asks
])
def test_who_asks_is_the_author_where_that_is_wanted(site, options, author):
    _fill(site)
    _release(site, "--workload", WEB, "-i", site.image("app", "1.1.0"), *options)
    assert (site.repo.log()[0].author, site.repo.log()[0].email) == author
    assert site.repo.git("log", "-1", "--format=%cn %ce").strip() == "pawl pawl@localhost"


# --interactive


class _Terminal:
    """pawl on a terminal of its own: `type` keys, `wait_for` text, and at the end its exit code."""

    def __init__(self, site, *options):
        self.patience = 20 * site.pawl.patience
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen(
            [site.pawl.binary, "release", "--git-url", site.url, "-n", "demo", "--interactive", *options],
            stdin=slave, stdout=slave, stderr=slave, env=site.pawl.environment(), cwd=site.pawl.home, start_new_session=True)
        os.close(slave)
        self.seen = ""

    def _read(self):
        with contextlib.suppress(OSError):  # the other end is closed
            self.seen += os.read(self.master, 65536).decode()
            return True
        return False

    def wait_for(self, text):
        end = time.monotonic() + self.patience
        while text not in self.seen:
            assert time.monotonic() < end and self._read(), f"{text!r} is not in {self.seen!r}"
        return self

    def type(self, keys):
        os.write(self.master, keys.encode())
        return self

    def end(self):
        while self._read():
            pass
        os.close(self.master)
        return self.child.wait(timeout=self.patience)


def test_picked_updates_are_released(site):
    _fill(site)
    terminal = _Terminal(site, "--all", "--update-all-images")
    terminal.wait_for("⇒ ◉ demo:deployment/api").type("\x1b[B ").wait_for("⇒ ◯ demo:deployment/db").type("\r")
    terminal.wait_for("Submitting selected release").wait_for("Commit pushed:")
    assert terminal.end() == 0
    assert sorted(site.repo.changed_files()) == ["api.yaml", "web.yaml"]
    assert site.repo.log()[0].subject == f"Update image refs in {API}, {WEB}"


@pytest.mark.parametrize("keys", ["q", "\x1b", "\x03", " j j \r"])
def test_a_menu_that_is_left_releases_nothing(site, keys):
    _fill(site)
    terminal = _Terminal(site, "--all", "--update-all-images")
    terminal.wait_for("⇒ ◉").type(keys).wait_for("Aborted.")
    assert terminal.end() == 0 and len(site.repo.log()) == 1


def test_what_changed_while_somebody_picked_is_not_overwritten(site):
    files = _fill(site)
    terminal = _Terminal(site, "--workload", WEB, "--update-all-images").wait_for("⇒ ◉")
    site.repo.commit({"web.yaml": files["web.yaml"].replace("1.0.0", "2.0.0")}, "by hand")
    terminal.type("\r").wait_for("container(s) tag mismatch: app")
    assert terminal.end() == 1 and len(site.repo.log()) == 2


def test_interactive_without_changes_or_without_a_terminal(site):
    _fill(site)
    terminal = _Terminal(site, "--workload", WEB, "-i", site.image("app", "1.0.0")).wait_for("No changes found.")
    assert terminal.end() == 0
    terminal = _Terminal(site, "--workload", "deployment/wweb", "-i", site.image("app", "1.0.0"))
    assert terminal.wait_for("did you mean demo:deployment/web?").wait_for("No changes found.").end() == 1
    options = ("--all", "--update-all-images", "--interactive")
    assert "needs a terminal" in _release(site, *options, rc=2).stderr
    assert "--dry-run" in _release(site, *options, "--dry-run", rc=2).stderr
    assert len(site.repo.log()) == 1
