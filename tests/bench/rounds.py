#!/usr/bin/python3
"""What rounds cost in a large repository: 10,000 manifests, 5,000 workloads, 500 image repositories of 1,000 tags each.

Every workload is automated and up to date; 60 % go by version, 40 % by date. The answers of the registries come from a
cache file, git is a local repository. Measured are a process that begins (manifests, answers and decisions; the first
fetch is done before), a round in which nothing has changed, and one that puts newer images of 100 image repositories
(1,000 workloads) into one commit and pushes it. Prints the table that docs/benchmarks.md shows.

    cmake --preset release -DPAWL_BENCH=ON && cmake --build --preset release
    /usr/bin/python3 tests/bench/rounds.py [--runs N]
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from parts.gitrepo import GitRepo  # noqa: E402  (the path must be set first)

PROGRAM = pathlib.Path(os.environ.get("ROUNDS_BIN", ROOT / "build" / "tests" / "bench" / "rounds"))
WORKLOAD = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  namespace: team-{team}
  labels:
    app.kubernetes.io/name: app-{n}
    app.kubernetes.io/part-of: shop
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.app: {policy}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app-{n}
  template:
    metadata:
      labels:
        app: app-{n}
    spec:
      serviceAccountName: app-{n}
      containers:
      - name: app
        image: registry.example.com/team/app-{repository}:{tag} # kept up to date
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: LOG_LEVEL
          value: info
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
        resources:
          requests: {{cpu: 10m, memory: 64Mi}}
          limits: {{memory: 128Mi}}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: app-{n}
  namespace: team-{team}
  labels:
    app.kubernetes.io/name: app-{n}
spec:
  selector:
    app: app-{n}
  ports:
  - name: http
    port: 80
    targetPort: http
"""


def version_of(tags):
    last = tags - 1
    return f"1.{last // 20}.{last % 20}"


def build_of(tags):
    last = (tags - 1) // 10 * 10
    return f"main-{last:06d}-{last * 2654435761 % 2 ** 32:08x}"


def files_of(workloads, repositories, tags):
    files = {}
    for n in range(workloads):
        repository, team = n % repositories, n % 50
        kind = repository % 5
        policy = {3: '"glob:main-*"', 4: "'regexp:^main-(\\d+)-'"}.get(kind, "semver:~1")
        tag = build_of(tags) if kind >= 3 else version_of(tags)
        files[f"teams/{team}/app-{n}/deployment.yaml"] = WORKLOAD.format(
            n=n, team=team, policy=policy, repository=repository, tag=tag)
        files[f"teams/{team}/app-{n}/service.yaml"] = SERVICE.format(n=n, team=team)
    return files


def measure(folder, options):
    """One run in a process of its own, on a repository and a cache that were just made."""
    source, data = folder / "gitops.git", folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(source, ignore_errors=True)
    data.mkdir()
    GitRepo(source).commit(files_of(options.workloads, options.repositories, options.tags), "workloads")
    subprocess.run([PROGRAM, "fill", data, str(options.repositories), str(options.tags)], check=True)
    wrapper = options.wrapper.split() if options.wrapper else []
    out = subprocess.run([*wrapper, PROGRAM, "run", data, source, str(options.updated)], check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=int, default=5000)
    parser.add_argument("--repositories", type=int, default=500)
    parser.add_argument("--tags", type=int, default=1000)
    parser.add_argument("--updated", type=int, default=100, help="image repositories that get a newer tag")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--wrapper", default="", help="a program that runs the measured one, as `perf record -g`")
    parser.add_argument("--raw", action="store_true", help="what each run said")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pawl-bench."))
    try:
        results = [measure(folder, options) for _ in range(options.runs)]
    finally:
        shutil.rmtree(folder)
    if options.raw:
        for result in results:
            print(json.dumps(result))
    first = results[0]
    print(f"{first['files']} manifests, {first['containers']} containers, {options.repositories} image repositories of "
          f"{options.tags} tags; medians of {options.runs} runs, wall time and CPU time of the process")
    rows = (("cold", "load and choose, cold"), ("unchanged", "nothing has changed"), ("fetch", "of that, asking git"),
            ("update", f"{first['images_updated']} newer images: decisions and edits"), ("commit", "their commit"),
            ("push", "the push of it"))
    for name, label in rows:
        wall, cpu = (statistics.median(result[name][key] for result in results) for key in ("wall_ms", "cpu_ms"))
        print(f"{label:<42} {wall:8.1f} ms {cpu:8.1f} ms CPU")
    print(f"{'peak resident memory':<42} {max(result['peak_mib'] for result in results):8.1f} MiB")


if __name__ == "__main__":
    main()
