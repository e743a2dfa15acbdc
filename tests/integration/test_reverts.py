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
