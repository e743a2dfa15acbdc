#!/usr/bin/python3
"""What `pawl serve` is like after a long while: does it grow, does it lose or repeat an update?

40 workloads follow a real registry with a poll interval of two seconds and a real memcached, while tags are pushed at
random, somebody else commits, and registry and memcached are stopped and started. A minute of this is some hundred
rounds and fifty commits. Prints resident memory, descriptors and commits, and ends with 1 unless every tag that was
pushed last is in git and no image was released twice.

    cmake --preset release && cmake --build --preset release
    /usr/bin/python3 tests/bench/soak.py [--minutes N] [--seed N]
"""

import argparse
import contextlib
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from parts.gitrepo import GitRepo  # noqa: E402  (the path must be set first)
from parts.manifests import workload  # noqa: E402
from parts.memcached import Memcached  # noqa: E402
from parts.pawl import Pawl  # noqa: E402
from parts.process import PartFailed  # noqa: E402
from parts.registry import Registry  # noqa: E402
from parts.site import Site  # noqa: E402

PAWL = pathlib.Path(os.environ.get("PAWL_BIN", ROOT / "build" / "pawl"))
WORKLOADS = 40
POLICIES = ("semver:1", "glob:*", "regexp:^1")


def size(pid):
    """Resident memory (all, anonymous) in MiB, and open descriptors."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rss, anonymous = (int(re.search(rf"{key}:\s+(\d+)", status).group(1)) / 1024 for key in ("VmRSS", "RssAnon"))
    return rss, anonymous, len(os.listdir(f"/proc/{pid}/fd"))


class Churn:
    """What happens around pawl."""

    def __init__(self, site, memcached, seed):
        self.site, self.memcached, self.chance = site, memcached, random.Random(seed)
        self.newest = dict.fromkeys(range(WORKLOADS), 0)
        for n in range(WORKLOADS):
            site.push(f"app{n}", "1.0.0")
        site.start({f"{n}.yaml": workload(f"w{n}", site.image(f"app{n}", "1.0.0"), policy=POLICIES[n % 3])
                    for n in range(WORKLOADS)})

    def _push(self):
        n = self.chance.randrange(WORKLOADS)
        self.newest[n] += 1
        self.site.push(f"app{n}", f"1.{self.newest[n]}.0", first_day=self.newest[n] + 1)

    def _commit(self):
        with contextlib.suppress(PartFailed):  # overtaken by pawl
            self.site.repo.commit({f"note{self.chance.randrange(7)}.yaml": self.chance.choice(("a: 1\n", "a: [\n"))})

    def _outage(self, part, seconds):
        part.stop()
        time.sleep(seconds)
        part.start()

    def step(self):
        what = self.chance.random()
        if what < 0.7:
            self._push()
        elif what < 0.9:
            self._commit()
        elif what < 0.95:
            self._outage(self.site.registry, 3)
        else:
            self._outage(self.memcached, 2)
        time.sleep(0.5)

    def is_done(self):
        return all(f":1.{minor}.0".encode() in self.site.repo.read(f"{n}.yaml") for n, minor in self.newest.items())


def released(repo):
    """Each image that a commit of automation brought."""
    return [image for commit in repo.log() if commit.subject.startswith("Auto-release")
            for image in set(re.findall(r"app\d+:1\.\d+\.0", commit.subject + commit.body))]


def soak(site, memcached, options):
    churn = Churn(site, memcached, options.seed)
    with site.serve("--git-poll-interval", "2s", "--registry-poll-interval", "2s", "--sync-interval", "5s",
                    "--memcached-hostname", "127.0.0.1", "--memcached-port", memcached.port) as daemon:
        began = said = time.monotonic()
        while (now := time.monotonic()) < began + 60 * options.minutes:
            churn.step()
            if now >= said:
                said += 60
                rss, anonymous, descriptors = size(daemon.process.child.pid)
                print(f"{(now - began) / 60:5.1f} min  {rss:6.1f} MiB resident, {anonymous:5.1f} anonymous  "
                      f"{descriptors:4} descriptors  {len(site.repo.log()):5} commits", flush=True)
        daemon.wait_until(churn.is_done, "the newest of all", timeout=120)
        rss, anonymous, descriptors = size(daemon.process.child.pid)
    images = released(site.repo)
    print(f"  end      {rss:6.1f} MiB resident, {anonymous:5.1f} anonymous  {descriptors:4} descriptors")
    print(f"updates {len(images)}, of them repeated {len(images) - len(set(images))}, lost 0")
    return 0 if len(images) == len(set(images)) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-soak."))
    registry, memcached = Registry(folder / "registry"), Memcached(folder / "memcached")
    try:
        site = Site(Pawl(PAWL, folder / "home"), registry, GitRepo(folder / "gitops.git"), folder / "target")
        return soak(site, memcached, options)
    finally:
        registry.stop()
        memcached.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
