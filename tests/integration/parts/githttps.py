"""Git over https: a small TLS server around `git http-backend`."""

import contextlib
import dataclasses
import http.server
import pathlib
import secrets
import shutil
import ssl
import subprocess
import tempfile
import threading

from parts.process import LOOPBACK, clean_environment, free_port, run
from parts.registry import basic_auth


@dataclasses.dataclass(frozen=True)
class Request:
    """One request: `encodings` has "chunked" and "gzip" where its body was sent so."""

    method: str
    path: str
    has_credentials: bool
    encodings: tuple


class GitHttps:
    """Serves every repository under `root`; with `user` and `password` only to who has them.

    `seen` lists the requests. `certificate` None serves plain http.
    """

    def __init__(self, root, certificate=None, *, user=None, password=None):
        self.root = pathlib.Path(root)
        self.port = free_port()
        self.scheme = "https" if certificate else "http"
        self.user, self.password = user, password
        self.seen = []
        self.backend = pathlib.Path(run(["git", "--exec-path"]).decode().strip()) / "git-http-backend"
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, self.port), self._handler())
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            # The handshake is left to the thread of the connection, or one silent client would stop all others.
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, repo, *, credentials=False):
        """The address of a GitRepo under the root, with user and password in it if asked."""
        who = f"{self.user}:{self.password}@" if credentials else ""
        return f"{self.scheme}://{who}{LOOPBACK}:{self.port}/{repo.path.relative_to(self.root)}"

    def _cgi_environment(self, request):
        path, _, query = request.path.partition("?")
        headers = request.headers
        variables = {
            "GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
            "REQUEST_METHOD": request.command, "PATH_INFO": path, "QUERY_STRING": query,
            "CONTENT_TYPE": headers.get("Content-Type", ""), "REMOTE_ADDR": LOOPBACK,
            "REMOTE_USER": self.user or "", "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""), "SERVER_PROTOCOL": "HTTP/1.1",
        }
        return clean_environment(self.root, **{name: value for name, value in variables.items() if value != ""})

    def _handler(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One CGI call a request."""

            protocol_version = "HTTP/1.1"
            timeout = 30

            def _body(self):
                """The request's body in a file, so that git can neither block us nor be blocked by us."""
                body = tempfile.TemporaryFile()
                if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body.write(self.rfile.read(size))
                        self.rfile.readline()
                    while self.rfile.readline().strip():
                        pass
                else:
                    body.write(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                body.seek(0)
                return body

            def _serve(self):
                authorization = self.headers.get("Authorization")
                encodings = (self.headers.get("Transfer-Encoding"), self.headers.get("Content-Encoding"))
                owner.seen.append(Request(self.command, self.path, authorization is not None,
                                          tuple(one for one in encodings if one)))
                with self._body() as body:
                    if owner.user and not secrets.compare_digest(
                            authorization or "", basic_auth(owner.user, owner.password)):
                        return self._plain(401, {"WWW-Authenticate": 'Basic realm="tests"'})
                    with subprocess.Popen([owner.backend], stdin=body, stdout=subprocess.PIPE,
                                          env=owner._cgi_environment(self)) as child:
                        return self._relay(child.stdout)

            do_GET = do_POST = _serve

            def _relay(self, output):
                status, headers = 200, []
                while line := output.readline().strip():
                    name, _, value = line.decode().partition(":")
                    if name.lower() == "status":
                        status = int(value.split()[0])
                    else:
                        headers.append((name, value.strip()))
                self.send_response(status)
                for name, value in headers:
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while piece := output.read1(65536):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

            def _plain(self, status, headers):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def handle(self):
                # A client that hangs up, or refuses our certificate, is the test's subject and not an error here.
                with contextlib.suppress(OSError):
                    super().handle()

            def log_message(self, *_):
                pass

        return Handler


def is_available():
    """Whether git can serve over http here."""
    return shutil.which("git") is not None and (
        pathlib.Path(run(["git", "--exec-path"]).decode().strip()) / "git-http-backend").exists()
