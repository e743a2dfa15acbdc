"""A registry, a repository and a folder to apply to, with pawl between them: what most tests need."""

import datetime

_FIRST_DAY = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone.utc)

REPORT_KEYS = {"name", "head", "commit", "changes", "held", "errors", "applied"}
CHANGE_KEYS = {"workload", "container", "file", "line", "from", "to", "reason"}
HELD_KEYS = {"workload", "container", "current", "candidate", "decision", "cause", "reason"}
ERROR_KEYS = {"file", "line", "workload", "message"}
APPLIED_KEYS = {"created", "configured", "unchanged", "deleted", "failed"}


def day(number):
    """The creation time of an image that is built on that day."""
    return _FIRST_DAY + datetime.timedelta(days=number)


def check_report(report):
    """The keys that docs/interface.md promises are all there."""
    assert REPORT_KEYS <= set(report), report
    for keys, entries in ((CHANGE_KEYS, report["changes"]), (HELD_KEYS, report["held"]),
                          (ERROR_KEYS, report["errors"]), (APPLIED_KEYS, [report["applied"]])):
        for entry in entries:
            assert keys <= set(entry), entry


class Site:
    """`start` fills the repository; `once` runs a round and returns the repository's report.

    `result` is the last run's. `url` and `target` are what pawl is told; a test may change them.
    """

    def __init__(self, pawl, registry, repo, target):
        self.pawl, self.registry, self.repo = pawl, registry, repo
        self.url = repo.url
        self.target = target
        self.deploy_to = f"dir:{target}"
        self.result = None

    def image(self, name, tag):
        return f"{self.registry.host}/{name}:{tag}"

    def push(self, name, *tags, first_day=1, **options):
        """Pushes the tags, each built a day after the one before."""
        for number, tag in enumerate(tags):
            self.registry.push(name, tag, created=day(first_day + number), **options)

    def start(self, files):
        """Commits the first files."""
        return self.repo.commit(files, "the beginning")

    @property
    def options(self):
        return ["--git-url", self.url, "--deploy-to", self.deploy_to]

    def once(self, *options, rc=0, **how):
        """Runs `pawl once -o json`, which must end with `rc`; returns the report of its one repository."""
        self.result = self.pawl.expect(rc, "once", *self.options, "-o", "json", *options, **how)
        reports = self.result.json["repositories"]
        assert len(reports) == 1, reports
        check_report(reports[0])
        return reports[0]

    def serve(self, *options, **how):
        """Runs `pawl serve` with intervals that a test can wait for."""
        return self.pawl.serve(*self.options, "--git-poll-interval", "500ms", "--registry-poll-interval", "500ms",
                               *options, **how)

    def applied(self, path):
        """The bytes of a file in the target, None when there is none."""
        file = self.target / path
        return file.read_bytes() if file.exists() else None

    def has_pushed(self, subject):
        """Whether a commit with this subject is on the branch."""
        return any(commit.subject == subject for commit in self.repo.log())
