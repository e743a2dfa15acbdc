"""`pawl rollback` and `pawl history`: what a workload had, and back to it."""

import pytest

from parts.manifests import workload
from parts.site import day

FILE = "web.yaml"
ID = "demo:deployment/web"


@pytest.fixture
def released(site):
    """1.0.0 by hand, then 1.1.0 and 1.2.0 by automation."""
    site.push("team/web", "1.0.0")
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1")})
    site.commits = [site.repo.sha()]
    for number, tag in enumerate(("1.1.0", "1.2.0")):
        site.push("team/web", tag, first_day=5 + number)
        site.once()
        site.commits.append(site.repo.sha())
    return site


def image(site):
    return site.repo.read(FILE).decode().split("image: ")[1].split(" ")[0].rsplit(":", 1)[1]


def rollback(site, *options, rc=0):
    return site.pawl.expect(rc, "rollback", "--git-url", site.url, *options)


def history(site, *options):
    return site.pawl.ok("history", ID, "--git-url", site.url, "-o", "json", *options).json


def test_rollback_goes_to_the_previous_image_and_holds_the_one_it_left(released):
    site = released
    before = site.repo.read(FILE).decode()
    result = rollback(site, ID, "-m", "errors since 1.2.0", "-o", "json")
    assert image(site) == "1.1.0" and len(site.repo.diff()) == 2
    assert site.repo.read(FILE).decode() == before.replace("1.2.0", "1.1.0")
    assert result.json[ID]["Status"] == "success"
    assert "Commit pushed:" in result.stderr
    head = site.repo.log()[0]
    assert head.subject == "errors since 1.2.0"
    old, new = site.image("team/web", "1.2.0"), site.image("team/web", "1.1.0")
    assert head.body.strip() == f"Pawl-Rollback: {ID} app {old} -> {new}"
    for _ in range(2):
        report = site.once()
        assert [entry["cause"] for entry in report["held"]] == ["reverted"] and report["commit"] is None
    site.push("team/web", "1.2.1", first_day=20)
    site.once()
    assert image(site) == "1.2.1"


def test_a_second_rollback_goes_further_back_and_not_forward_again(released):
    site = released
    for wanted in ("1.1.0", "1.0.0"):
        rollback(site, ID)
        assert image(site) == wanted
    result = rollback(site, ID, rc=1)
    assert "no earlier image" in result.stdout and "--to" in result.stdout
    assert image(site) == "1.0.0"


def test_rollback_to_a_commit_or_an_image(released):
    site = released
    rollback(site, "deployment/web", "-n", "demo", "--to", site.commits[0][:8])
    assert image(site) == "1.0.0"
    assert site.repo.log()[0].subject == f"Rollback {ID} to {site.image('team/web', '1.0.0')}"
    rollback(site, ID, "--to", site.image("team/web", "1.1.0"))
    assert image(site) == "1.1.0"
    count = len(site.repo.log())
    again = rollback(site, ID, "--to", site.image("team/web", "1.1.0"))
    assert "has these images already" in again.stdout and len(site.repo.log()) == count
    for wrong, rc, words in (("1234567", 1, "has no commit"), ("zzz", 2, "an image with its tag"),
                             ("v1.0.0", 2, "an image with its tag"), (":x", 2, "--to"),
                             ("example.test/other:1", 1, "no container has an image of that repository")):
        result = rollback(site, ID, "--to", wrong, rc=rc)
        assert words in result.stdout + result.stderr, result


def test_a_dry_run_shows_the_diff_and_pushes_nothing(released):
    site = released
    result = rollback(site, ID, "--dry-run", rc=3)
    assert "-          image:" in result.stdout and "1.1.0" in result.stdout
    assert site.repo.sha() == site.commits[-1]


def test_a_locked_workload_is_rolled_back_only_by_force(released):
    site = released
    text = site.repo.read(FILE).decode()
    site.repo.commit({FILE: text.replace("  annotations:\n", '  annotations:\n    fluxcd.io/locked: "true"\n')}, "lock")
    assert "locked" in rollback(site, ID).stdout
    assert image(site) == "1.2.0"
    rollback(site, ID, "--force")
    assert image(site) == "1.1.0"


def test_only_the_containers_of_the_last_release_go_back(site):
    two = workload("web", "example.test/app:1", automated=False) + "        - name: side\n          image: example.test/side:1\n"
    site.start({FILE: two})
    site.repo.commit({FILE: two.replace("side:1", "side:2")}, "side")
    site.repo.commit({FILE: two.replace("side:1", "side:2").replace("app:1", "app:2")}, "app")
    rollback(site, ID)
    text = site.repo.read(FILE).decode()
    assert "app:1" in text and "side:2" in text
    rollback(site, ID, "--container", "side")
    assert site.repo.read(FILE).decode() == two
    result = rollback(site, ID, "--container", "nobody", rc=1)
    assert "has no container nobody" in result.stderr


def test_other_changes_since_then_stay(released):
    site = released
    text = site.repo.read(FILE).decode().replace("replicas: 0", "replicas: 7")
    site.repo.commit({FILE: text}, "seven")
    rollback(site, ID)
    assert site.repo.read(FILE).decode() == text.replace("1.2.0", "1.1.0")


def test_a_rollback_that_loses_the_race_is_decided_again(released):
    site = released
    text = site.repo.read(FILE).decode().replace("replicas: 0", "replicas: 7")
    site.repo.overtake_next_push({FILE: text})
    rollback(site, ID)
    assert site.repo.read(FILE).decode() == text.replace("1.2.0", "1.1.0")


def test_a_newer_tag_that_came_first_is_not_rolled_back_to_what_was_to_be_left(released):
    """"The previous image" was meant of what was there when it was asked for."""
    site = released
    text = site.repo.read(FILE).decode()
    newer = site.repo.overtake_next_push({FILE: text.replace("1.2.0", "1.3.0")})
    result = site.pawl.run("rollback", ID, "--git-url", site.url)
    assert result.rc == 1 and "container(s) tag mismatch: app has got" in result.stdout, result
    assert site.repo.sha() == newer
    site.pawl.ok("rollback", ID, "--git-url", site.url, "--to", site.image("team/web", "1.1.0"))
    assert site.repo.read(FILE).decode() == text.replace("1.2.0", "1.1.0")


def test_a_tag_without_its_digest_is_no_earlier_image(site):
    """The tag alone is whatever it points at now: the very image that is to be left."""
    site.registry.push("team/web", "main", created=day(1))
    site.start({FILE: workload("web", site.image("team/web", "main"), policy="glob:main",
                               annotations={"pawl.dev/digest": "follow"})})
    assert site.once()["commit"]
    first = site.repo.read(FILE)
    site.registry.push("team/web", "main", created=day(2))
    assert site.once()["commit"] and site.repo.read(FILE) != first
    rollback(site, ID)
    assert site.repo.read(FILE) == first
    assert "no earlier image" in site.pawl.expect(1, "rollback", ID, "--git-url", site.url).stdout
    assert [entry["cause"] for entry in site.once()["held"]] == ["reverted"]


def test_what_was_before_the_digest_was_added_is_the_previous_image(site):
    site.push("team/web", "1.0.0", "1.1.0")
    site.start({FILE: workload("web", site.image("team/web", "1.0.0"), policy="semver:1")})
    assert site.once()["commit"]
    site.pawl.ok("policy", "--git-url", site.url, "-w", ID, "--set", "digest=pin")
    assert site.once()["commit"] and b"team/web:1.1.0@sha256:" in site.repo.read(FILE)
    rollback(site, ID)
    assert f"image: {site.image('team/web', '1.0.0')}  #" in site.repo.read(FILE).decode()


def test_history_lists_who_changed_which_image(released):
    site = released
    rollback(site, ID)
    log = history(site)
    assert log["workload"] == ID and log["complete"] is True
    moves = [(entry["changes"][0]["from"].rsplit(":")[-1], entry["changes"][0]["to"].rsplit(":")[-1],
              entry["automatic"]) for entry in log["commits"]]
    assert moves == [("1.2.0", "1.1.0", False), ("1.1.0", "1.2.0", True), ("1.0.0", "1.1.0", True)]
    assert [entry["commit"] for entry in log["commits"][1:]] == [site.commits[2], site.commits[1]]
    assert log["commits"][1]["author"] == "pawl" and log["commits"][1]["message"].startswith("Auto-release ")
    short = history(site, "-l", "1")
    assert len(short["commits"]) == 1 and short["complete"] is False


def test_history_as_a_table(released):
    site = released
    result = site.pawl.ok("history", ID, "--git-url", site.url)
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["COMMIT", "TIME", "BY", "IMAGES", "REASON"]
    assert lines[1].startswith(site.commits[2][:7]) and "automation" in lines[1] and "1.1.0 -> " in lines[1]
    assert len(lines) == 3 and not result.stderr
    assert "-l 0 shows all" in site.pawl.ok("history", ID, "--git-url", site.url, "-l", "1").stderr
    wrong = site.pawl.expect(1, "history", "demo:deployment/wep", "--git-url", site.url)
    assert "demo:deployment/web" in wrong.stderr
    site.pawl.expect(2, "history", "a/b/c", "--git-url", site.url)


def test_history_in_every_form(released):
    site = released
    commit = site.repo.log()[0]

    def listed(*options):
        return site.pawl.ok("history", ID, "--git-url", site.url, *options).stdout.splitlines()

    assert listed("-o", "name")[0] == commit.sha
    heading, first = listed("-o", "wide")[:2]
    assert heading.split() == ["COMMIT", "TIME", "BY", "IMAGES", "REASON", "MESSAGE"]
    assert first.startswith(commit.sha) and f"{commit.author} <{commit.email}>" in first
    assert first.rstrip().endswith(commit.subject)
    assert listed("-o", "tab") == listed() and listed("--no-headers") == listed()[1:]
