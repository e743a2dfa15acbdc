"""Git repositories on disk, written and read with the git program."""

import contextlib
import dataclasses
import pathlib
import shlex
import threading

from parts.process import PartFailed, clean_environment, run


@dataclasses.dataclass(frozen=True)
class Commit:
    """One commit as `git log` tells it."""

    sha: str
    author: str
    email: str
    subject: str
    body: str


class GitRepo:
    """A bare repository that stands for the remote.

    Commits are written with fast-import: byte-exact, no work tree, no hooks run, so a hook that a test installs meets
    only what is pushed.
    """

    def __init__(self, path, *, branch="main", home=None):
        self.path = pathlib.Path(path)
        self.branch = branch
        self.env = clean_environment(home or self.path.parent, GIT_CONFIG_GLOBAL="/dev/null")
        self._writing = threading.Lock()
        self._clock = 1_700_000_000
        self.path.parent.mkdir(parents=True, exist_ok=True)
        run(["git", "init", "-q", "--bare", "-b", branch, self.path], env=self.env)
        self.git("config", "http.receivepack", "true")

    @property
    def url(self):
        return f"file://{self.path}"

    def git(self, *arguments, stdin=None):
        """Runs git in the repository and returns its stdout as text."""
        return run(["git", f"--git-dir={self.path}", *arguments], env=self.env, stdin=stdin).decode(errors="replace")

    # Writing

    def commit(self, files, message="a change by hand", *, ref=None, parent=None, author="Ann <ann@example.com>"):
        """Commits `files` ({path: text, bytes, or None to delete}) on a branch and returns the commit's id.

        `parent` is the commit to stand on: by default the head of `ref`, which is by default the branch.
        """
        ref = ref or f"refs/heads/{self.branch}"
        with self._writing:
            parent = parent or self.sha(ref)
            self._clock += 1
            text = message.encode()
            stream = [f"commit {ref}\ncommitter {author} {self._clock} +0000\ndata {len(text)}\n".encode(), text, b"\n"]
            if parent:
                stream.append(f"from {parent}\n".encode())
            for path, content in files.items():
                if content is None:
                    stream.append(f'D {path}\n'.encode())
                    continue
                data = content.encode() if isinstance(content, str) else content
                stream += [f"M 100644 inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]
            self.git("fast-import", "--quiet", "--date-format=raw", stdin=b"".join(stream))
            return self.sha(ref)

    def hook(self, name, script):
        """Installs a server-side hook; `script` is the body of a sh script."""
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def reject_pushes(self, message="pushes are refused by the test"):
        self.hook("pre-receive", f"echo {shlex.quote(message)} >&2; exit 1")

    def accept_pushes(self):
        (self.path / "hooks" / "pre-receive").unlink(missing_ok=True)

    def overtake_next_push(self, files, message="a change that came first"):
        """Lets somebody else's commit land while the next push is under way, so that this push is refused.

        The commit is made now; the hook moves the branch to it after the pusher was told the old head. Returns it.
        """
        sha = self.commit(files, message, ref="refs/tests/overtaking", parent=self.sha())
        mark = self.path / "overtaken"
        mark.unlink(missing_ok=True)
        self.hook("pre-receive", f"[ -e {mark} ] && exit 0\ntouch {mark}\n"
                                 "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
                                 f"git update-ref refs/heads/{self.branch} {sha}")
        return sha

    def overtake_pushes(self, count, subject="somebody was first"):
        """Each of the next `count` pushes finds that somebody's empty commit, on whatever is the head then, was first."""
        marks = self.path / "overtaken-pushes"
        marks.mkdir()
        self.hook("pre-receive", f"[ $(ls {marks} | wc -l) -ge {count} ] && exit 0\n: >{marks}/$$\n"
                                 "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
                                 "export GIT_AUTHOR_NAME=Ben GIT_AUTHOR_EMAIL=ben@example.com\n"
                                 "export GIT_COMMITTER_NAME=Ben GIT_COMMITTER_EMAIL=ben@example.com\n"
                                 f"branch=refs/heads/{self.branch}; head=$(git rev-parse $branch)\n"
                                 f"commit=$(git commit-tree -p $head -m {shlex.quote(subject)} $head^{{tree}})\n"
                                 "git update-ref $branch $commit $head || true")

    @contextlib.contextmanager
    def busy_writer(self, path="busy.txt", interval_s=0.05):
        """Somebody else commits to `path` all the time; yields the list of their commits so far."""
        done, commits = threading.Event(), []

        def write():
            while not done.wait(interval_s):
                with contextlib.suppress(PartFailed):  # overtaken by a push: try again
                    commits.append(self.commit({path: f"{len(commits)}\n"}, f"busy {len(commits)}"))

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        try:
            yield commits
        finally:
            done.set()
            thread.join()

    # Reading

    def sha(self, revision=None):
        """The commit's id (default: the branch's head), None when there is no such revision."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"{revision or self.branch}^{{commit}}").strip()
        except PartFailed:
            return None

    def log(self, revisions=None):
        """The commits of `revisions` (default: the branch), newest first."""
        text = self.git("log", "-z", "--format=%H%x01%an%x01%ae%x01%s%x01%b", revisions or self.branch)
        return [Commit(*entry.split("\x01")) for entry in text.split("\0") if entry]

    def read(self, path, revision=None):
        """A file's bytes at a revision."""
        return run(["git", f"--git-dir={self.path}", "cat-file", "blob", f"{revision or self.branch}:{path}"],
                   env=self.env)

    def files(self, revision=None):
        return self.git("ls-tree", "-r", "-z", "--name-only", revision or self.branch).split("\0")[:-1]

    def diff(self, old=None, new=None):
        """The lines that changed, without context, `-` and `+` first (default: the last commit's)."""
        new = new or self.branch
        text = self.git("diff", "-U0", "--no-color", old or f"{new}^", new)
        return [line for line in text.splitlines()
                if line[:1] in "+-" and not line.startswith(("+++ ", "--- "))]

    def changed_files(self, revision=None):
        return self.git("diff-tree", "--no-commit-id", "--name-only", "-r", revision or self.branch).split()

    def refs(self):
        """Every ref and what it points at."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)
