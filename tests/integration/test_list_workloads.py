"""`pawl list-workloads`: what is in git, with what is wrong with it."""

import pytest

from parts.manifests import config_map, line_of, workload

IMAGE = "example.test/team/app:1.0.0"


@pytest.fixture
def listing(pawl, new_repo):
    def run(files, *options, rc=0):
        repo = new_repo(files=files)
        return pawl.expect(rc, "list-workloads", "--git-url", repo.url, "--deploy-to", "none", *options)
    return run


def _rows(result):
    return [line.split() for line in result.stdout.splitlines()]


def test_the_table_is_fluxctls(listing):
    two = workload("two", IMAGE, annotations={"fluxcd.io/locked": "true"}) + f"        - name: side\n          image: {IMAGE}\n"
    result = listing({"b.yaml": two, "a.yaml": workload("one", IMAGE, automated=False), "c.yaml": config_map("c")}, "-a")
    assert _rows(result) == [
        ["WORKLOAD", "CONTAINER", "IMAGE", "RELEASE", "POLICY"],
        ["demo:deployment/one", "app", IMAGE, "unknown"],
        ["demo:deployment/two", "app", IMAGE, "unknown", "automated,locked"],
        ["side", IMAGE]]
    assert result.stderr == ""


def test_namespaces_containers_and_names(pawl, new_repo):
    repo = new_repo(files={"a.yaml": workload("one", IMAGE), "b.yaml": workload("two", IMAGE, namespace="prod"),
                           "c.yaml": workload("three", IMAGE, namespace=None, container="web")})
    names = lambda *options: pawl.ok("list-workloads", "--git-url", repo.url, "--deploy-to", "none", "-o", "name",
                                     *options).stdout.split()
    assert names() == ["default:deployment/three"]
    assert names("-n", "prod") == ["prod:deployment/two"]
    assert names("-a") == ["default:deployment/three", "demo:deployment/one", "prod:deployment/two"]
    assert names("-a", "-c", "web") == ["default:deployment/three"]
    assert names("-n", "nowhere") == []
    assert len(pawl.ok("list-workloads", "--git-url", repo.url, "-a", "--output-format", "json").json) == 3
    assert pawl.ok("list-controllers", "--git-url", repo.url, "-a", "--deploy-to", "none",
                   "--no-headers").stdout.count("\n") == 3


def test_a_namespace_without_workloads_is_said(pawl, new_repo):
    repo = new_repo()
    repo.commit({"web.yaml": workload("web", "example.test/web:1")})
    for command in ("list-workloads", "list-images"):
        listed = pawl.ok(command, "--git-url", repo.url, "-n", "dmeo")
        assert listed.stdout == "" and listed.stderr == "There are no workloads in the namespace dmeo; -a lists all there are\n"
        assert "in the default namespace; -a" in pawl.ok(command, "--git-url", repo.url).stderr
        assert pawl.ok(command, "--git-url", repo.url, "-o", "json").json == []


def test_json_is_flux_v1s(listing):
    text = workload("one", IMAGE, policy="semver:1", annotations={"filter.fluxcd.io/app": "glob:*"}).replace(
        "  name: one\n", "  name: one\n  labels: {app: x}\n", 1)
    (status,) = listing({"a.yaml": text}, "-a", "-o", "json").json
    assert status == {
        "ID": "demo:deployment/one",
        "Containers": [{"Name": "app", "Current": {"ID": IMAGE, "Labels": {}}, "LatestFiltered": {"ID": "", "Labels": {}}}],
        "ReadOnly": "", "Status": "unknown",
        "Rollout": {"Desired": 0, "Updated": 0, "Ready": 0, "Available": 0, "Outdated": 0, "Messages": None},
        "SyncError": "", "Antecedent": "", "Labels": {"app": "x"}, "Automated": True, "Locked": False, "Ignore": False,
        "Policies": {"automated": "true", "tag.app": "semver:1"}, "File": "a.yaml", "Line": 1,
        "Problem": status["Problem"]}
    assert "disagree" in status["Problem"]


def test_what_is_wrong_is_listed_with_its_place(listing):
    files = {"bad.yaml": "a: [\n", "image.yaml": workload("image", "UPPER:1"),
             "pattern.yaml": workload("pattern", IMAGE, policy="semver:foo"),
             "key.yaml": workload("key", IMAGE, annotations={"pawl.dev/automatd": "true"}),
             "twice-a.yaml": workload("twice", IMAGE), "twice-b.yaml": workload("twice", IMAGE),
             "good.yaml": workload("good", IMAGE, policy="semver:~1")}
    result = listing(files, "-a", "-o", "wide")
    assert _rows(result)[0] == ["WORKLOAD", "CONTAINER", "IMAGE", "RELEASE", "POLICY", "TAGS", "FILE", "PROBLEM"]
    lines = result.stdout.splitlines()
    for name, place, words in (("deployment/image", "image.yaml:1", "UPPER"), ("deployment/pattern", "pattern.yaml:1", "semver:foo"),
                               ("deployment/key", "key.yaml:1", "pawl.dev/automated"),
                               ("deployment/twice", "twice-b.yaml:1", "more than once"), ("", "bad.yaml:2", "column")):
        assert any(name in line and place in line and words in line for line in lines), (name, result.stdout)
    (good,) = [line.split() for line in lines if "deployment/good" in line]
    assert good[5:] == ["semver:~1", "good.yaml:1"]
    for place in ("bad.yaml:2", "image.yaml:", "pattern.yaml:8", "key.yaml:8", "twice-b.yaml:1"):
        assert f"pawl: {place}" in result.stderr, result


def test_git_that_cannot_be_read_is_a_failure(pawl, tmp_path):
    result = pawl.expect(1, "list-workloads", "--git-url", tmp_path / "nothing", "--deploy-to", "none")
    assert result.stdout == "" and "nothing" in result.stderr


_BOMB = ("a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
         + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)))
_EXPLODES = r"regexp:^(a+)+\1$"


def test_what_is_meant_to_do_harm_is_refused_beside_the_others(site):
    """Aliases of aliases, a file of 100 MB, 10,000 levels, a pattern that never ends: each is told, and the rest goes on."""
    site.push("app", "1.0.0", "1.0.1", "a" * 100 + "b")
    image = site.image("app", "1.0.0")
    explodes = workload("explodes", image, policy=_EXPLODES)
    files = {
        "bomb.yaml": workload("before", image) + "---\n" + _BOMB + "---\n" + workload("after", image),
        "deep.yaml": workload("shallow", image) + "---\n# deep\nkind: X\na: " + "[" * 10000 + "]" * 10000 + "\n",
        "block.yaml": "kind: X\n" + "".join(" " * n + "a:\n" for n in range(1200)),
        "large.yaml": "a: " + "x" * 100_000_000 + "\n",
        "explodes.yaml": explodes, "good.yaml": workload("good", image, policy="semver:~1")}
    site.start(files)
    options = ("--git-url", site.url, "-a", "--deploy-to", "none")
    wide = site.pawl.expect(0, "list-workloads", *options, "-o", "wide", timeout=120)
    for place, words in (("bomb.yaml:26", "the limit is 1000000"), ("deep.yaml:22", "the limit is 128"),
                         ("block.yaml:130", "the limit is 128"), ("large.yaml", "the limit is 8388608")):
        assert any(place in line and words in line for line in wide.stdout.splitlines()), (place, wide.stdout)
        assert f"pawl: {place}" in wide.stderr
    for name in ("before", "after", "shallow", "good"):
        (line,) = [line for line in wide.stdout.splitlines() if f"deployment/{name} " in line]
        assert line.split()[-1].split(":")[0] in files, "it has no problem"
    report = site.once()
    assert [change["workload"] for change in report["changes"]] == [
        f"demo:deployment/{name}" for name in ("before", "after", "shallow", "good")]
    places = {error["file"]: error["line"] for error in report["errors"]}
    assert {"bomb.yaml", "deep.yaml", "block.yaml", "large.yaml"} <= set(places)
    (held,) = [entry for entry in report["held"] if entry["cause"] == "slow-policy"]
    assert held["workload"] == "demo:deployment/explodes" and _EXPLODES in held["reason"]
    assert places["explodes.yaml"] == line_of(explodes, "regexp:"), "where the pattern is"
