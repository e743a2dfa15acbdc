"""A registry that says what a test scripts, down to the bytes on the wire.

It is for what no real registry can be brought to do: hang in the middle of a header, send a body without end, list tags
that break the rules, lead to another host. `parts.faults.FaultProxy` spoils single answers of a real registry;
this one makes all of its answers up.

A part of the answers is a function of (request, connection): it sends what it likes with `connection.reply(…)` or
`connection.send(bytes)`, may sleep, and returns. What no part is for gets 404.
"""

import contextlib
import dataclasses
import hashlib
import json
import socket
import ssl
import struct
import threading
import time

LOOPBACK = "127.0.0.1"
_HOLD_S = 120  # longer than any test


@dataclasses.dataclass(frozen=True)
class Request:
    """What came: `headers` have lower-case names."""

    method: str
    target: str
    headers: dict


class Connection:
    """One client's; `is_open` turns false when it must not be read from again."""

    def __init__(self, sock, server):
        self.socket, self.server, self.is_open = sock, server, True

    def send(self, data):
        self.socket.sendall(data)

    def reply(self, status, body=b"", headers=None):
        """A whole, well-formed answer; `body` is bytes or what becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.send(f"HTTP/1.1 {status} -\r\nContent-Length: {len(data)}\r\n{lines}\r\n".encode() + data)

    def reset(self):
        """Breaks the connection off with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.is_open = False
        self.socket.close()

    def hold(self):
        """Says nothing more until the client or the test has had enough."""
        self.is_open = False
        self.server.stopped.wait(_HOLD_S)

    def drip(self, data, interval_s=1.0):
        """Sends a byte at a time."""
        self.is_open = False
        for byte in data:
            self.send(bytes([byte]))
            if self.server.stopped.wait(interval_s):
                return


class FaultServer:
    """`host` is what stands before the slash in an image name; `seen` lists the requests in order.

    `certificate` (parts.tls) makes it speak https.
    """

    def __init__(self, *, certificate=None):
        self.stopped = threading.Event()
        self.seen = []
        self._parts = []
        self._sockets = set()
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate.certificate, certificate.key)
        self._listener = socket.create_server((LOOPBACK, 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.host = f"{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    # What it says

    def on(self, text, answer):
        """Answers requests whose target contains `text`; what was said last counts."""
        self._parts.insert(0, (text, answer))

    def has_tags(self, repository, tags):
        """Its list of tags, in one page."""
        self.on(f"/v2/{repository}/tags/list", lambda _, connection: connection.reply(200, {"tags": tags}))

    def has_image(self, repository, tag, created):
        """A tag's manifest and its config; `created` is RFC 3339 text."""
        config = json.dumps({"os": "linux", "architecture": "amd64", "created": created, "tag": tag}).encode()
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        media = "application/vnd.oci.image.config.v1+json"
        manifest = {"schemaVersion": 2, "layers": [],
                    "config": {"mediaType": media, "digest": digest, "size": len(config)}}
        self.on(f"/v2/{repository}/manifests/{tag}", lambda _, connection: connection.reply(200, manifest))
        self.on(f"/v2/{repository}/blobs/{digest}", lambda _, connection: connection.reply(200, config))

    def authorizations(self):
        """All credentials that were sent here."""
        return [request.headers["authorization"] for request in self.seen if "authorization" in request.headers]

    # Connections

    def _accept(self):
        while not self.stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.add(sock)
            threading.Thread(target=self._converse, args=(sock,), daemon=True).start()

    def _converse(self, sock):
        with contextlib.suppress(OSError, ValueError):
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.add(sock)
            connection = Connection(sock, self)
            with sock.makefile("rb") as reader:
                while connection.is_open and (request := self._read(reader)):
                    self.seen.append(request)
                    self._answer_for(request.target)(request, connection)
        with contextlib.suppress(OSError):
            sock.close()

    def _answer_for(self, target):
        return next((answer for text, answer in self._parts if text in target),
                    lambda _, connection: connection.reply(404, {"errors": [{"code": "NAME_UNKNOWN"}]}))

    @staticmethod
    def _read(reader):
        words = reader.readline().decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/"):
            return None
        headers = {}
        while line := reader.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        reader.read(int(headers.get("content-length", 0)))
        return Request(words[0], words[1], headers)


def wait_for(condition, seconds=10.0):
    """Whether `condition()` came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
