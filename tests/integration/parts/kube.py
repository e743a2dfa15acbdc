"""A real control plane: etcd, kube-apiserver and kube-controller-manager, no nodes.

Deployments make ReplicaSets and Pods, namespaces terminate, owner references are collected. No kubelet runs; a test
plays it with `Namespace.pods_become`.
"""

import csv
import http.client
import itertools
import json
import pathlib
import ssl
import urllib.parse

import yaml

from parts.process import LOOPBACK, Process, free_port, is_listening, run, wait_until

MERGE_PATCH = "application/merge-patch+json"
ADMIN_TOKEN = "the-admins-token"
_LIMITED_USERS = 64
_IDLE_CONTROLLERS = ("nodeipam", "nodelifecycle", "cloud-node-lifecycle", "service", "route", "attachdetach",
                     "persistentvolume-binder", "persistentvolume-expander", "ttl-after-finished")


class KubeError(Exception):
    """The API server answered with an error status."""

    def __init__(self, method, path, status, answer):
        super().__init__(f"{method} {path}: {status} {answer}")
        self.status = status


class Cluster:
    """The running control plane. `programs` is the folder that scripts/apiserver.sh prints."""

    def __init__(self, folder, programs):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.programs = pathlib.Path(programs)
        self.port = free_port()
        self.url = f"https://{LOOPBACK}:{self.port}"
        self.ca_file = self.folder / "certs" / "apiserver.crt"
        self._names = itertools.count(1)
        self._limited = iter(range(_LIMITED_USERS))
        self._processes = []
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _run(self, name, argv, ready, timeout=60):
        process = Process(name, argv, self.folder)
        self._processes.append(process)
        process.start(ready, timeout)

    def _start(self):
        etcd, peers = free_port(), free_port()
        self._run("etcd", [
            "etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync",
            f"--listen-client-urls=http://{LOOPBACK}:{etcd}", f"--advertise-client-urls=http://{LOOPBACK}:{etcd}",
            f"--listen-peer-urls=http://{LOOPBACK}:{peers}"], lambda: is_listening(etcd))

        key = self.folder / "service-accounts.key"
        run(["openssl", "genrsa", "-out", key, "2048"])
        with open(self.folder / "tokens.csv", "w", newline="", encoding="utf-8") as tokens:
            rows = csv.writer(tokens)
            rows.writerow([ADMIN_TOKEN, "admin", "admin", "system:masters"])
            for number in range(_LIMITED_USERS):
                rows.writerow([self._limited_token(number), f"limited-{number}", f"limited-{number}"])
        self._run("kube-apiserver", [
            self.programs / "kube-apiserver", f"--etcd-servers=http://{LOOPBACK}:{etcd}",
            f"--cert-dir={self.folder / 'certs'}", f"--bind-address={LOOPBACK}", f"--advertise-address={LOOPBACK}",
            f"--secure-port={self.port}", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/24",
            f"--token-auth-file={self.folder / 'tokens.csv'}", "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount", "--allow-privileged"], self._is_ready)

        config = self.kubeconfig(self.folder / "controllers.kubeconfig")
        self._run("kube-controller-manager", [
            self.programs / "kube-controller-manager", f"--kubeconfig={config}",
            "--controllers=*," + ",".join(f"-{name}" for name in _IDLE_CONTROLLERS),
            f"--service-account-private-key-file={key}", "--use-service-account-credentials=false",
            "--leader-elect=false", f"--bind-address={LOOPBACK}", "--secure-port=0", "--port=0"], None)
        wait_until(lambda: self._status("/api/v1/namespaces/default") == 200, "namespace default")

    def _is_ready(self):
        return is_listening(self.port) and self.ca_file.exists() and self._status("/readyz") == 200

    def _status(self, path):
        try:
            return self.exchange("GET", path)[0]
        except OSError:
            return 0

    def stop(self):
        for process in reversed(self._processes):
            process.stop()
        self._processes.clear()

    def log(self, name):
        """The log of `etcd`, `kube-apiserver` or `kube-controller-manager`."""
        return next(process for process in self._processes if process.name == name).log()

    # Clients

    @staticmethod
    def _limited_token(number):
        return f"token-of-limited-{number}"

    def kubeconfig(self, path, *, token=ADMIN_TOKEN, namespace=None, context="tests"):
        """Writes a kubeconfig for the holder of `token` and returns its path."""
        entry = {"cluster": "tests", "user": "tests", **({"namespace": namespace} if namespace else {})}
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "clusters": [{"name": "tests", "cluster": {
                "server": self.url, "certificate-authority": str(self.ca_file)}}],
            "users": [{"name": "tests", "user": {"token": token}}],
            "contexts": [{"name": context, "context": entry}],
        }))
        path.chmod(0o600)
        return path

    def exchange(self, method, path, body=None, *, content_type="application/json", token=ADMIN_TOKEN):
        """One request; returns (status, answer) whatever the status."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        connection = http.client.HTTPSConnection(LOOPBACK, self.port, timeout=30, context=context)
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        try:
            connection.request(method, path, data, {"Authorization": f"Bearer {token}", "Content-Type": content_type,
                                                    "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def request(self, method, path, body=None, **options):
        """One request that must succeed; returns the answer."""
        status, answer = self.exchange(method, path, body, **options)
        if status >= 300:
            raise KubeError(method, path, status, answer)
        return answer

    def namespace(self, prefix="test"):
        """A fresh namespace."""
        return Namespace(self, f"{prefix}-{next(self._names)}")

    def next_limited_user(self):
        """A user without any rights that no other test has: (name, token)."""
        number = next(self._limited)
        return f"limited-{number}", self._limited_token(number)


# kind → (API prefix, plural); what the tests touch.
KINDS = {
    "ConfigMap": ("/api/v1", "configmaps"), "Secret": ("/api/v1", "secrets"), "Service": ("/api/v1", "services"),
    "Pod": ("/api/v1", "pods"), "ServiceAccount": ("/api/v1", "serviceaccounts"), "Event": ("/api/v1", "events"),
    "Deployment": ("/apis/apps/v1", "deployments"), "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"), "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "Job": ("/apis/batch/v1", "jobs"), "CronJob": ("/apis/batch/v1beta1", "cronjobs"),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
}


class Namespace:
    """A namespace and what is in it."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def path(self, kind, name=None, *, query=None):
        prefix, plural = KINDS[kind]
        path = f"{prefix}/namespaces/{self.name}/{plural}" + (f"/{name}" if name else "")
        return f"{path}?{urllib.parse.urlencode(query)}" if query else path

    def create(self, kind, name, **fields):
        return self.cluster.request("POST", self.path(kind), {
            "apiVersion": KINDS[kind][0].split("/", 2)[2], "kind": kind, "metadata": {"name": name}, **fields})

    def get(self, kind, name):
        """The object, None when there is none."""
        status, answer = self.cluster.exchange("GET", self.path(kind, name))
        if status == 404:
            return None
        if status != 200:
            raise KubeError("GET", self.path(kind, name), status, answer)
        return answer

    def list(self, kind, **query):
        return self.cluster.request("GET", self.path(kind, query=query))["items"]

    def patch(self, kind, name, change, *, subresource=""):
        """Merges `change` into an object, as another client of the cluster would."""
        return self.cluster.request("PATCH", self.path(kind, name) + subresource, change, content_type=MERGE_PATCH)

    def delete(self, kind, name):
        return self.cluster.request("DELETE", self.path(kind, name))

    def pods_become(self, status=None, **query):
        """Plays the kubelet: gives the pods this status (default: running and ready); returns how many there are."""
        status = status or {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        pods = self.list("Pod", **query)
        for pod in pods:
            self.patch("Pod", pod["metadata"]["name"], {"status": status}, subresource="/status")
        return len(pods)

    def limited_token(self, rules):
        """A token whose holder may do only what the RBAC `rules` say, in this namespace."""
        user, token = self.cluster.next_limited_user()
        self.create("Role", user, rules=rules)
        self.create("RoleBinding", user,
                    roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
                    subjects=[{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}])
        return token

    def remove(self):
        """Starts the namespace's deletion and does not wait for it."""
        self.cluster.exchange("DELETE", f"/api/v1/namespaces/{self.name}")
