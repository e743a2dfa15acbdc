"""memcached servers."""

import os
import signal
import socket

from parts.process import LOOPBACK, Process, free_port, is_listening


class Memcached:
    """One memcached; it keeps its port over `stop()` and `start()`, so a test can take it away and bring it back."""

    def __init__(self, folder, *, megabytes=64):
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        argv = ["memcached", "-l", LOOPBACK, "-p", self.port, "-U", "0", "-m", megabytes]
        if os.getuid() == 0:
            argv += ["-u", "nobody"]
        self.process = Process(f"memcached-{self.port}", argv, folder)
        self.start()

    def start(self):
        """Starts the server, empty."""
        self.process.start(lambda: is_listening(self.port))

    def stop(self):
        # Asked politely it takes a second; it has nothing to save.
        self.process.stop(sig=signal.SIGKILL)

    def restart(self):
        """Stops and starts: everything that was cached is gone."""
        self.stop()
        self.start()

    def command(self, line, end=b"END\r\n"):
        """Sends one line of the text protocol and returns the lines of the answer up to `end`."""
        with socket.create_connection((LOOPBACK, self.port), timeout=5) as connection:
            connection.sendall(line.encode() + b"\r\n")
            answer = b""
            while not answer.endswith(end):
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        return answer.decode(errors="replace").splitlines()[:-1]

    def stats(self):
        """The server's counters by name, numbers as numbers."""
        pairs = (line.split(" ", 2)[1:] for line in self.command("stats") if line.startswith("STAT "))
        return {name: int(value) if value.isdigit() else value for name, value in pairs}

    def keys(self):
        """The keys held, in the form they were stored under."""
        lines = self.command("lru_crawler metadump all")
        return sorted(line.split()[0].removeprefix("key=") for line in lines if line.startswith("key="))

    def flush(self):
        self.command("flush_all", end=b"OK\r\n")
