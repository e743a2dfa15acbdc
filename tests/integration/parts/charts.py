"""A Helm repository over HTTP: a folder with an index.yaml, as `helm repo index` writes it, and a static file server.

That is all that a Helm repository is; the server answers conditional requests as nginx, GitHub Pages and object stores do.
"""

import base64
import collections
import email.utils
import hashlib
import http.server
import threading
import time

from parts.process import LOOPBACK, free_port

Request = collections.namedtuple("Request", "path status size authorization")


class ChartRepository:
    """`url` is what a HelmRepository names; `requests` lists what was asked, in order.

    `validators` are the headers that it answers with: "ETag", "Last-Modified". With `user` it wants HTTP Basic.
    """

    def __init__(self, path="stable", *, validators=("ETag",), user=None, password=None):
        self.port = free_port()
        self.host = f"{LOOPBACK}:{self.port}"
        self.path = f"/{path}" if path else ""
        self.url = f"http://{self.host}{self.path}"
        self.validators = validators
        self.requests = []
        self.charts = {}
        self.text = None  # instead of what the charts make
        self._changed = int(time.time()) - 86400
        self._authorization = user and "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, self.port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, chart, *versions, created="2024-01-01T12:00:00.123456789Z"):
        for version in versions:
            self.charts.setdefault(chart, {})[version] = created
        self._changed += 1

    def remove(self, chart, *versions):
        for version in versions:
            del self.charts[chart][version]
        self._changed += 1

    def index(self):
        """As Helm writes it: block style, charts by name."""
        if self.text is not None:
            return self.text
        lines = ["apiVersion: v1", "entries:"]
        for chart in sorted(self.charts):
            lines.append(f"  {chart}:")
            for version, created in self.charts[chart].items():
                digest = hashlib.sha256(f"{chart}-{version}".encode()).hexdigest()
                lines += ["  - apiVersion: v2", f'    created: "{created}"', "    description: |-",
                          "      entries:", "        other:", f"    digest: {digest}", f"    name: {chart}", "    urls:",
                          f"    - {self.url}/{chart}-{version}.tgz", f"    version: {version}"]
        return "\n".join([*lines, 'generated: "2024-01-01T12:00:00Z"', ""])

    def _handler(self):
        repository = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                body = repository.index().encode()
                authorization = self.headers.get("Authorization")
                etag = f'"{hashlib.sha256(body).hexdigest()}"'
                date = email.utils.formatdate(repository._changed, usegmt=True)
                status = 200
                if self.path != f"{repository.path}/index.yaml":
                    status = 404
                elif repository._authorization and authorization != repository._authorization:
                    status = 401
                elif "ETag" in repository.validators and self.headers.get("If-None-Match") == etag:
                    status = 304
                elif "Last-Modified" in repository.validators and self.headers.get("If-Modified-Since") == date:
                    status = 304
                sent = body if status == 200 else b""
                self.send_response(status)
                if "ETag" in repository.validators:
                    self.send_header("ETag", etag)
                if "Last-Modified" in repository.validators:
                    self.send_header("Last-Modified", date)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="charts"')
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)
                repository.requests.append(Request(self.path, status, len(sent), authorization))

            def log_message(self, *_):
                pass

        return Handler
