"""What a person took back in git stays taken back: until something newer comes, or somebody says otherwise."""

import pytest

from parts.manifests import workload

FILE = "web.yaml"


@pytest.fixture
def taken_back(site):
    """1.1.0 was released by automation, and Ann has put 1.0.0 back."""
    site.push("team/web", "1.0.0", "1.1.0")
    before = workload("web", site.image("team/web", "1.0.0"), policy="semver:1")
    site.start({FILE: before, "dir/other.yaml": "a: 1\n"})
    assert site.once()["commit"]
    site.released = site.repo.sha()
    site.reverted = site.repo.commit({FILE: before}, 'Revert "Auto-release"')
    site.before = before
    return site


def image(site):
    text = site.repo.read(FILE).decode()
    return text.split("image: ")[1].split(" ")[0].rsplit(":", 1)[1]


def held(site):
    report = site.once()
    assert report["commit"] is None and report["changes"] == [] and len(report["held"]) == 1, report
    return report["held"][0]


def test_a_reverted_tag_is_held_until_a_newer_one_comes(taken_back):
    site = taken_back
    for _ in range(3):  # each a process of its own: there is no store
        entry = held(site)
        assert entry["decision"] == "held" and entry["cause"] == "reverted" and entry["candidate"] == "1.1.0"
        assert "Ann" in entry["reason"] and site.reverted[:7] in entry["reason"]
    assert site.repo.sha() == site.reverted
    site.push("team/web", "1.2.0", first_day=9)
    assert site.once()["commit"]
    assert image(site) == "1.2.0"


def test_the_hold_outlives_mirror_and_state(taken_back, tmp_path):
    assert held(taken_back)["cause"] == "reverted"
    report = taken_back.once("--data-dir", str(tmp_path / "elsewhere"))
    assert [entry["cause"] for entry in report["held"]] == ["reverted"]


def test_serve_does_not_go_back_to_it(taken_back):
    site = taken_back
    with site.serve() as daemon:
        daemon.wait_for_log("reverted|taken back")
        rounds = [0]

        def ten_more():
            rounds[0] += 1
            return rounds[0] > 20
        daemon.wait_until(ten_more, "some rounds")
        assert image(site) == "1.0.0"
        site.repo.commit({"dir/other.yaml": "a: 2\n"}, "something else")
        site.push("team/web", "1.2.0", first_day=9)
        daemon.wait_until(lambda: image(site) == "1.2.0", "the newer tag")
    assert "1.1.0" not in site.repo.log()[0].subject


def test_whoever_sets_it_again_has_it(taken_back):
    site = taken_back
    again = site.before.replace("1.0.0", "1.1.0")
    site.repo.commit({FILE: again}, "1.1.0 was right")
    report = site.once()
    assert report["held"] == [] and report["commit"] is None
    # And from there everything is as ever.
    site.push("team/web", "1.1.1", first_day=9)
    assert site.once()["commit"] and image(site) == "1.1.1"


@pytest.mark.parametrize("change", [
    lambda text: text.replace('"semver:1"', '"semver:~1"'),
])
def test_another_policy_lifts_the_hold(taken_back, change):
    site = taken_back
    site.repo.commit({FILE: change(site.before)}, "another policy")
    assert site.once()["commit"]
    assert image(site) == "1.1.0"


def test_an_unlock_lifts_the_hold_and_a_lock_does_not(taken_back):
    site = taken_back
    locked = site.before.replace("  annotations:\n", '  annotations:\n    fluxcd.io/locked: "true"\n')
    site.repo.commit({FILE: locked}, "lock")
    assert site.once()["commit"] is None
    site.repo.commit({FILE: site.before}, "unlock")
    assert site.once()["commit"]
    assert image(site) == "1.1.0"


def test_other_commits_to_the_file_and_moves_of_it_change_nothing(taken_back):
    site = taken_back
    site.repo.commit({FILE: None, "moved/web.yaml": site.before}, "move")
    site.repo.commit({"moved/web.yaml": site.before.replace("nobody", "someone")}, "a comment")
    report = site.once()
    assert [entry["cause"] for entry in report["held"]] == ["reverted"]


def test_a_revert_that_came_by_a_merge_counts(taken_back):
    """A person's `git pull` makes the branch the second parent of a merge."""
    site = taken_back
    side = site.repo.commit({"dir/other.yaml": "a: 3\n"}, "on the side", ref="refs/heads/side", parent=site.released + "~1")
    tree = site.repo.git("rev-parse", f"{site.reverted}^{{tree}}").strip()
    site.repo.env.update(GIT_AUTHOR_NAME="Ann", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="Ann",
                         GIT_COMMITTER_EMAIL="a@b")
    merge = site.repo.git("commit-tree", tree, "-p", side, "-p", site.reverted, "-m", "Merge").strip()
    site.repo.git("update-ref", "refs/heads/main", merge)
    assert held(site)["cause"] == "reverted"


def test_what_automation_itself_moved_off_is_free_again(site):
    """The policy said 1.0, then 1, then 1.0 again: nobody took anything back."""
    site.push("team/web", "1.0.0", "1.0.1", "1.1.0")
    text = workload("web", site.image("team/web", "1.0.0"), policy="semver:~1.0")
    site.start({FILE: text})
    for policy, wanted in (("~1.0", "1.0.1"), ("1", "1.1.0"), ("~1.0", "1.0.1")):
        now = site.repo.read(FILE).decode()
        site.repo.commit({FILE: now.replace('"semver:~1.0"', f'"semver:{policy}"').replace(
            '"semver:1"', f'"semver:{policy}"')+"# \n"}, "policy")
        assert site.once()["commit"]
        assert image(site) == wanted


# Ways to take something back that are easily missed


def _joined(site):
    return "---\n" + workload("job", "example.test/job:1", automated=False) + "---\n" + site.before


@pytest.fixture
def automated(site):
    """1.1.0 was released by automation."""
    site.push("team/web", "1.0.0", "1.1.0")
    site.before = workload("web", site.image("team/web", "1.0.0"), policy="semver:1")
    site.start({FILE: site.before, "dir/other.yaml": "a: 1\n"})
    assert site.once()["commit"]
    return site


@pytest.mark.parametrize("way", ["broken-between", "deleted-and-back"])
def test_what_was_away_meanwhile_was_taken_back(automated, way):
    site = automated
    between = None if way == "deleted-and-back" else site.before + "  - [\n"
    taken = site.repo.commit({FILE: between}, "away")
    site.repo.commit({FILE: site.before}, "back, with the old one")
    entry = held(site)
    assert entry["cause"] == "reverted" and taken[:7] in entry["reason"]


@pytest.mark.parametrize("place", ["another-name", "another-directory", "another-file"])
@pytest.mark.parametrize("when", ["before", "with"])
def test_a_move_with_other_changes_is_followed(automated, place, when):
    """As with `git mv` and an edit in one commit, or a workload that is cut out and put elsewhere."""
    site = automated
    file = {"another-name": "site.yaml", "another-directory": "moved/web.yaml", "another-file": "dir/other.yaml"}[place]
    text = _joined(site) if place == "another-file" else site.before.replace("replicas: 0", "replicas: 3")
    if when == "before":
        site.repo.commit({FILE: site.before}, "taken back")
    moved = site.repo.commit({FILE: None, file: text}, "moved")
    site.repo.commit({file: text.replace("nobody", "somebody")}, "and edited")
    entry = held(site)
    assert entry["cause"] == "reverted"
    assert (moved[:7] in entry["reason"]) == (when == "with")
    log = site.pawl.ok("history", "demo:deployment/web", "--git-url", site.url, "-o", "json").json
    assert [change["to"].rsplit(":")[-1] for commit in log["commits"] for change in commit["changes"]] == [
        "1.0.0", "1.1.0"]


def test_a_moved_kustomization_keeps_what_was_taken_back(site):
    """It is named by its path, which is another one now."""
    site.push("team/web", "1.0.0", "1.1.0")
    name = site.image("team/web", "x").rsplit(":", 1)[0]
    before = ('kind: Kustomization\nmetadata:\n  annotations:\n    fluxcd.io/automated: "true"\n'
              f'    pawl.dev/tag.web: semver:1\nimages:\n  - name: {name}\n    newTag: 1.0.0\n')
    site.start({"a/kustomization.yaml": before})
    assert site.once()["commit"]
    site.repo.commit({"a/kustomization.yaml": before}, "taken back")
    assert held(site)["cause"] == "reverted"
    site.repo.commit({"a/kustomization.yaml": None, "b/kustomization.yaml": before}, "moved")
    assert held(site)["cause"] == "reverted"


def test_a_revert_under_the_robots_name_is_a_persons(automated):
    automated.repo.commit({FILE: automated.before}, 'Revert "Auto-release"', author="pawl <pawl@localhost>")
    assert held(automated)["cause"] == "reverted"


def test_a_release_in_ones_own_words_holds_without_notes_too(automated):
    site = automated
    site.repo.hook("update", "case $1 in refs/notes/*) exit 1;; esac")
    site.pawl.ok("release", "--git-url", site.url, "--workload", "demo:deployment/web", "--update-image",
                 site.image("team/web", "1.0.0"), "-m", "back to what worked")
    assert held(site)["cause"] == "reverted"


def test_a_revert_is_remembered_over_many_changes_of_its_file(automated):
    site = automated
    site.repo.commit({FILE: site.before}, "taken back")
    for count in range(1, 231):
        site.repo.commit({FILE: site.before.replace("replicas: 0", f"replicas: {count}")}, "busy")
    assert held(site)["cause"] == "reverted"
    log = site.pawl.ok("history", "demo:deployment/web", "--git-url", site.url, "-o", "json").json
    assert log["commits"] == [] and log["complete"] is False


def test_a_revert_is_remembered_among_commits_that_change_many_files(automated):
    """Where the workload's name came into its file, and 600 other files changed, none of which it came from."""
    site = automated
    site.repo.commit({FILE: site.before}, "taken back")
    for turn in range(1, 4):
        others = {f"other/{number}.yaml": f"a: {turn}\n" for number in range(600)}
        site.repo.commit({FILE: site.before + "# web\n" * turn, **others}, f"turn {turn}")
    assert held(site)["cause"] == "reverted"
