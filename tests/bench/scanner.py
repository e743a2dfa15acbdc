#!/usr/bin/python3
"""What scanning costs, against a registry that answers faster than anything can ask (load_server.c).

Prints the figures that docs/benchmarks.md shows; each section is one of its tables.

    cmake --preset release -DPAWL_BENCH=ON && cmake --build --preset release
    /usr/bin/python3 tests/bench/scanner.py [cold|steady|million|skopeo|large ...] [--runs N] [--scale PERCENT]
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from parts.gitrepo import GitRepo  # noqa: E402  (the path must be set first)
from parts.memcached import Memcached  # noqa: E402
from parts.process import wait_until  # noqa: E402

PAWL = pathlib.Path(os.environ.get("PAWL_BIN", ROOT / "build" / "pawl"))
SERVER = pathlib.Path(os.environ.get("LOAD_SERVER_BIN", ROOT / "build" / "tests" / "bench" / "load_server"))
IN_FLIGHT = 8  # pawl's to one host
UNLIMITED = ["--registry-rps", "1000000", "--registry-burst", "1000000"]
TICKS = os.sysconf("SC_CLK_TCK")
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  namespace: shop
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.app: {policy}
spec:
  selector: {{matchLabels: {{app: app-{n}}}}}
  template:
    metadata: {{labels: {{app: app-{n}}}}}
    spec:
      containers:
      - name: app
        image: {host}/bench/app-{n}:{tag}
"""


class LoadServer:
    """The running server: `host`, and its counts of requests by kind."""

    def __init__(self, repositories, tags):
        self.newest = f"1.0.{max(100, 10 ** len(str(tags - 1))) + tags - 1}"
        self.repositories, self.tags = repositories, tags
        self.process = subprocess.Popen([str(SERVER), "--repositories", str(repositories), "--tags", str(tags)],
                                        stdout=subprocess.PIPE, text=True)
        self.host = self.process.stdout.readline().strip()

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.host}{path}", timeout=120) as answer:
            return answer.read()

    def take_counts(self):
        """The counts since the last time."""
        return {kind: count for kind, count in json.loads(self.get("/reset")).items() if count}

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Place:
    """A repository with a workload for each image, and what pawl keeps between runs."""

    def __init__(self, folder, server, policy):
        self.folder = folder
        self.state = folder / "state"
        (folder / "home").mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "XDG_STATE_HOME": str(self.state)}
        self.repository = GitRepo(folder / "gitops.git")
        self.repository.commit({f"releases/app-{n}/deployment.yaml": MANIFEST.format(
            n=n, host=server.host, tag=server.newest, policy=policy) for n in range(server.repositories)}, "workloads")
        self.options = ["--git-url", str(self.repository.path), "--deploy-to", "none", "--registry-tag-limit", "1000000",
                        *UNLIMITED]

    def once(self, *options):
        """Runs a round that must find nothing to do; returns (wall s, CPU s, peak MiB)."""
        return run([PAWL, "once", *self.options, *options], self.environment)

    def forget_images(self):
        shutil.rmtree(self.state / "pawl" / "cache.lmdb", ignore_errors=True)
        with contextlib.suppress(OSError):
            (self.state / "pawl" / "cache.lmdb").unlink()


class PeakWatch(threading.Thread):
    """The most memory that a process had resident, read every 20 ms. The kernel's own figure (ru_maxrss) would not do:
    it begins with the memory of whoever forked."""

    def __init__(self, pid, program):
        super().__init__(daemon=True)
        self.folder, self.program = pathlib.Path(f"/proc/{pid}"), os.path.basename(program)
        self.peak_mib = 0.0
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while (status := (self.folder / "status").read_text()) and "VmHWM" in status:
                if status.split("\n", 1)[0].split()[1] == self.program:
                    self.peak_mib = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
                time.sleep(0.02)


def run(arguments, environment=None):
    """Runs a command that must succeed; returns (wall s, CPU s, peak resident MiB)."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(each) for each in arguments], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=errors)
        peak = PeakWatch(process.pid, str(arguments[0]))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{arguments[0]}: exit code {process.returncode}: {errors.read(500).decode(errors='replace')}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, peak.peak_mib


def show(what, value, unit, goal="", digits=2):
    print(f"  {what:<58} {value:>10.{digits}f} {unit:<5} {goal}", flush=True)


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


@contextlib.contextmanager
def site(repositories, tags, policy):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-bench."))
    server = LoadServer(repositories, tags)
    try:
        yield server, Place(folder, server, policy)
    finally:
        server.stop()
        shutil.rmtree(folder)


def cold(options):
    """A cold scan by date against curl for the same URLs, with as many in flight, in turns."""
    repositories, tags = 1000 * options.scale // 100, 100
    with site(repositories, tags, "glob:1.0.*") as (server, place):
        config = place.folder / "urls"
        config.write_text("".join(f'url = "http://{server.host}{path}"\noutput = "/dev/null"\n'
                                  for path in server.get("/urls").decode().split()))
        curl = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", IN_FLIGHT, "--config", config]
        place.once()  # the mirror is there
        ours, theirs = [], []
        for _ in range(options.runs):
            server.take_counts()
            theirs.append(run(curl))
            counted = server.take_counts()
            place.forget_images()
            ours.append(place.once())
            if {**server.take_counts(), "connections": 0} != {**counted, "connections": 0}:
                sys.exit("pawl and curl did not ask for the same")
        (pawl_s, pawl_cpu, peak), (curl_s, curl_cpu, _) = medians(ours), medians(theirs)
        print(f"cold scan, {repositories} repositories × {tags} tags by date: {counted}; medians of {options.runs}")
        show("pawl once, wall", pawl_s, "s")
        show("curl --parallel, wall", curl_s, "s")
        show("pawl / curl, wall", statistics.median(a[0] / b[0] for a, b in zip(ours, theirs)), "", "wanted ≤ 1.25")
        show("pawl / curl, CPU", pawl_cpu / curl_cpu, "")
        show("pawl once, CPU", pawl_cpu, "s")
        show("curl, CPU", curl_cpu, "s")
        show("pawl once, peak resident", peak, "MiB", digits=1)


class Daemon:
    """A running `pawl serve` and what the kernel says of it."""

    def __init__(self, place, *options):
        self.log = place.folder / "serve.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(PAWL), "serve", *place.options, *map(str, options)],
                                            env=place.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mib(self, key="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30) != 0:
            sys.exit(f"pawl serve: {self.log.read_text()[-500:]}")


def watch(server, daemon, interval_s, intervals):
    """Lets the daemon run for so long; returns (requests by kind, CPU s an interval)."""
    server.take_counts()
    cpu = daemon.cpu_s()
    time.sleep(interval_s * intervals)
    return server.take_counts(), (daemon.cpu_s() - cpu) / intervals


def steady(options):
    """What a daemon asks when nothing is new."""
    repositories, interval_s, intervals = 1000 * options.scale // 100, 5, 6
    with site(repositories, 100, "glob:1.0.*") as (server, place):
        place.once()
        server.take_counts()
        place.once()
        print(f"steady state, {repositories} repositories × 100 tags by date, warm cache")
        print(f"  pawl once, asked: {server.take_counts()}")
        daemon = Daemon(place, "--registry-poll-interval", f"{interval_s}s")
        time.sleep(2 * interval_s)
        counts, cpu = watch(server, daemon, interval_s, intervals)
        print(f"  pawl serve, asked in {intervals} intervals of {interval_s} s: {counts}")
        show("tag lists per repository and interval", counts["tags"] / repositories / intervals, "", "wanted 1.00")
        show("other requests", sum(counts.values()) - counts["tags"] - counts.get("connections", 0), "", "wanted 0", 0)
        show("CPU per interval", cpu, "s")
        daemon.stop()


def million(options):
    """A daemon that knows a million tags."""
    repositories, interval_s, intervals = 1000 * options.scale // 100, 20, 3
    with site(repositories, 1000, "semver:1") as (server, place):
        first = place.once()
        warm = medians([place.once() for _ in range(options.runs)])
        print(f"{repositories} repositories × 1000 tags, by version; medians of {options.runs}")
        show("pawl once, nothing new: CPU", warm[1], "s", "wanted ≤ 1")
        show("pawl once, nothing new: wall", warm[0], "s")
        show("pawl once, the first: CPU", first[1], "s")
        show("pawl once, peak resident", warm[2], "MiB", "wanted ≤ 64", 1)
        daemon = Daemon(place, "--registry-poll-interval", f"{interval_s}s")
        time.sleep(interval_s * 1.5)
        counts, cpu = watch(server, daemon, interval_s, intervals)
        show("pawl serve, CPU per interval", cpu, "s", f"wanted ≤ 1; asked {counts}")
        show("pawl serve, resident", daemon.resident_mib(), "MiB", "wanted ≤ 64", 1)
        show("pawl serve, peak resident", daemon.resident_mib("VmHWM"), "MiB", digits=1)
        daemon.stop()


def skopeo(options):
    """The tag lists of 200 repositories, and what skopeo takes for them: a process each, one after another or as many
    at once as pawl has requests."""
    with site(200, 100, "semver:1") as (server, place):
        place.once()
        names = place.folder / "names"
        names.write_text("".join(f"docker://{server.host}/bench/app-{n}\n" for n in range(200)))
        rows = {"ours": [], "one": [], "eight": []}
        for _ in range(options.runs):
            rows["ours"].append(place.once())
            for which, parallel in (("one", 1), ("eight", IN_FLIGHT)):
                rows[which].append(run(["xargs", "-a", names, "-n", 1, "-P", parallel, "skopeo", "list-tags",
                                        "--tls-verify=false"]))
        wall = {which: statistics.median(row[0] for row in each) for which, each in rows.items()}
        version = subprocess.run(["skopeo", "--version"], capture_output=True, text=True, check=True).stdout.strip()
        print(f"200 repositories × 100 tags against {version}; medians of {options.runs}")
        show("pawl once, the whole round, wall", wall["ours"], "s", digits=3)
        show("skopeo list-tags, one after another, wall", wall["one"], "s", digits=3)
        show(f"skopeo list-tags, {IN_FLIGHT} at once, wall", wall["eight"], "s", digits=3)
        show("skopeo, one after another / pawl", wall["one"] / wall["ours"], "", "wanted ≥ 10")
        show(f"skopeo, {IN_FLIGHT} at once / pawl", wall["eight"] / wall["ours"], "", "wanted ≥ 10")


def large(options):
    """One repository of 100,000 tags, kept in memcached: listed, compared with what was known, and stored."""
    with site(1, 100_000, "semver:1") as (server, place):
        memcached = Memcached(place.folder / "memcached", megabytes=256)
        try:
            cache = ["--cache", f"memcached://{memcached.address}"]
            place.once(*cache)
            server.take_counts()
            rows = [place.once(*cache) for _ in range(options.runs)]
            counts = server.take_counts()
            wall, cpu, peak = medians(rows)
            stored = memcached.stats()["bytes"] / 1024
        finally:
            memcached.stop()
        print(f"one repository of 100,000 tags, by version, memcached; medians of {options.runs}")
        show("pages asked for per round", counts["tags"] / options.runs, "", digits=0)
        show("pawl once, CPU", cpu, "s", "wanted < 1")
        show("pawl once, wall", wall, "s")
        show("pawl once, peak resident", peak, "MiB", digits=1)
        show("stored in memcached", stored, "KiB", digits=0)


SECTIONS = {"cold": cold, "steady": steady, "million": million, "skopeo": skopeo, "large": large}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=int, default=100, help="percent of the repositories")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}")
    for name in options.sections or SECTIONS:
        SECTIONS[name](options)


if __name__ == "__main__":
    main()
