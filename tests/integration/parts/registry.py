"""Debian's docker-registry, and a way to fill it without a container engine.

Authentication comes in the forms a client meets: none, HTTP Basic from a password file, and bearer tokens from a token
server (`TokenServer`) whose signature the registry checks for real.
"""

import base64
import dataclasses
import datetime
import gzip
import hashlib
import http.client
import json
import pathlib
import re
import ssl
import urllib.parse

import yaml

from parts.process import LOOPBACK, Process, free_port, is_listening, run, wait_until

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_MEDIA = {
    "docker": (DOCKER_MANIFEST, DOCKER_INDEX, "application/vnd.docker.container.image.v1+json",
               "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    "oci": (OCI_MANIFEST, OCI_INDEX, "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip"),
}
_EMPTY_TAR = bytes(1024)
_LAYER = gzip.compress(_EMPTY_TAR, mtime=0)
_ACCESS = re.compile(r'^\S+ - (?P<user>\S+) \[[^]]*\] "(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" (?P<status>\d{3}) '
                     r'\S+ "[^"]*" "(?P<agent>[^"]*)"')


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def basic_auth(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclasses.dataclass(frozen=True)
class Request:
    """One line of the registry's access log."""

    method: str
    path: str
    status: int
    agent: str


class RegistryError(Exception):
    """The registry answered something else than the helper asked for."""


class Registry:
    """A running registry.

    `auth` is None, "basic" (user/password below) or a TokenServer; `certificate` (parts.tls) makes it speak https; `notify`
    is a URL that it tells of pushes.
    `host` is what stands before the slash in an image name.
    """

    user, password = "robot", "secret with spaces"

    def __init__(self, folder, *, auth=None, certificate=None, ca_file=None, delete=True, notify=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.host = f"{LOOPBACK}:{self.port}"
        self.scheme = "https" if certificate else "http"
        self.url = f"{self.scheme}://{self.host}"
        self.auth = auth
        self.notify = notify
        self.ca_file = ca_file
        self._tokens = {}
        self._blobs = set()
        self._connection = None
        self._mark = 0
        self._sentinels = 0
        config = self.folder / "registry.yml"
        config.write_text(yaml.safe_dump(self._config(auth, certificate, delete)))
        self.process = Process("registry", ["docker-registry", "serve", config], self.folder)
        self.start()

    def _config(self, auth, certificate, delete):
        config = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")},
                        "delete": {"enabled": delete},
                        "maintenance": {"uploadpurging": {"enabled": False}}},
            "http": {"addr": self.host, "secret": "a secret of the tests"},
        }
        if certificate:
            config["http"]["tls"] = {"certificate": str(certificate.certificate), "key": str(certificate.key)}
        if self.notify:
            config["notifications"] = {"endpoints": [{"name": "pawl", "url": self.notify, "timeout": "2s", "threshold": 5,
                                                      "backoff": "200ms"}]}
        if auth == "basic":
            passwords = self.folder / "htpasswd"
            passwords.write_bytes(run(["htpasswd", "-Bbn", self.user, self.password]))
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(passwords)}}
        elif auth is not None:
            config["auth"] = {"token": {"realm": auth.url, "service": auth.service, "issuer": auth.issuer,
                                        "rootcertbundle": str(auth.certificate)}}
        return config

    def start(self):
        self.process.start(lambda: is_listening(self.port))

    def stop(self):
        self._close()
        self.process.stop()

    def _close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    # Talking to it

    def _authorization(self, scope):
        if self.auth is None:
            return {}
        if self.auth == "basic":
            return {"Authorization": basic_auth(self.user, self.password)}
        if scope not in self._tokens:
            self._tokens[scope] = self.auth.sign("tests", [scope] if scope else [])
        return {"Authorization": f"Bearer {self._tokens[scope]}"}

    def request(self, method, path, body=None, headers=None, *, scope=None, expect=(200, 201, 202)):
        """One request with full rights; returns (status, headers, body). `path` starts with a slash."""
        headers = {"User-Agent": "tests", **self._authorization(scope), **(headers or {})}
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = (
                    http.client.HTTPSConnection(LOOPBACK, self.port, timeout=30, context=ssl.create_default_context(
                        cafile=self.ca_file)) if self.scheme == "https"
                    else http.client.HTTPConnection(LOOPBACK, self.port, timeout=30))
            try:
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                data = answer.read()
                break
            except (http.client.HTTPException, ConnectionError):
                self._close()  # the kept connection was closed by a restart
                if attempt == 2:
                    raise
        if answer.status not in expect:
            raise RegistryError(f"{method} {self.url}{path}: {answer.status} {data[:500]!r}")
        return answer.status, answer.headers, data

    @staticmethod
    def _scope(repo):
        return f"repository:{repo}:pull,push,delete"

    # Filling it

    def put_blob(self, repo, data):
        """Uploads a blob unless this repository has it; returns its digest."""
        digest = digest_of(data)
        if (repo, digest) in self._blobs:
            return digest
        scope = self._scope(repo)
        _, headers, _ = self.request("POST", f"/v2/{repo}/blobs/uploads/", b"", scope=scope)
        where = urllib.parse.urlsplit(headers["Location"])
        query = f"{where.query}&" if where.query else ""
        self.request("PUT", f"{where.path}?{query}digest={digest}", data,
                     {"Content-Type": "application/octet-stream"}, scope=scope)
        self._blobs.add((repo, digest))
        return digest

    def put_manifest(self, repo, reference, manifest, media_type):
        """Uploads a manifest (a dict, or bytes as they are) under a tag or its digest; returns its digest."""
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        self.request("PUT", f"/v2/{repo}/manifests/{reference or digest_of(data)}", data,
                     {"Content-Type": media_type}, scope=self._scope(repo))
        return digest_of(data)

    def push(self, repo, tag, *, created=None, labels=None, arch="amd64", os="linux", variant=None, kind="docker"):
        """Pushes an image of one empty layer and returns its manifest's digest.

        `created` is a datetime or text put in as it stands (None: left out, as reproducible builds do); `kind` is
        "docker" (schema 2) or "oci"; `tag` None leaves it untagged.
        """
        manifest_type, _, config_type, layer_type = _MEDIA[kind]
        if isinstance(created, datetime.datetime):
            created = created.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        config = {"architecture": arch, "os": os, "config": {"Labels": labels or {}},
                  "rootfs": {"type": "layers", "diff_ids": [digest_of(_EMPTY_TAR)]}}
        if created is not None:
            config["created"] = created
        if variant:
            config["variant"] = variant
        # Two tags with the same date are still two images.
        config["history"] = [{"comment": f"{repo}:{tag}"}]
        data = json.dumps(config).encode()
        return self.put_manifest(repo, tag, {
            "schemaVersion": 2, "mediaType": manifest_type,
            "config": {"mediaType": config_type, "size": len(data), "digest": self.put_blob(repo, data)},
            "layers": [{"mediaType": layer_type, "size": len(_LAYER), "digest": self.put_blob(repo, _LAYER)}],
        }, manifest_type)

    def push_chart(self, repo, version, *, created=None):
        """Pushes a Helm chart as `helm push` does (the version's "+" is "_" in the tag); returns its manifest's digest."""
        config = json.dumps({"apiVersion": "v2", "name": repo.rsplit("/", 1)[-1], "version": version}).encode()
        layer = gzip.compress(f"{repo}:{version}".encode(), mtime=0)
        annotations = {"org.opencontainers.image.version": version}
        if created is not None:
            annotations["org.opencontainers.image.created"] = created.isoformat()
        return self.put_manifest(repo, version.replace("+", "_"), {
            "schemaVersion": 2, "annotations": annotations,
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "size": len(config),
                       "digest": self.put_blob(repo, config)},
            "layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "size": len(layer),
                        "digest": self.put_blob(repo, layer)}],
        }, OCI_MANIFEST)

    def push_index(self, repo, tag, platforms=("linux/amd64", "linux/arm64"), *, created=None, labels=None,
                   kind="oci"):
        """Pushes an image for several platforms; returns the index's digest."""
        manifest_type, index_type, _, _ = _MEDIA[kind]
        entries = []
        for platform in platforms:
            system, arch, *variant = platform.split("/")
            digest = self.push(repo, None, created=created, labels=labels, arch=arch, os=system, kind=kind,
                               variant=variant[0] if variant else None)
            size = len(self.manifest(repo, digest, raw=True))
            where = {"os": system, "architecture": arch, **({"variant": variant[0]} if variant else {})}
            entries.append({"mediaType": manifest_type, "size": size, "digest": digest, "platform": where})
        return self.put_manifest(repo, tag, {"schemaVersion": 2, "mediaType": index_type, "manifests": entries},
                                 index_type)

    def tag(self, repo, reference, new_tag):
        """Gives what `reference` names another tag as well; returns the digest."""
        _, headers, data = self._get_manifest(repo, reference)
        return self.put_manifest(repo, new_tag, data, headers["Content-Type"])

    def tag_many(self, repo, reference, new_tags):
        """As `tag` for each of many, in the registry's own storage: thousands of uploads would take minutes."""
        digest = self.digest(repo, reference)
        tags = self.folder / "data/docker/registry/v2/repositories" / repo / "_manifests/tags"
        for tag in new_tags:
            for place in ("current", f"index/{digest.replace(':', '/')}"):
                (tags / tag / place).mkdir(parents=True)
                (tags / tag / place / "link").write_text(digest)

    def _get_manifest(self, repo, reference):
        return self.request("GET", f"/v2/{repo}/manifests/{reference}", scope=self._scope(repo),
                            headers={"Accept": ", ".join((DOCKER_MANIFEST, DOCKER_INDEX, OCI_MANIFEST, OCI_INDEX))})

    def manifest(self, repo, reference, *, raw=False):
        _, _, data = self._get_manifest(repo, reference)
        return data if raw else json.loads(data)

    def digest(self, repo, reference):
        return digest_of(self.manifest(repo, reference, raw=True))

    def tags(self, repo):
        """All tags, as the registry lists them."""
        _, _, data = self.request("GET", f"/v2/{repo}/tags/list", scope=self._scope(repo))
        return json.loads(data)["tags"] or []

    def delete(self, repo, reference):
        """Deletes the manifest that `reference` names, and so every tag that points at it."""
        digest = reference if reference.startswith("sha256:") else self.digest(repo, reference)
        self.request("DELETE", f"/v2/{repo}/manifests/{digest}", scope=self._scope(repo))

    # Counting what others asked it

    def _log_upto_now(self):
        """The access log's text with everything in it that has been answered by now."""
        self._sentinels += 1
        path = f"/v2/?sentinel={self._sentinels}"
        self.request("GET", path, expect=(200, 401))
        return wait_until(lambda: (log := self.process.log()) and f'"GET {path} ' in log and log,
                          "the access log", timeout=10)

    def reset_requests(self):
        """Forgets the requests so far."""
        self._mark = len(self._log_upto_now())

    def requests(self, path=""):
        """The requests since the last reset whose path contains `path`, without the helper's own."""
        found = (_ACCESS.match(line) for line in self._log_upto_now()[self._mark:].splitlines())
        return [Request(line["method"], line["path"], int(line["status"]), line["agent"]) for line in found
                if line and line["agent"] != "tests" and path in line["path"]]
