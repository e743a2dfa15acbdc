"""All writing commands at once, each with a mirror of its own, while somebody else pushes: nothing is lost, nothing is
done twice."""

import pytest

from parts.manifests import workload

NAMES = ("automated", "deautomated", "locked", "unlocked", "retagged", "released", "rolled", "promoted", "updated")


def _id(name):
    return f"demo:deployment/{name}"


@pytest.fixture
def busy_site(site):
    """A workload for each command, all in one file: every command changes the same file."""
    site.push("app", "1.0.0", "1.1.0", "1.2.0")

    def document(name, space="demo", tag="1.0.0"):
        annotations = {"unlocked": {"fluxcd.io/locked": "true"}}.get(name, {})
        return workload(name, site.image("app", tag), namespace=space, annotations=annotations, policy="semver:1",
                        automated=name in ("deautomated", "updated"))

    def files(rolled):
        return {"production/all.yaml": "---\n".join(document(name, tag=rolled if name == "rolled" else "1.0.0")
                                                    for name in NAMES),
                "staging/promoted.yaml": document("promoted", "staging", "1.1.0")}

    site.start(files("1.0.0"))
    site.repo.commit(files("1.1.0"), "a newer one is rolled out")
    return site


def _commands(site):
    return {
        "Automated": ["automate", "-w", _id("automated")],
        "Deautomated": ["deautomate", "-w", _id("deautomated")],
        "Locked": ["lock", "-w", _id("locked"), "--until", "2h"],
        "Unlocked": ["unlock", "-w", _id("unlocked")],
        "Updated policies": ["policy", "-w", _id("retagged"), "--tag", "app=semver:>=1.0, <2"],
        "Release": ["release", "--workload", _id("released"), "-i", site.image("app", "1.2.0")],
        "Rollback": ["rollback", _id("rolled")],
        "Promote": ["promote", "staging", "production", "-w", _id("promoted")],
        "Auto-release": ["once", "--deploy-to", "none"],
    }


def test_nothing_is_lost_or_repeated(busy_site, tmp_path):
    site = busy_site
    start, before = site.repo.sha(), site.repo.read("production/all.yaml").decode()
    commands = _commands(site)
    site.repo.overtake_pushes(6, "somebody was first")
    children = {subject: site.pawl.start(*command, "--git-url", site.url, "--data-dir", tmp_path / command[0])
                for subject, command in commands.items()}
    results = {subject: site.pawl.finish(child) for subject, child in children.items()}
    for result in results.values():
        assert result.rc == 0, result
    log = site.repo.log(f"{start}..main")
    others = {commit.sha for commit in log if commit.subject == "somebody was first"}
    assert others and len(log) == len(commands) + len(others)
    for subject in commands:
        assert len([commit for commit in log if commit.subject.startswith(subject)]) == 1, subject
    documents = dict(zip(NAMES, site.repo.read("production/all.yaml").decode().split("---\n")))
    was = dict(zip(NAMES, before.split("---\n")))
    assert 'fluxcd.io/automated: "true"' in documents["automated"]
    assert "fluxcd.io/automated" not in documents["deautomated"]
    assert "fluxcd.io/locked" in documents["locked"] and "fluxcd.io/locked" not in documents["unlocked"]
    assert 'fluxcd.io/tag.app: semver:>=1.0, <2' in documents["retagged"].replace('"', "")
    for name, old, new in (("released", "1.0.0", "1.2.0"), ("rolled", "1.1.0", "1.0.0"), ("promoted", "1.0.0", "1.1.0"),
                           ("updated", "1.0.0", "1.2.0")):
        assert documents[name] == was[name].replace(f"app:{old}", f"app:{new}")
    notes = site.repo.git("notes", "--ref", "flux", "list").split("\n")[:-1]
    assert sorted(line.split()[1] for line in notes) == sorted(
        commit.sha for commit in log if commit.sha not in others)


def test_the_same_wish_of_two_is_one_commit(busy_site, tmp_path):
    site = busy_site
    start = site.repo.sha()
    commands = list(_commands(site).values())
    children = [site.pawl.start(*command, "--git-url", site.url, "--data-dir", tmp_path / f"{command[0]}-{who}")
                for command in commands if command[0] not in ("lock", "rollback") for who in "ab"]
    for child in children:
        result = site.pawl.finish(child)
        assert result.rc == 0, result
    assert len(site.repo.log(f"{start}..main")) == len(commands) - 2
