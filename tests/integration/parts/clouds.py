"""Stand-ins for what is not to be had on a test machine: cloud providers' services, and the way to a registry by the name
that the cloud gives it. Both are scripted here; the registry behind them is a real one.
"""

import base64
import hashlib
import hmac
import http.server
import json
import re
import select
import socket
import threading
import urllib.parse

from parts.process import LOOPBACK


class _Server:
    """An HTTP server on a thread; `url` is where."""

    def __init__(self, handler):
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Tunnel(_Server):
    """An HTTP proxy that takes every CONNECT to one port of this machine; `names` lists what was asked for."""

    def __init__(self, port):
        names = self.names = []

        class Handler(_Quiet):
            def do_CONNECT(self):  # noqa: N802
                names.append(self.path)
                with socket.create_connection((LOOPBACK, port), 10) as there:
                    self.send_response(200)
                    self.end_headers()
                    self._carry(there)
                self.close_connection = True

            def _carry(self, there):
                other = {self.connection: there, there: self.connection}
                while True:
                    for here in select.select(list(other), [], [], 30)[0]:
                        data = here.recv(65536)
                        if not data:
                            return
                        other[here].sendall(data)

        super().__init__(Handler)


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Ecr(_Server):
    """Amazon's GetAuthorizationToken for one key. It computes the signature as AWS documents it (Signature Version 4)."""

    def __init__(self, password, *, region="us-east-1", key_id="AKTEST", secret="key/secret+1", session=None):
        self.password, self.region, self.key_id, self.secret, self.session = password, region, key_id, secret, session
        self.asked = 0
        owner = self

        class Handler(_Quiet):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.asked += 1
                problem = owner.problem(self, body)
                if problem:
                    return self.answer(400, {"__type": "InvalidSignatureException", "message": problem})
                token = base64.b64encode(f"AWS:{owner.password}".encode()).decode()
                return self.answer(200, {"authorizationData": [{"authorizationToken": token, "expiresAt": 1.7e9}]})

        super().__init__(Handler)

    def problem(self, request, body):
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/ecr/aws4_request, ?"
                             r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
                             request.headers.get("Authorization", ""))
        if not match:
            return "no signature"
        key_id, day, region, names, signature = match.groups()
        signed = names.split(";")
        must_be = {"host", "x-amz-date", "x-amz-target"} | ({"x-amz-security-token"} if self.session else set())
        if key_id != self.key_id or region != self.region or not must_be <= set(signed) or signed != sorted(signed):
            return f"signed by {key_id} for {region}: {names}"
        if request.headers.get("X-Amz-Security-Token") != self.session:
            return "another session"
        if not request.headers["X-Amz-Target"].endswith(".GetAuthorizationToken"):
            return "another action"
        headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed)
        canonical = "\n".join(["POST", request.path, "", headers, names, hashlib.sha256(body).hexdigest()])
        scope = f"{day}/{region}/ecr/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", request.headers["X-Amz-Date"], scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + self.secret.encode()
        for part in (day, region, "ecr", "aws4_request"):
            key = _hmac(key, part)
        return None if hmac.compare_digest(_hmac(key, text).hex(), signature) else "the signature does not match"

    def environment(self):
        return {"AWS_ENDPOINT_URL_ECR": self.url, "AWS_ACCESS_KEY_ID": self.key_id,
                "AWS_SECRET_ACCESS_KEY": self.secret, **({"AWS_SESSION_TOKEN": self.session} if self.session else {})}


class GoogleMetadata(_Server):
    """The metadata server of a machine with a service account."""

    def __init__(self, token):
        self.asked = []
        owner = self

        class Handler(_Quiet):
            def do_GET(self):  # noqa: N802
                path = urllib.parse.urlsplit(self.path).path
                owner.asked.append(path)
                if self.headers.get("Metadata-Flavor") != "Google":
                    return self.answer(403, {})
                if path != "/computeMetadata/v1/instance/service-accounts/default/token":
                    return self.answer(404, {})
                return self.answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

        super().__init__(Handler)

    def environment(self):
        return {"GCE_METADATA_HOST": f"{LOOPBACK}:{self.port}"}
