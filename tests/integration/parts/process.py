"""Starting and stopping the servers that tests need."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

LOOPBACK = "127.0.0.1"
_handed_out = set()


class PartFailed(Exception):
    """A part did not start or died; the text has the end of its log."""


def free_port():
    """Returns a loopback port that nobody listens on and that this session has not handed out before.

    It lies below the ports that the kernel gives to outgoing connections, so a server that is stopped finds its port
    free when it is started again.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            if port not in _handed_out:
                _handed_out.add(port)
                return port


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_until(condition, what, timeout=30.0, interval=0.02):
    """Waits until `condition()` is true and returns its value; raises TimeoutError naming `what`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(interval)


def clean_environment(home, **extra):
    """An environment that knows nothing of the person who runs the tests."""
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    environment.update({name: str(value) for name, value in extra.items()})
    return environment


class Process:
    """One program running beside the tests, its output in a log file.

    The kernel kills it if the test run itself is killed (setpriv's pdeathsig; the process id stays the program's own).
    """

    def __init__(self, name, argv, folder, env=None):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / f"{name}.log"
        self.env = env
        self.child = None

    def start(self, ready=None, timeout=30.0):
        """Starts the program and waits until `ready()` is true."""
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self.argv],
                cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        if ready is None:
            return self

        def ready_or_dead():
            if self.child.poll() is not None:
                raise PartFailed(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")
            return ready()

        try:
            wait_until(ready_or_dead, f"{self.name} to be ready", timeout)
        except TimeoutError as error:
            self.stop()
            raise PartFailed(f"{error}:\n{self.tail()}") from error
        except PartFailed:
            self.child = None
            raise
        return self

    @property
    def pid(self):
        return self.child.pid if self.child else None

    @property
    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, lines=30):
        return "\n".join(self.log().splitlines()[-lines:])

    def stop(self, sig=signal.SIGTERM, timeout=10.0):
        """Ends the program, with force if it does not go; returns its exit code (None if it never ran)."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(sig)
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        code = self.child.returncode
        self.child = None
        return code


def run(argv, *, env=None, cwd=None, stdin=None, timeout=60):
    """Runs a helper program to its end and returns its stdout as bytes; raises with its stderr when it fails."""
    done = subprocess.run([str(word) for word in argv], env=env, cwd=cwd, input=stdin, capture_output=True,
                          timeout=timeout, check=False)
    if done.returncode != 0:
        raise PartFailed(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n"
                         f"{done.stderr.decode(errors='replace')}")
    return done.stdout
