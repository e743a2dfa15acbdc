#!/usr/bin/python3
"""What `pawl once` costs when there is nothing to do, and what starting pawl costs.

100 workloads, each with an image of its own in a real registry, a local repository, a warm cache; applied to a
directory that has it all already. "The tag lists' own time" is what curl takes for the very same 100 URLs, with as many
at once as pawl has, in the same run and alternating with it. Prints the table that docs/benchmarks.md shows.

    cmake --preset release && cmake --build --preset release
    /usr/bin/python3 tests/bench/once.py [--workloads N] [--runs N]
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from parts.gitrepo import GitRepo  # noqa: E402  (the path must be set first)
from parts.registry import Registry  # noqa: E402

PAWL = pathlib.Path(os.environ.get("PAWL_BIN", ROOT / "build" / "pawl"))
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  namespace: shop
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.app: semver:~1.2
spec:
  selector: {{matchLabels: {{app: app-{n}}}}}
  template:
    metadata: {{labels: {{app: app-{n}}}}}
    spec:
      containers:
      - name: app
        image: {host}/shop/app-{n}:1.2.3
"""


def run(arguments, environment):
    """Runs a command that must succeed; returns the seconds it took."""
    began = time.perf_counter()
    code = subprocess.run([str(each) for each in arguments], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    seconds = time.perf_counter() - began
    if code != 0:
        sys.exit(f"exit code {code}: {' '.join(map(str, arguments))}")
    return seconds


def measure(runs, commands, environment):
    """Alternates the commands; returns name → (median ms, least ms)."""
    seen = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            seen[name].append(run(command, environment) * 1000)
    return {name: (statistics.median(times), min(times)) for name, times in seen.items()}


# The kernel counts what a process had resident before its exec, so the parent must be smaller than the program.
_PEAK = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(os.wait4(process.pid, 0)[2].ru_maxrss)
"""


def peak_mib(runs, command, environment):
    """The greatest resident memory of several runs."""
    small_parent = ["/usr/bin/python3", "-I", "-S", "-c", _PEAK, *map(str, command)]
    return max(int(subprocess.run(small_parent, env=environment, stdout=subprocess.PIPE, check=True).stdout)
               for _ in range(runs)) / 1024


def prepare(folder, registry, workloads):
    """Fills the registry and the repository; returns the URLs of the tag lists and the repository."""
    for n in range(workloads):
        for tag in ("1.2.1", "1.2.2", "1.2.3", "2.0.0"):
            registry.push(f"shop/app-{n}", tag, created="2026-01-01T00:00:00Z")
    repository = GitRepo(folder / "gitops.git")
    repository.commit({f"releases/app-{n}/deployment.yaml": MANIFEST.format(n=n, host=registry.host)
                       for n in range(workloads)}, "workloads")
    return [f"{registry.url}/v2/shop/app-{n}/tags/list?n=1000" for n in range(workloads)], repository


def stripped_size(folder):
    copy = folder / "pawl-stripped"
    shutil.copy(PAWL, copy)
    subprocess.run(["strip", str(copy)], check=True)
    return copy.stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=int, default=100)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-bench."))
    registry = Registry(folder / "registry")
    try:
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "state")}
        (folder / "home").mkdir()
        urls, repository = prepare(folder, registry, options.workloads)
        once = [PAWL, "once", "--git-url", repository.path, "--deploy-to", f"dir:{folder / 'target'}",
                "--registry-rps", "100000", "--registry-burst", "100000"]
        for _ in range(2):  # the first fills the mirror, the cache and the target
            run(once, environment)
        curl_config = folder / "urls"
        curl_config.write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls))
        curl = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", "16", "--config", curl_config]
        result = measure(options.runs, {"once": once, "tag lists": curl, "version": [PAWL, "version"]}, environment)
        once_ms, lists_ms, version_ms = (result[name][0] for name in ("once", "tag lists", "version"))
        print(f"workloads {options.workloads}, runs {options.runs}; medians, least in brackets")
        print(f"pawl once, nothing to do     {once_ms:7.1f} ms ({result['once'][1]:.1f})")
        print(f"the tag lists' own time      {lists_ms:7.1f} ms ({result['tag lists'][1]:.1f})")
        print(f"besides the tag lists        {once_ms - lists_ms:7.1f} ms")
        print(f"peak resident memory         {peak_mib(options.runs, once, environment):7.1f} MiB")
        print(f"pawl version                 {version_ms:7.1f} ms ({result['version'][1]:.1f})")
        print(f"binary, stripped             {stripped_size(folder) / 1024:7.0f} KiB")
    finally:
        registry.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
