"""Running the pawl binary under test."""

import base64
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

from parts.process import Process, clean_environment, wait_until

_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|SUMMARY: \w+Sanitizer|: runtime error: ")
_LABEL = r'[a-z_]+="(?:[^"\\]|\\.)*"'
_SAMPLE = re.compile(rf"(?P<key>(?P<name>[a-z_:]+)(\{{(?P<labels>{_LABEL}(,{_LABEL})*)\}})?) (?P<value>\S+)")
_SANITIZER_OPTIONS = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH",
                      "TSAN_SYMBOLIZER_PATH", "LLVM_PROFILE_FILE")


class SanitizerReport(AssertionError):
    """A sanitizer spoke; the text is what pawl wrote to stderr."""


def _check_sanitizers(stderr):
    if _REPORT.search(stderr):
        raise SanitizerReport(stderr)


@dataclasses.dataclass(frozen=True)
class Result:
    """What one run of pawl left."""

    argv: list
    rc: int
    stdout: str
    stderr: str

    @property
    def json(self):
        """stdout as JSON; anything else on stdout is a failure."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"stdout is not JSON ({error}):\n{self}") from error

    def __str__(self):
        return f"{' '.join(self.argv)} → {self.rc}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


def _result(argv, rc, stdout, stderr):
    """Bytes to text with every line end as it was: diffs of CRLF files depend on it."""
    stdout, stderr = stdout.decode(errors="replace"), stderr.decode(errors="replace")
    _check_sanitizers(stderr)
    return Result(argv[1:], rc, stdout, stderr)


class Pawl:
    """The binary with a home folder, a state folder and a Docker configuration of its own.

    `env` is what every run has on top of the clean environment; fixtures of other parts put theirs in
    (`pawl.env.update(sshd.environment())`).
    """

    def __init__(self, binary, home):
        self.binary = pathlib.Path(binary).resolve()
        self.home = pathlib.Path(home)
        self.state = self.home / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        self.env = {name: os.environ[name] for name in _SANITIZER_OPTIONS if name in os.environ}
        # Instrumented code is several times slower, and the machine has other things to do.
        self.patience = 5.0 if "TSAN_OPTIONS" in os.environ else 3.0 if "ASAN_OPTIONS" in os.environ else 1.0

    def environment(self, extra=None):
        return clean_environment(self.home, XDG_STATE_HOME=self.state, **{**self.env, **(extra or {})})

    def docker_login(self, host, user, password):
        """Puts credentials where a Docker client keeps them."""
        path = self.home / ".docker" / "config.json"
        path.parent.mkdir(exist_ok=True)
        config = json.loads(path.read_text()) if path.exists() else {"auths": {}}
        config["auths"][host] = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        path.write_text(json.dumps(config))

    def run(self, *arguments, env=None, stdin="", timeout=30.0, cwd=None):
        """Runs a command to its end. Whatever the exit code is, a sanitizer's report is a failure."""
        argv = [str(self.binary), *map(str, arguments)]
        try:
            done = subprocess.run(argv, env=self.environment(env), input=stdin.encode(), capture_output=True,
                                  timeout=timeout * self.patience, cwd=cwd or self.home, check=False)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{' '.join(argv)} did not end within {error.timeout:g} s; stderr:\n"
                                 f"{(error.stderr or b'').decode(errors='replace')}") from error
        return _result(argv, done.returncode, done.stdout, done.stderr)

    def start(self, *arguments, env=None):
        """Starts a command and leaves it running: a Popen, to be ended with `finish` or killed."""
        return subprocess.Popen([str(self.binary), *map(str, arguments)], env=self.environment(env), cwd=self.home,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, child, timeout=30.0):
        """Waits for what `start` started."""
        stdout, stderr = child.communicate(timeout=timeout * self.patience)
        return _result(child.args, child.returncode, stdout, stderr)

    def ok(self, *arguments, **options):
        """Runs a command that must exit with 0."""
        return self.expect(0, *arguments, **options)

    def expect(self, rc, *arguments, **options):
        """Runs a command that must exit with `rc`."""
        result = self.run(*arguments, **options)
        assert result.rc == rc, f"expected exit code {rc}: {result}"
        return result

    @contextlib.contextmanager
    def serve(self, *arguments, env=None, expected_rc=0):
        """Runs `pawl serve`, listening on a free port; on leaving it is asked to end and must do so cleanly."""
        number = len(list(self.home.glob("serve-*.log")))
        if "--listen" not in arguments:
            arguments = (*arguments, "--listen", "127.0.0.1:0")
        process = Process(f"serve-{number}", [self.binary, "serve", *arguments], self.home, self.environment(env))
        daemon = Daemon(process, self.patience)
        process.start(lambda: "started" in process.log(), timeout=15 * self.patience)
        try:
            yield daemon
        finally:
            rc = process.stop(timeout=15 * self.patience)
            _check_sanitizers(process.log())
        if not daemon.was_killed:
            assert rc == expected_rc, f"pawl serve ended with {rc}:\n{process.tail()}"


class _Metric:
    """What parse_metrics has read of one metric."""

    def __init__(self, kind):
        self.kind, self.buckets, self.sums, self.counts = kind, {}, {}, {}

    def take(self, suffix, labels, value):
        """Files a sample of a histogram under its labels without `le`."""
        bound = labels.pop("le", None)
        assert (bound is not None) == (suffix == "_bucket"), (suffix, labels)
        series = tuple(sorted(labels.items()))
        if suffix == "_bucket":
            self.buckets.setdefault(series, []).append((float(bound), value))
        else:
            (self.sums if suffix == "_sum" else self.counts)[series] = value

    def check(self):
        """Buckets rise to +Inf, which is the count; each series has a sum."""
        assert set(self.buckets) == set(self.sums) == set(self.counts)
        for series, buckets in self.buckets.items():
            bounds, values = zip(*buckets)
            assert list(bounds) == sorted(set(bounds)) and bounds[-1] == float("inf"), buckets
            assert list(values) == sorted(values) and values[-1] == self.counts[series], buckets


def _unescaped(text, allowed):
    assert not re.search(rf"\\(?![{allowed}])", re.sub(r"\\\\", "", text)), f"an escape that is none in {text!r}"
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


def parse_metrics(text):
    """Prometheus text (0.0.4) as {'name{labels}': value}.

    Asserts what Prometheus and promtool ask for: HELP and TYPE once and before the samples, the samples of a metric
    together, no sample twice, valid escapes, counters that end in _total and are not negative, whole histograms.
    """
    values, metrics, helped, current = {}, {}, set(), None
    assert text.endswith("\n") or not text
    for line in text.split("\n")[:-1]:
        if match := re.fullmatch(r"# HELP ([a-z_:]+) (\S.*)", line):
            assert match[1] not in helped, f"twice: {line!r}"
            assert _unescaped(match[2], r"n").endswith("."), line
            helped.add(match[1])
        elif match := re.fullmatch(r"# TYPE ([a-z_:]+) (counter|gauge|histogram)", line):
            current = match[1]
            assert current not in metrics and current in helped, line
            assert (match[2] == "counter") == current.endswith("_total"), line
            metrics[current] = _Metric(match[2])
        else:
            _take_sample(line, current, metrics, values)
    for metric in metrics.values():
        metric.check()
    assert helped == set(metrics)
    return values


def _take_sample(line, current, metrics, values):
    match = _SAMPLE.fullmatch(line)
    assert match, f"not a sample: {line!r}"
    assert current, f"no TYPE before {line!r}"
    metric, suffix = metrics[current], match["name"].removeprefix(current)
    value = float(match["value"])
    pairs = re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', match["labels"] or "")
    labels = {name: _unescaped(text, 'n"') for name, text in pairs}
    assert len(labels) == len(pairs), f"a label twice: {line!r}"
    assert match["name"].startswith(current), f"{line!r} among those of {current}"
    assert suffix in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)), line
    assert value >= 0 or metric.kind == "gauge", line
    assert match["key"] not in values, f"twice: {line!r}"
    values[match["key"]] = value
    if metric.kind == "histogram":
        metric.take(suffix, labels, value)


class Daemon:
    """A running `pawl serve`."""

    def __init__(self, process, patience):
        self.process = process
        self.was_killed = False
        self._patience = patience

    def log(self):
        return self.process.log()

    @property
    def address(self):
        """HOST:PORT that it listens on."""
        return self.wait_for_log(r"event=listening address=(\S+)").group(1)

    def http(self, path, body=None, headers=None, method=None):
        """One request to its listener; returns (status, headers, text)."""
        request = urllib.request.Request(f"http://{self.address}{path}", body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10 * self._patience) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def metrics(self):
        """Its metrics as {'name{labels}': value}; every line must be one that Prometheus takes."""
        status, headers, text = self.http("/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return parse_metrics(text)

    def wait_for_log(self, pattern, timeout=20.0):
        """Waits for a log line that the regular expression finds something in; returns the match."""
        return self.wait_until(lambda: re.search(pattern, self.log()), f"/{pattern}/ in the log", timeout)

    def wait_until(self, condition, what, timeout=20.0):
        """Waits for `condition()`; shows the log when it does not come true."""
        def holds():
            assert self.process.is_running or self.was_killed, f"pawl serve is gone:\n{self.process.tail()}"
            return condition()
        try:
            return wait_until(holds, what, timeout * self._patience)
        except TimeoutError as error:
            raise AssertionError(f"{error}; pawl's log:\n{self.process.tail(60)}") from error

    def kill(self):
        """kill -9: nothing of pawl gets to clean up."""
        self.was_killed = True
        self.process.stop(sig=signal.SIGKILL)

    def reload(self):
        self.process.child.send_signal(signal.SIGHUP)
