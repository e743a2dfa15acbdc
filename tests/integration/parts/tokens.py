"""The token server of a registry with bearer authentication (the `WWW-Authenticate: Bearer realm=…` dance)."""

import base64
import http.server
import json
import secrets
import threading
import time
import urllib.parse

from parts.process import LOOPBACK, free_port, run
from parts.registry import basic_auth


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    """Signs tokens that docker-registry verifies against `certificate`.

    `users` maps names to passwords; they may do everything. Without credentials one may pull from repositories whose
    name starts with `public_prefix`; anything else asked for is left out of the token, as the specification says, and
    the registry then refuses. `identity_tokens` maps refresh tokens to users, for the OAuth2 form (POST). `lifetime_s` is what the client is told; `response_key` is the name of the token in the
    answer ("token", or "access_token" as OAuth servers have it). `seen` lists the requests: (user or None, scopes).
    """

    service, issuer = "the tests' registry", "the tests' token server"

    def __init__(self, certificate, *, users=None, public_prefix="public/"):
        self.certificate = certificate.certificate
        self._key = certificate.key
        der = run(["openssl", "x509", "-in", self.certificate, "-outform", "DER"])
        self._chain = [base64.b64encode(der).decode()]
        self.users = users if users is not None else {"robot": "secret with spaces"}
        self.identity_tokens = {}
        self.public_prefix = public_prefix
        self.lifetime_s = 300
        self.response_key = "token"
        self.seen = []
        port = free_port()
        self.url = f"http://{LOOPBACK}:{port}/token"
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sign(self, subject, scopes):
        """A token that grants `scopes` (`repository:NAME:action,action`)."""
        now = int(time.time())
        access = [{"type": kind, "name": name, "actions": [a for a in actions.split(",") if a]}
                  for kind, name, actions in (self._parse(scope) for scope in scopes)]
        head = {"typ": "JWT", "alg": "RS256", "x5c": self._chain}
        claims = {"iss": self.issuer, "sub": subject, "aud": self.service, "iat": now, "nbf": now - 10,
                  "exp": now + max(self.lifetime_s, 1), "jti": secrets.token_hex(8), "access": access}
        text = ".".join(_b64(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{_b64(run(['openssl', 'dgst', '-sha256', '-sign', self._key], stdin=text.encode()))}"

    @staticmethod
    def _parse(scope):
        kind, rest = scope.split(":", 1)
        name, actions = rest.rsplit(":", 1)
        return kind, name, actions

    def _public_part(self, scopes):
        for scope in scopes:
            kind, name, actions = self._parse(scope)
            if kind == "repository" and name.startswith(self.public_prefix) and "pull" in actions.split(","):
                yield f"repository:{name}:pull"

    def _user(self, authorization):
        """The user of these credentials, None without any, False when they are wrong."""
        if not authorization:
            return None
        for user, password in self.users.items():
            if secrets.compare_digest(authorization, basic_auth(user, password)):
                return user
        return False

    def _handler(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers GET /token?service=S&scope=A&scope=B, and POST /token with a form."""

            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                scopes = [one for value in query.get("scope", []) for one in value.split(" ") if one]
                return self._grant(owner._user(self.headers.get("Authorization")), query.get("service"), scopes)

            def do_POST(self):  # noqa: N802
                length = int(self.headers["Content-Length"])
                form = urllib.parse.parse_qs(self.rfile.read(length).decode())
                if form.get("grant_type") != ["refresh_token"] or not form.get("client_id"):
                    return self._answer(400, {"errors": [{"code": "UNSUPPORTED GRANT"}]})
                user = owner.identity_tokens.get(form.get("refresh_token", [""])[0], False)
                return self._grant(user, form.get("service"), form.get("scope", [""])[0].split())

            def _grant(self, user, service, scopes):
                owner.seen.append((user or None, scopes))
                if user is False:
                    return self._answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
                if service != [owner.service]:
                    return self._answer(400, {"errors": [{"code": "UNKNOWN SERVICE"}]})
                granted = scopes if user else list(owner._public_part(scopes))
                return self._answer(200, {owner.response_key: owner.sign(user or "", granted),
                                          "expires_in": owner.lifetime_s})

            def _answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
