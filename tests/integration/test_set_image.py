"""`pawl set-image`: the byte-exact edit on files of a checkout."""

import os

import pytest

from parts.manifests import DOCUMENTS, kind_of, line_of, workload, write_document
from parts.process import run

OLD, NEW = "example.test:5000/team/app:1.0.0", "example.test:5000/team/app:1.10.0"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "manifests"
    made.mkdir()
    return made


def _name(document):
    return f"demo:{kind_of(document).lower()}/{document}"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("new", [NEW, "other.test/name@sha256:" + "0" * 64], ids=["tag", "image"])
def test_only_the_bytes_of_the_image_change(pawl, folder, document, new):
    file = folder / f"{document}.yaml"
    file.write_bytes(write_document(document, OLD))
    result = pawl.ok("set-image", "-f", folder, _name(document), f"app={new}")
    assert file.read_bytes() == write_document(document, new)
    assert OLD in result.stdout and new in result.stdout and str(file) in result.stdout
    assert result.stderr == ""


def test_a_dry_run_prints_a_patch_and_ends_with_3(pawl, folder):
    for document in ("plain", "crlf", "no-final-newline"):
        (folder / f"{document}.yaml").write_bytes(write_document(document, OLD))
        before = (folder / f"{document}.yaml").read_bytes()
        result = pawl.expect(3, "set-image", "-f", ".", _name(document), f"app={NEW}", "--dry-run", cwd=folder)
        assert (folder / f"{document}.yaml").read_bytes() == before
        run(["git", "apply", "--whitespace=nowarn"], cwd=folder, env=pawl.environment(), stdin=result.stdout.encode())
        assert (folder / f"{document}.yaml").read_bytes() == write_document(document, NEW)


def test_nothing_to_change_is_said_and_touches_nothing(pawl, folder):
    file = folder / "plain.yaml"
    file.write_bytes(write_document("plain", OLD))
    os.utime(file, (1, 1))
    for options in ([], ["--dry-run"]):
        result = pawl.ok("set-image", "-f", folder, _name("plain"), f"app={OLD}", *options)
        assert result.stdout == "" and "nothing to change" in result.stderr
    assert file.stat().st_mtime == 1


def test_several_containers_at_once(pawl, folder):
    text = workload("web", OLD) + f"        - name: sidecar\n          image: {OLD}\n"
    (folder / "web.yaml").write_text(text)
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", f"app={NEW}", "sidecar=other:2")
    first, _, second = text.partition(OLD)
    assert (folder / "web.yaml").read_text() == first + NEW + second.replace(OLD, "other:2")


def test_all_or_nothing(pawl, folder):
    text = workload("web", OLD) + f"        - name: sidecar\n          image: {OLD}\n"
    (folder / "web.yaml").write_text(text)
    pawl.expect(1, "set-image", "-f", folder, "demo:deployment/web", f"app={NEW}", "no-such=other:2")
    assert (folder / "web.yaml").read_text() == text


def test_the_same_container_twice_must_agree(pawl, folder):
    (folder / "web.yaml").write_text(workload("web", OLD))
    result = pawl.expect(2, "set-image", "-f", folder, "demo:deployment/web", f"app={NEW}", "app=other:2")
    assert "two images are given for the container app" in result.stderr
    assert (folder / "web.yaml").read_text() == workload("web", OLD)
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", f"app={NEW}", f"app={NEW}")
    assert (folder / "web.yaml").read_text() == workload("web", NEW)


def test_other_files_are_not_touched(pawl, folder):
    (folder / "deep").mkdir()
    (folder / "deep" / "web.yml").write_text(workload("web", OLD))
    for name in ("other.yaml", "notes.txt"):
        (folder / name).write_text(workload("other", OLD))
        os.utime(folder / name, (1, 1))
    (folder / "broken.yaml").write_text("a: [unclosed\n")
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert (folder / "deep" / "web.yml").read_text() == workload("web", NEW)
    assert (folder / "other.yaml").stat().st_mtime == 1 and (folder / "notes.txt").stat().st_mtime == 1
    assert sorted(path.name for path in folder.rglob("*")) == [
        "broken.yaml", "deep", "notes.txt", "other.yaml", "web.yml"]


def test_one_file_and_the_current_folder(pawl, folder):
    (folder / "web.yaml").write_text(workload("web", OLD))
    pawl.ok("set-image", "-f", folder / "web.yaml", "demo:deployment/web", f"app={NEW}")
    assert (folder / "web.yaml").read_text() == workload("web", NEW)
    pawl.ok("set-image", "demo:deployment/web", f"app={OLD}", cwd=folder)
    assert (folder / "web.yaml").read_text() == workload("web", OLD)


def test_a_file_keeps_its_mode(pawl, folder):
    (folder / "web.yaml").write_text(workload("web", OLD))
    (folder / "web.yaml").chmod(0o640)
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert (folder / "web.yaml").stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_file_stays_a_link(pawl, folder):
    real = folder / "real.txt"
    real.write_text(workload("web", OLD))
    (folder / "web.yaml").symlink_to("real.txt")
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert (folder / "web.yaml").is_symlink() and real.read_text() == workload("web", NEW)


@pytest.mark.parametrize("written, given", [
    (None, "deployment/web"), ("default", "deployment/web"), (None, "default:deployment/web"),
    ("demo", "demo:Deployment/web"),
])
def test_namespaces_and_kinds_are_matched(pawl, folder, written, given):
    (folder / "web.yaml").write_text(workload("web", OLD, namespace=written))
    pawl.ok("set-image", "-f", folder, given, f"app={NEW}")
    assert NEW in (folder / "web.yaml").read_text()


def test_the_default_namespace_can_be_named(pawl, folder):
    (folder / "web.yaml").write_text(workload("web", OLD, namespace=None))
    pawl.ok("set-image", "-f", folder, "shop:deployment/web", f"app={NEW}", "--k8s-default-namespace", "shop")
    assert NEW in (folder / "web.yaml").read_text()


def test_an_unknown_workload_names_those_there_are(pawl, folder):
    (folder / "web.yaml").write_text(workload("web", OLD))
    result = pawl.expect(1, "set-image", "-f", folder, "demo:deployment/wbe", f"app={NEW}")
    assert "demo:deployment/wbe" in result.stderr and "demo:deployment/web" in result.stderr


def test_an_unknown_container_names_those_there_are(pawl, folder):
    text = workload("web", OLD)
    (folder / "web.yaml").write_text(text)
    result = pawl.expect(1, "set-image", "-f", folder, "demo:deployment/web", f"ap={NEW}")
    assert '"ap"' in result.stderr and "app" in result.stderr.replace('"ap"', "")
    assert f"{folder / 'web.yaml'}:{line_of(text, 'apiVersion')}" in result.stderr


def test_a_workload_that_is_defined_twice_is_not_edited(pawl, folder):
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_text(workload("web", OLD))
    result = pawl.expect(1, "set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert "one.yaml" in result.stderr and "two.yaml" in result.stderr
    assert (folder / "one.yaml").read_text() == (folder / "two.yaml").read_text() == workload("web", OLD)


@pytest.mark.parametrize("arguments", [
    [], ["demo:deployment/web"], ["demo:deployment/web", "app"], ["demo:deployment/web", "app="],
    ["demo:deployment/web", f"={NEW}"], ["demo:deployment/web", "app=Not An Image"],
    ["demo:deployment/web", "app=a:b:c"], ["not a workload", f"app={NEW}"], ["a/b/c", f"app={NEW}"],
])
def test_what_cannot_be_read_is_wrong_usage(pawl, folder, arguments):
    (folder / "web.yaml").write_text(workload("web", OLD))
    result = pawl.expect(2, "set-image", "-f", folder, *arguments)
    assert result.stdout == "" and result.stderr.startswith("pawl: ")
    assert (folder / "web.yaml").read_text() == workload("web", OLD)


def test_a_path_that_is_not_there(pawl, folder):
    result = pawl.expect(1, "set-image", "-f", folder / "no-such", "demo:deployment/web", f"app={NEW}")
    assert str(folder / "no-such") in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_tag_that_cannot_be_set_by_its_bytes_alone_is_refused(pawl, folder):
    text = workload("web", f'"{OLD}"'.replace("1.0.0", "1\\x2e0.0"))
    (folder / "web.yaml").write_text(text)
    result = pawl.expect(1, "set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert "escapes" in result.stderr and (folder / "web.yaml").read_text() == text


def test_escapes_before_the_tag_stay(pawl, folder):
    text = workload("web", f'"{OLD}"'.replace("/", "\\/"))
    (folder / "web.yaml").write_text(text)
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert (folder / "web.yaml").read_text() == text.replace(OLD.split(":")[-1], NEW.split(":")[-1])


def test_a_workload_in_a_file_that_cannot_be_read_is_said_to_be_there(pawl, folder):
    text = workload("web", OLD) + "broken: [\n"
    (folder / "web.yaml").write_text(text)
    result = pawl.expect(1, "set-image", "-f", folder, "demo:deployment/web", f"app={NEW}")
    assert "it may be in" in result.stderr and "web.yaml, which cannot be read: line " in result.stderr
    assert (folder / "web.yaml").read_text() == text


def test_an_image_that_yaml_would_read_as_a_number_gets_quotes(pawl, folder):
    (folder / "web.yaml").write_text(workload("web", OLD))
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", "app=123")
    assert (folder / "web.yaml").read_text() == workload("web", '"123"')
    (folder / "web.yaml").write_text(workload("web", f'"{OLD}"'))
    pawl.ok("set-image", "-f", folder, "demo:deployment/web", "app=123")
    assert (folder / "web.yaml").read_text() == workload("web", '"123"')
