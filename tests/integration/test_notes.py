"""Git notes, and one commit for each workload."""

import hashlib
import json
import pathlib
import time

import pytest

from parts.manifests import workload
from parts.process import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = "web.yaml"
ID = "demo:deployment/web"
NOTES = "refs/notes/flux"


@pytest.fixture
def web(site):
    site.push("team/web", "1.0.0", "1.1.0")
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1")})
    return site


def note(site, commit=None, ref="flux"):
    return json.loads(site.repo.git("notes", "--ref", ref, "show", commit or site.repo.sha()))


def test_a_round_leaves_the_note_of_flux_and_its_reasons(web):
    site = web
    report = site.once()
    got = note(site, report["commit"])
    old, new = site.image("team/web", "1.0.0"), site.image("team/web", "1.1.0")
    assert set(got) == {"jobID", "spec", "result", "pawl"} and len(got["jobID"]) == 36
    assert got["spec"] == {"type": "auto", "cause": {"Message": "", "User": ""}, "spec": {
        "Changes": [{"WorkloadID": ID, "Container": {"Name": "app", "Image": old}, "ImageID": new}]}}
    assert got["result"] == {ID: {"Status": "success", "PerContainer": [
        {"Container": "app", "Current": old, "Target": new}]}}
    (decision,) = got["pawl"]["decisions"]
    expected = {"workload": ID, "container": "app", "from": old, "to": new, "reason": report["changes"][0]["reason"],
                "decision": "update", "candidate": "1.1.0", "rejected": {}, "tags_seen": 2}
    assert {key: decision[key] for key in expected} == expected
    assert not {"budget", "next_scan"} & set(decision)
    log = site.pawl.ok("history", ID, "--git-url", site.url, "-o", "json").json
    assert log["commits"][0]["changes"][0]["reason"] == report["changes"][0]["reason"]


def test_notes_of_rounds_and_jobs_gather_in_one_ref(web):
    site = web
    first = site.once()["commit"]
    site.pawl.ok("rollback", ID, "--git-url", site.url, "-m", "broken", "--user", "Jane <jane@example.com>")
    got = note(site)
    assert got["spec"]["type"] == "containers"
    assert got["spec"]["cause"] == {"Message": "broken", "User": "Jane <jane@example.com>"}
    assert got["result"][ID]["PerContainer"][0]["Container"] == "app"
    assert got["spec"]["spec"]["ContainerSpecs"] == {ID: got["result"][ID]["PerContainer"]}
    assert note(site, first)["spec"]["type"] == "auto"
    log = site.pawl.ok("history", ID, "--git-url", site.url, "-o", "json").json
    assert [entry["user"] for entry in log["commits"]] == ["Jane <jane@example.com>", None]
    assert "Jane" in site.pawl.ok("history", ID, "--git-url", site.url).stdout


def test_a_release_by_hand_is_told_from_automation_by_its_note(web):
    """Its message says nothing: without the note it would be automation's."""
    site = web
    site.once()
    site.pawl.ok("release", "--git-url", site.url, "--workload", ID, "--set", f"app={site.image('team/web', '1.0.0')}",
                 "-m", "whatever", "--user", "Jane <jane@example.com>")
    (held,) = site.once()["held"]
    assert held["cause"] == "reverted" and "taken back by Jane <jane@example.com> with commit" in held["reason"]


def test_another_ref_or_none(web):
    site = web
    site.once("--git-notes-ref", "other")
    assert note(site, ref="other")["spec"]["type"] == "auto" and NOTES not in site.repo.refs()
    site.push("team/web", "1.2.0", first_day=7)
    refs = site.repo.refs()
    site.once("--git-notes-ref", "")
    assert {name for name, sha in site.repo.refs().items() if refs[name] != sha} == {"refs/heads/main"}
    assert "a..b" in site.pawl.expect(2, "once", *site.options, "--git-notes-ref", "a..b").stderr


def test_notes_of_others_stay(web):
    site = web
    site.once()
    mine, start = site.repo.sha(), site.repo.log()[-1].sha
    site.repo.env.update(GIT_AUTHOR_NAME="Ann", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="Ann",
                         GIT_COMMITTER_EMAIL="a@b")
    site.repo.git("notes", "--ref", "flux", "add", "-m", "mine, and not JSON", start)
    site.push("team/web", "1.2.0", first_day=7)
    site.once()
    assert site.repo.git("notes", "--ref", "flux", "show", start).strip() == "mine, and not JSON"
    assert note(site, mine)["spec"]["type"] == "auto" and note(site)["spec"]["type"] == "auto"


def make_notes(site, names):
    """Notes as the tree of their ref lists them, by path in it; each says its own path."""
    git, lines = site.repo.git, {}
    for name in names:
        blob = git("hash-object", "-w", "--stdin", stdin=f"note {name}\n".encode()).strip()
        head, _, rest = name.rpartition("/")
        lines.setdefault(head, []).append(f"100644 blob {blob}\t{rest}")
    for directory in [key for key in lines if key]:
        tree = git("mktree", stdin=("\n".join(lines[directory]) + "\n").encode()).strip()
        lines.setdefault("", []).append(f"040000 tree {tree}\t{directory}")
    tree = git("mktree", stdin=("\n".join(lines[""]) + "\n").encode()).strip()
    identity = ("-c", "user.name=Ann", "-c", "user.email=a@b")
    git("update-ref", NOTES, git(*identity, "commit-tree", tree, "-m", "flat").strip())


def files_of_notes(site):
    """{path in the tree: content} of the notes."""
    git = site.repo.git
    return {path: git("cat-file", "blob", f"{NOTES}:{path}")
            for path in git("ls-tree", "-r", "--name-only", NOTES).split()}


def test_many_notes_are_spread_over_directories_and_none_is_lost(web):
    """As git does: else each note pushes a list of all notes there ever were. What is no note stays."""
    site = web
    objects = [hashlib.sha1(str(number).encode()).hexdigest() for number in range(300)]
    odd = ["README", "ab1x", "00/not-a-note", objects[0][:2] + "/" + objects[0][2:], "f0", "F" * 40]
    objects += ["f0" + "1" * 38, "ab0" + "0" * 37, "ab2" + "0" * 37]
    make_notes(site, objects + odd)
    before = files_of_notes(site)
    report = site.once()
    assert "note-not-pushed" not in site.result.stderr
    after = files_of_notes(site)
    mine = report["commit"]
    left = set(odd) | {objects[0], "f0" + "1" * 38}  # in its directory there is one already; its directory is a file
    left |= {name for name in objects if name.startswith("f0")}
    expected = {(name if name in left else f"{name[:2]}/{name[2:]}"): before[name] for name in before}
    assert {path: text for path, text in after.items() if path.replace("/", "") != mine} == expected
    assert note(site)["spec"]["type"] == "auto"
    some = objects[7]
    assert site.repo.git("notes", "--ref", "flux", "list").count(some) == 1
    size = len(site.repo.git("ls-tree", "--name-only", NOTES).split())
    site.push("team/web", "1.2.0", first_day=7)
    site.once()
    assert note(site, mine)["spec"]["type"] == "auto" and note(site)["spec"]["type"] == "auto"
    assert len(site.repo.git("ls-tree", "--name-only", NOTES).split()) <= size + 1
    log = site.repo.git("log", "--format=%s", NOTES).splitlines()
    assert log.count("Notes moved into directories by 'pawl'") == 1


def test_notes_that_were_overtaken_are_made_again(web):
    """The ref of notes moves after the greeting: the branch is pushed, and the note follows."""
    site = web
    site.once()
    site.repo.env.update(GIT_AUTHOR_NAME="Ann", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="Ann",
                         GIT_COMMITTER_EMAIL="a@b")
    before = site.repo.refs()[NOTES]
    site.repo.git("notes", "--ref", "flux", "add", "-m", "theirs", site.repo.log()[-1].sha)
    theirs = site.repo.refs()[NOTES]
    site.repo.git("update-ref", NOTES, before)
    mark = site.repo.path / "overtaken"
    site.repo.hook("pre-receive", f"[ -e {mark} ] && exit 0\ntouch {mark}\n"
                                  "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
                                  f"git update-ref {NOTES} {theirs}")
    site.push("team/web", "1.2.0", first_day=7)
    report = site.once()
    assert report["commit"] and note(site)["pawl"]["decisions"][0]["to"].endswith(":1.2.0")
    assert site.repo.git("notes", "--ref", "flux", "show", site.repo.log()[-1].sha).strip() == "theirs"


def test_notes_begin_anew_where_the_remote_has_none_any_more(web):
    """Somebody deleted the ref, or made the repository anew."""
    site = web
    first = site.once()["commit"]
    site.repo.git("update-ref", "-d", NOTES)
    site.push("team/web", "1.2.0", first_day=7)
    report = site.once()
    assert "note-not-pushed" not in site.result.stderr
    assert note(site)["pawl"]["decisions"][0]["to"].endswith(":1.2.0") and report["commit"] != first
    assert len(site.repo.git("notes", "--ref", "flux", "list").split("\n")) == 2, "one note, and the end"


@pytest.mark.parametrize("hook", [
    ("pre-receive", "while read old new ref; do case $ref in refs/notes/*) echo 'no notes here' >&2; exit 1;; esac; done"),
    ("update", "case $1 in refs/notes/*) echo 'no notes here' >&2; exit 1;; esac"),
])
def test_a_remote_that_refuses_notes_gets_the_commit_all_the_same(web, hook):
    site = web
    site.repo.hook(*hook)
    report = site.once()
    assert report["commit"] == site.repo.sha() and NOTES not in site.repo.refs()
    assert site.result.stderr.count("note-not-pushed") == 1 and "no notes here" in site.result.stderr


def test_notes_over_https(web, git_https, authority):
    site = web
    site.pawl.env["GIT_SSL_CAINFO"] = str(authority.ca_file)
    site.url = git_https.url(site.repo)
    report = site.once()
    assert note(site, report["commit"])["spec"]["type"] == "auto"


# --commit-per workload


def test_one_commit_for_each_workload(site):
    site.push("team/one", "1.0.0", "1.1.0")
    site.push("team/two", "1.0.0", "1.1.0")
    one, two = (workload(name, site.image(f"team/{name}", "1.0.0"), policy="semver:1") for name in ("one", "two"))
    alike = workload("three", site.image("team/one", "1.0.0"), policy="semver:1", kind="StatefulSet")
    start = site.start({"a.yaml": one + "---\n" + alike, "b.yaml": two})
    report = site.once("--commit-per", "workload")
    assert len(report["changes"]) == 3 and report["commit"] == site.repo.sha()
    commits = site.repo.log(f"{start}..main")
    assert [commit.subject for commit in commits] == [
        f"Auto-release {site.image(name, '1.1.0')}" for name in ("team/two", "team/one", "team/one")]
    assert [site.repo.changed_files(commit.sha) for commit in commits] == [["b.yaml"], ["a.yaml"], ["a.yaml"]]
    for commit in commits:
        assert len(site.repo.diff(new=commit.sha)) == 2
    assert [note(site, commit.sha)["spec"]["spec"]["Changes"][0]["WorkloadID"] for commit in commits] == [
        "demo:deployment/two", "demo:statefulset/three", "demo:deployment/one"]
    assert b"1.0.0" not in site.repo.read("a.yaml") + site.repo.read("b.yaml")
    assert site.applied("a.yaml") == site.repo.read("a.yaml")
    assert site.once("--commit-per", "workload")["commit"] is None


def test_commits_for_each_workload_are_pushed_together_or_not_at_all(site):
    site.push("team/one", "1.0.0", "1.1.0")
    names = ("a", "b", "c")
    files = {f"{name}.yaml": workload(name, site.image("team/one", "1.0.0"), policy="semver:1") for name in names}
    start = site.start(files)
    ann = site.repo.overtake_next_push({"other.txt": "x"})
    site.once("--commit-per", "workload")
    assert [commit.sha for commit in site.repo.log()][-2:] == [ann, start]
    assert len(site.repo.log()) == 5


# Messages


def test_a_message_from_a_template_with_trailers(web, tmp_path):
    site = web
    template = tmp_path / "message"
    template.write_text("Update {{count}} image(s)\n\n{{#changes}}\n- {{workload}}: {{tag}} ({{reason}})\n{{/changes}}\n")
    report = site.once("--git-commit-template", f"@{template}", "--git-trailers", "--git-ci-skip")
    head = site.repo.log()[0]
    assert head.subject == "Update 1 image(s)"
    old, new = site.image("team/web", "1.0.0"), site.image("team/web", "1.1.0")
    assert head.body.strip() == (f"- {ID}: 1.1.0 ({report['changes'][0]['reason']})\n\n"
                                 f"Pawl-Change: {ID} app {old} -> {new}\n\n\n[ci skip]")
    # It is automation's all the same, also where there is no note: nothing is held that nobody took back.
    log = site.pawl.ok("history", ID, "--git-url", site.url, "-o", "json", "--git-notes-ref", "").json
    assert log["commits"][0]["automatic"] is True


OCI = "org.opencontainers.image."
SHA = "0123456789abcdef0123456789abcdef01234567"
LABELS = {OCI + "source": "https://git.example.test/org/web.git", OCI + "revision": SHA, OCI + "version": "1.1",
          OCI + "title": "Web\u202e\nSigned-off-by: Mallory <m@example.test>", "com.example.other": "not for us"}
TEMPLATE = """Update {{count}} image(s)

{{#changes}}
- {{container}} {{tag}}{{#label.version}} (version {{label.version}}){{/label.version}}
{{#commit-link}}
  built from {{commit-link}}
{{/commit-link}}
{{label.title}}
{{/changes}}
"""


@pytest.fixture(params=["docker", "oci", "index"])
def labelled(site, request):
    """1.1.0 has labels, in an image or in an index of them."""
    site.push("team/web", "1.0.0")
    if request.param == "index":
        site.registry.push_index("team/web", "1.1.0", labels=LABELS)
    else:
        site.registry.push("team/web", "1.1.0", labels=LABELS, kind=request.param)
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1")})
    return site


def _asked(site):
    return [(request.method, request.path.split("/")[4]) for request in site.registry.requests("/v2/team/web/")
            if "/manifests/" in request.path or "/blobs/" in request.path]


def test_labels_of_the_image_are_in_the_message(labelled, request):
    site = labelled
    site.registry.reset_requests()
    site.once("--git-commit-template", TEMPLATE, "--git-trailers")
    commit = site.repo.log()[0]
    assert commit.subject == "Update 1 image(s)"
    old, new = site.image("team/web", "1.0.0"), site.image("team/web", "1.1.0")
    assert commit.body.strip() == (f"- app 1.1.0 (version 1.1)\n  built from https://git.example.test/org/web/commit/{SHA}\n"
                                   f"Web Signed-off-by: Mallory <m@example.test>\n\n"
                                   f"Pawl-Change: {ID} app {old} -> {new}")
    assert len(_asked(site)) == (3 if "index" in request.node.name else 2)


def test_the_template_in_the_manual_makes_the_message_in_the_manual(web):
    """What docs/interface.md shows is what comes out."""
    text = (ROOT / "docs" / "interface.md").read_text()
    template, _, shown = text[text.index("```\nUpdate {{count}}") + 4:].split("```\n")[:3]
    site = web
    site.registry.push("team/web", "1.1.0", labels={**LABELS, OCI + "version": "1.4.2"})
    report = site.once("--git-commit-template", template)
    shown = shown.replace("default:deployment/web", ID).replace("https://github.com", "https://git.example.test")
    reason = report["changes"][0]["reason"]
    shown = shown.replace("main-1a2b3c4 is the newest that matches glob:main-*", reason).replace("main-1a2b3c4", "1.1.0")
    shown = shown.replace("1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", SHA)
    assert f"{site.repo.log()[0].subject}\n\n{site.repo.log()[0].body.strip()}" == shown.strip()


def test_nobody_signs_off_with_a_label(site):
    """As git itself reads trailers, of a message that ends with the label."""
    labels = {OCI + "title": "Signed-off-by: Mallory <m@example.test>", OCI + "vendor": "Pawl-Rollback: x"}
    site.push("team/web", "1.0.0")
    site.registry.push("team/web", "1.1.0", labels=labels)
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1")})
    site.once("--git-commit-template",
              "Update\n\n{{#changes}}\n{{label.title}}\n{{label.vendor}}\nVersion: {{tag}}\n{{/changes}}\n")
    assert site.repo.git("log", "-1", "--format=%(trailers)").split("\n")[0] in ("", "Version: 1.1.0")
    assert "- Signed-off-by: Mallory" in site.repo.log()[0].body
    log = site.pawl.ok("history", ID, "--git-url", site.url, "-o", "json", "--git-notes-ref", "").json
    assert log["commits"][0]["automatic"] is True


def test_labels_are_asked_for_only_where_a_template_shows_them_and_only_once(labelled):
    site = labelled
    start = site.repo.sha()
    site.registry.reset_requests()
    site.once("--git-commit-template", "{{#changes}}{{tag}}{{/changes}}")
    site.repo.git("update-ref", "refs/heads/main", start)
    site.once("--git-commit-template", TEMPLATE, "--dry-run", rc=3)
    assert _asked(site) == []
    site.once("--git-commit-template", TEMPLATE)
    assert {request for request in _asked(site) if request[0] == "GET"} == {("GET", "manifests"), ("GET", "blobs")}
    site.repo.git("update-ref", "refs/heads/main", start)
    site.registry.reset_requests()
    site.once("--git-commit-template", TEMPLATE)
    assert len(_asked(site)) == 1, "only what the tag points at now"
    assert "version 1.1" in site.repo.log()[0].body


def test_an_image_without_labels_is_updated_all_the_same(site):
    site.push("team/web", "1.0.0", "1.1.0")
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1")})
    site.once("--git-commit-template", TEMPLATE)
    assert site.repo.log()[0].body.strip() == "- app 1.1.0"


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
@pytest.mark.parametrize("fault", ["failing", "throttled", "slow"])
def test_labels_that_cannot_be_had_hold_nothing_back(web, fault_proxy, kind, fault):
    site, path = web, f"/v2/team/web/{kind}/"
    image = f"{fault_proxy.host}/team/web"
    site.repo.commit({FILE: workload("web", f"{image}:1.0.0", policy="semver:1")}, "through the proxy")
    if fault == "slow":
        fault_proxy.delay(60, path=path)
    elif fault == "throttled":
        fault_proxy.answer(429, path=path, times=None, headers={"Retry-After": "600"})
    else:
        fault_proxy.answer(500, path=path, times=None)
    started = time.monotonic()
    report = site.once("--git-commit-template", TEMPLATE)
    assert time.monotonic() - started < 20
    assert report["changes"][0]["to"] == f"{image}:1.1.0" and report["held"] == []
    assert site.repo.log()[0].body.strip() == "- app 1.1.0"


def test_a_digest_is_written_with_the_labels_of_what_it_names(site):
    site.push("team/web", "1.0.0")
    digest = site.registry.push("team/web", "1.1.0", labels=LABELS)
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1",
                               annotations={"pawl.dev/digest": "pin"})})
    report = site.once("--git-commit-template", TEMPLATE)
    assert report["changes"][0]["to"].endswith(digest)
    assert "version 1.1" in site.repo.log()[0].body


def test_the_daemon_shows_labels_too(labelled):
    site = labelled
    with site.serve("--git-commit-template", TEMPLATE):
        wait_until(lambda: site.has_pushed("Update 1 image(s)"), "the commit")
    assert f"built from https://git.example.test/org/web/commit/{SHA}" in site.repo.log()[0].body


def test_a_template_that_cannot_be_is_refused_at_start(web, tmp_path):
    for text, words in (("{{nobody}}", "there is no {{nobody}}"), (f"@{tmp_path}/none", "--git-commit-template")):
        assert words in web.pawl.expect(2, "once", *web.options, "--git-commit-template", text).stderr
