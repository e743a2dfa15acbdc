"""A certificate authority of the tests' own and server certificates from it, made with openssl."""

import dataclasses
import pathlib

from parts.process import run


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A private key and its certificate, both PEM files."""

    key: pathlib.Path
    certificate: pathlib.Path


class Authority:
    """Signs server certificates for 127.0.0.1 and localhost; `ca_file` is what a client must trust."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_key = self.folder / "ca.key"
        self.ca_file = self.folder / "ca.crt"
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-sha256",
             "-subj", "/CN=pawl test authority", "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign",
             "-keyout", self.ca_key, "-out", self.ca_file])

    def issue(self, name, *, subject_names="DNS:localhost,IP:127.0.0.1", days=2):
        """Makes a key and a certificate `name`.key and `name`.crt."""
        key, request, certificate, extensions = (
            self.folder / f"{name}.{suffix}" for suffix in ("key", "csr", "crt", "ext"))
        extensions.write_text(f"subjectAltName={subject_names}\nbasicConstraints=CA:FALSE\n"
                              "keyUsage=digitalSignature,keyEncipherment\n")
        run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
             "-keyout", key, "-out", request])
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self.ca_key,
             "-CAcreateserial", "-days", str(days), "-sha256", "-extfile", extensions, "-out", certificate])
        return Certificate(key, certificate)
