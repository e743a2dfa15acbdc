"""The directory target: the files of a commit, for programs that watch a folder."""

import os

import pytest

from parts.manifests import config_map, workload, write_document


def _all(target):
    return sorted(str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir())


def test_the_layout_begins_at_the_one_path(site):
    site.start({"releases/staging/a/one.yaml": config_map("one"), "releases/staging/two.yml": config_map("two"),
                "releases/prod/three.yaml": config_map("three")})
    assert site.once("--git-path", "releases/staging")["applied"]["created"] == 2
    assert _all(site.target) == ["a/one.yaml", "two.yml"]


def test_the_layout_is_the_repositorys_without_a_path_or_with_several(site):
    site.start({"a/one.yaml": config_map("one"), "b/two.yaml": config_map("two"), "c/three.yaml": config_map("three")})
    site.once()
    assert _all(site.target) == ["a/one.yaml", "b/two.yaml", "c/three.yaml"]
    site.deploy_to = f"dir:{site.target}-2"
    site.once("--git-path", "a", "--git-path", "b")
    assert _all(site.target.with_name("target-2")) == ["a/one.yaml", "b/two.yaml"]


@pytest.mark.parametrize("document", ["crlf", "no-final-newline", "text-before", "several-documents",
                                      "byte-order-mark"])
def test_files_are_written_byte_for_byte(site, document):
    content = write_document(document, "example.test/app:1").replace(b'automated: "true"', b'automated: "false"')
    site.start({"file.yaml": content})
    site.once()
    assert site.applied("file.yaml") == content


def test_only_files_with_objects_are_written(site):
    site.start({"object.yaml": config_map("one"), "values.yaml": "a: 1\n", "empty.yaml": "# nothing\n",
                "README.md": "hello\n", "kustomization.yaml":
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [object.yaml]\n"})
    site.once()
    assert _all(site.target) == ["object.yaml"]


def test_what_has_not_changed_is_not_written_again(site):
    site.push("app", "1.0.0", "1.1.0")
    site.start({"web.yaml": workload("web", site.image("app", "1.0.0")), "same.yaml": config_map("same")})
    site.once("--git-readonly")
    os.utime(site.target / "same.yaml", (1, 1))
    before = {path: os.stat(site.target / path) for path in ("web.yaml", "same.yaml")}
    applied = site.once()["applied"]
    assert (applied["created"], applied["configured"], applied["unchanged"]) == (0, 1, 1)
    after = {path: os.stat(site.target / path) for path in before}
    assert (after["same.yaml"].st_ino, after["same.yaml"].st_mtime) == (before["same.yaml"].st_ino, 1)
    assert after["web.yaml"].st_ino != before["web.yaml"].st_ino  # replaced in one step, by a rename


def test_files_of_others_and_files_gone_from_git_stay(site):
    site.target.mkdir()
    (site.target / "mine.yaml").write_text("by hand\n")
    site.start({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    site.once()
    site.repo.commit({"two.yaml": None})
    assert site.once()["applied"]["deleted"] == 0
    assert _all(site.target) == ["mine.yaml", "one.yaml", "two.yaml"]


def test_a_broken_file_keeps_its_former_version(site):
    site.start({"good.yaml": config_map("good"), "other.yaml": config_map("other", a="1")})
    site.once()
    former = site.applied("good.yaml")
    site.repo.commit({"good.yaml": config_map("good") + "  b: [unclosed\n", "other.yaml": config_map("other", a="2")})
    result = site.pawl.run("once", *site.options, "-o", "json")
    report = result.json["repositories"][0]
    assert site.applied("good.yaml") == former and site.applied("other.yaml") == site.repo.read("other.yaml")
    assert report["applied"]["configured"] == 1
    assert {error["file"] for error in report["errors"]} == {"good.yaml"}


def test_an_object_that_is_defined_twice_is_not_written(site):
    site.start({"one.yaml": config_map("same", a="1"), "two.yaml": config_map("same", a="2"),
                "other.yaml": config_map("other")})
    report = site.once()
    assert _all(site.target) == ["other.yaml"] and report["applied"]["skipped"] == 2
    assert "defined more than once" in site.result.stderr


def test_an_ignored_object_is_left_out_with_its_document_alone(site):
    ignored = config_map("ignored").replace("metadata:\n", "metadata:\n  annotations: {fluxcd.io/ignore: 'true'}\n")
    one, two = config_map("one"), config_map("two")
    site.start({"all.yaml": f"{one}---\n{ignored}---\n{two}"})
    site.once()
    text = site.applied("all.yaml").decode()
    assert one in text and two in text and "ignored" not in text


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_in_the_target_is_not_followed(site, tmp_path, what):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "web.yaml").write_text("not ours\n")
    site.target.mkdir()
    if what == "folder":
        (site.target / "linked").symlink_to(outside)
    else:
        (site.target / "linked").mkdir()
        (site.target / "linked" / "web.yaml").symlink_to(outside / "web.yaml")
    site.start({"linked/web.yaml": config_map("web"), "other.yaml": config_map("other")})
    report = site.once(rc=1)
    assert (outside / "web.yaml").read_text() == "not ours\n" and _all(outside) == ["web.yaml"]
    assert report["applied"]["failed"] == 1 and site.applied("other.yaml") is not None
    assert "link" in site.result.stderr and str(site.target) in site.result.stderr


def test_a_link_in_git_is_passed_over(site):
    site.start({"one.yaml": config_map("one")})
    blob = site.repo.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd").strip()
    tree = site.repo.git("ls-tree", "main") + f"120000 blob {blob}\tlink.yaml\n"
    tree = site.repo.git("mktree", stdin=tree.encode()).strip()
    commit = site.repo.git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit-tree", tree, "-p", "main",
                           "-m", "a link").strip()
    site.repo.git("update-ref", "refs/heads/main", commit)
    assert site.once()["head"] == commit
    assert _all(site.target) == ["one.yaml"]


@pytest.mark.parametrize("obstacle", ["a file where the folder should be", "a folder where the file should be",
                                      "the target is a file"])
def test_a_target_that_cannot_be_written_is_named(site, obstacle):
    site.start({"a/one.yaml": config_map("one")})
    where = {"a file where the folder should be": site.target / "a",
             "a folder where the file should be": site.target / "a" / "one.yaml",
             "the target is a file": site.target}[obstacle]
    where.parent.mkdir(parents=True, exist_ok=True)
    if obstacle == "a folder where the file should be":
        where.mkdir()
    else:
        where.write_text("in the way\n")
    site.once(rc=1)
    assert str(where) in site.result.stderr and len(site.result.stderr.splitlines()) == 1, site.result


def test_a_target_on_a_read_only_file_system_is_named(site):
    site.start({"one.yaml": config_map("one")})
    site.deploy_to = "dir:/proc/pawl"
    site.once(rc=1)
    assert "/proc/pawl" in site.result.stderr and len(site.result.stderr.splitlines()) == 1, site.result


def test_what_a_killed_run_left_is_swept(site):
    site.start({"one.yaml": config_map("one")})
    site.target.mkdir()
    (site.target / ".pawl-0123456789abcdef").write_text("half a fi")
    (site.target / ".pawl-of-a-person").write_text("kept")
    site.once()
    assert _all(site.target) == [".pawl-of-a-person", "one.yaml"]


@pytest.mark.parametrize("target", ["dir:", "moon", "dri:/x", "kubernetes:"])
def test_a_target_that_there_is_not_is_refused(site, target):
    site.deploy_to = target
    result = site.pawl.expect(2, "once", *site.options)
    assert target in result.stderr or "--deploy-to" in result.stderr
    assert not (site.pawl.state / "pawl" / "git").exists() or site.repo.sha() is None


def test_without_a_target_nothing_is_applied(site):
    site.start({"one.yaml": config_map("one")})
    site.deploy_to = "none"
    report = site.once()
    assert report["applied"] == {**report["applied"], "created": 0, "unchanged": 0}
    assert site.pawl.ok("once", "--git-url", site.url).rc == 0  # auto: there is no kubeconfig in this home
