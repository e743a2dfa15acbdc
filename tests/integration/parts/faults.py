"""A proxy before a real HTTP server that fails on request: the one scripted part.

Real registries throttle, stall and break off, and send tag lists in pages; docker-registry cannot be told to. The proxy
passes everything through to it except what a rule says otherwise.
"""

import collections
import contextlib
import http.client
import http.server
import json
import threading
import time
import urllib.parse

from parts.process import LOOPBACK, free_port

Answer = collections.namedtuple("Answer", "method path status has_credentials")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}


class Rule:
    """What to do to the requests whose path contains `path`, `times` times (None: always)."""

    def __init__(self, path, times, *, status=None, headers=None, body=b"", delay_s=0.0, cut_after=None):
        self.path, self.times = path, times
        self.status, self.headers, self.body = status, headers or {}, body
        self.delay_s, self.cut_after = delay_s, cut_after


class FaultProxy:
    """`host` replaces the real server's in an image name. `seen` lists the answers in order."""

    def __init__(self, port):
        self._upstream = port
        self._rules = []
        self._lock = threading.Lock()
        self._page = None
        self.seen = []
        self.port = free_port()
        self.host = f"{LOOPBACK}:{self.port}"
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, self.port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _add(self, rule):
        with self._lock:
            self._rules.append(rule)

    def answer(self, status, *, path="", times=1, headers=None, body=b""):
        """Answers `status` itself: `answer(429, headers={"Retry-After": "1"}, times=3)`."""
        self._add(Rule(path, times, status=status, headers=headers, body=body))

    def delay(self, seconds, *, path="", times=None):
        """Waits before it passes the request on."""
        self._add(Rule(path, times, delay_s=seconds))

    def cut(self, after=0, *, path="", times=1):
        """Passes on `after` bytes of the answer's body and breaks the connection off."""
        self._add(Rule(path, times, cut_after=after))

    def paginate(self, size):
        """Sends tag lists in pages of at most `size`, as the OCI distribution specification describes them."""
        self._page = size

    def heal(self):
        """Forgets all rules."""
        with self._lock:
            self._rules.clear()
        self._page = None

    def _page_of(self, path, headers, data):
        """One page of the whole tag list `data`, and the Link header to the next."""
        address = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(address.query))
        whole = json.loads(data)
        tags = [tag for tag in sorted(whole["tags"]) if tag > query.get("last", "")]
        page = tags[:min(self._page, int(query.get("n", self._page)))]
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        if page and len(page) < len(tags):
            following = urllib.parse.urlencode({"last": page[-1], "n": len(page)})
            headers.append(("Link", f'<{address.path}?{following}>; rel="next"'))
        return headers, json.dumps({**whole, "tags": page}).encode()

    def _take_rule(self, path):
        with self._lock:
            for rule in self._rules:
                if rule.path in path and (rule.times is None or rule.times > 0):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None

    def _handler(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Relays one request, or spoils it."""

            protocol_version = "HTTP/1.1"
            timeout = 60

            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                rule = owner._take_rule(self.path)
                if rule:
                    time.sleep(rule.delay_s)
                if rule and rule.status:
                    status, headers, data = rule.status, list(rule.headers.items()), rule.body
                else:
                    status, headers, data = self._ask(body)
                    if owner._page and status == 200 and "/tags/list" in self.path:
                        headers, data = owner._page_of(self.path, headers, data)
                owner.seen.append(Answer(self.command, self.path, status, "Authorization" in self.headers))
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                length = next((value for name, value in headers if name.lower() == "content-length"), len(data))
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if rule and rule.cut_after is not None:
                    data = data[:rule.cut_after]
                    self.close_connection = True
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def _ask(self, body):
                with contextlib.closing(http.client.HTTPConnection(LOOPBACK, owner._upstream, timeout=60)) as there:
                    # The Host header is the client's own, so that absolute addresses in answers come back here.
                    there.request(self.command, self.path, body or None, dict(self.headers))
                    answer = there.getresponse()
                    return answer.status, answer.getheaders(), answer.read()

            def handle(self):
                with contextlib.suppress(OSError):
                    super().handle()

            def log_message(self, *_):
                pass

        return Handler
