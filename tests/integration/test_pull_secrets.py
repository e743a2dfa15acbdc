"""Pull secrets of the cluster, against a real API server and a registry that wants a password."""

import base64
import hashlib
import hmac
import json
import socket

import pytest

from parts.manifests import workload
from parts.process import free_port, run, wait_until
from parts.site import Site

WRONG = "wrong-word-of-the-tests"
KEY, SIGNING = "key-of-the-tests-0123456789abcdef", "signs-what-the-tests-send"


class PullSite(Site):
    """A site whose registry wants a password, and whose cluster has it."""

    def workload(self, name, tag="1.0.0", *, image="team/app", secrets=(), account=None, **options):
        text = workload(name, self.image(image, tag), policy="semver:1", namespace=self.namespace.name, **options)
        pod = f"      imagePullSecrets: {json.dumps([{'name': secret} for secret in secrets])}\n" if secrets else ""
        pod += f"      serviceAccountName: {account}\n" if account else ""
        return text.replace("      containers:\n", f"{pod}      containers:\n")

    def config(self, password=None, host=None):
        user = f"{self.registry.user}:{password or self.registry.password}"
        return {host or self.registry.host: {"auth": base64.b64encode(user.encode()).decode()}}

    def secret(self, name="regcred", password=None, *, auths=None, old=False):
        """Makes a Secret as kubectl does; `old` is the type of before 2016."""
        auths = auths or self.config(password)
        kind, value = ("dockercfg", auths) if old else ("dockerconfigjson", {"auths": auths})
        return self.put(name, f"kubernetes.io/{kind}", {f".{kind}": json.dumps(value)})

    def put(self, name, kind, data):
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        return self.namespace.create("Secret", name, type=kind, data=data)

    def rotate(self, name, password):
        value = base64.b64encode(json.dumps({"auths": self.config(password)}).encode()).decode()
        self.namespace.patch("Secret", name, {"data": {".dockerconfigjson": value}})

    def updates(self, *workloads):
        """A round that updates just these; what else it said is in `result`."""
        report = self.once(rc=None)
        assert sorted(change["workload"].split("/")[1] for change in report["changes"]) == sorted(workloads), self.result
        self.check_silence(self.result.stdout + self.result.stderr)
        return report

    def once(self, *options, rc=0, **how):
        if rc is not None:
            return super().once(*options, rc=rc, **how)
        self.result = self.pawl.run("once", *self.options, "-o", "json", *options, **how)
        return self.result.json["repositories"][0]

    def check_silence(self, text):
        """Nothing secret is in the text, nor in anything that pawl wrote."""
        words = [self.registry.password, WRONG]
        words += [base64.b64encode(f"{self.registry.user}:{word}".encode()).decode() for word in list(words)]
        words += [base64.b64encode(json.dumps({"auths": self.config(word)}).encode()).decode() for word in (None, WRONG)]
        written = b"".join(path.read_bytes() for path in self.pawl.home.rglob("*")
                           if path.is_file() and ".docker" not in path.parts)
        assert written, "pawl wrote nothing: this check would find nothing"
        for word in words:
            assert word not in text and word.encode() not in written

    def asked(self):
        """How often the registry's list of the image was asked for."""
        return len(self.registry.requests("/v2/team/app/tags/list"))


@pytest.fixture
def private(pawl, registry_basic, new_repo, cluster, namespace, tmp_path):
    site = PullSite(pawl, registry_basic, new_repo(), tmp_path / "target")
    site.namespace = namespace
    site.deploy_to = "kubernetes"
    site.kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig", namespace=namespace.name)
    pawl.env["KUBECONFIG"] = str(site.kubeconfig)
    site.push("team/app", "1.0.0", "1.1.0")
    wait_until(lambda: namespace.get("ServiceAccount", "default"), "the service account of the namespace")
    return site


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_the_pods_secret_is_used(private, old, kind):
    private.secret(old=old)
    text = private.workload("web", secrets=["regcred"], kind=kind)
    if kind == "CronJob":
        text = (private.workload("web", kind=kind).split("spec:\n")[0] + "spec:\n  schedule: '0 0 1 1 *'\n  jobTemplate:\n"
                "    spec:\n      template:\n        spec:\n          restartPolicy: Never\n"
                "          imagePullSecrets: [{name: regcred}]\n          containers:\n"
                f"            - {{name: app, image: '{private.image('team/app', '1.0.0')}'}}\n")
    private.start({"web.yaml": text})
    report = private.updates("web")
    assert private.result.rc == 0 and not report["errors"], private.result


@pytest.mark.parametrize("account", [None, "puller"])
def test_the_service_accounts_secret_is_used(private, account):
    private.secret()
    if account:
        private.namespace.create("ServiceAccount", account, imagePullSecrets=[{"name": "regcred"}])
    else:
        private.namespace.patch("ServiceAccount", "default", {"imagePullSecrets": [{"name": "regcred"}]})
    private.start({"web.yaml": private.workload("web", account=account)})
    private.updates("web")


def test_the_pods_secret_comes_before_the_service_accounts(private):
    private.secret("good")
    private.secret("bad", WRONG)
    for account, secret in (("with-bad", "bad"), ("with-good", "good")):
        private.namespace.create("ServiceAccount", account, imagePullSecrets=[{"name": secret}])
    private.start({"one.yaml": private.workload("one", secrets=["good"], account="with-bad"),
                   "two.yaml": private.workload("two", secrets=["bad"], account="with-good")})
    private.updates("one")


def test_the_longest_path_wins_and_other_hosts_count_for_nothing(private):
    host = private.registry.host
    private.secret("wide", WRONG)
    private.secret("narrow", auths=private.config(host=f"{host}/team"))
    private.secret("elsewhere", auths=private.config(WRONG, host="quay.io"))
    private.start({"web.yaml": private.workload("web", secrets=["elsewhere", "wide", "narrow"])})
    private.updates("web")


def test_what_pawl_has_counts_where_no_secret_covers_the_image(private):
    private.secret("elsewhere", auths=private.config(WRONG, host="quay.io"))
    private.pawl.docker_login(private.registry.host, private.registry.user, private.registry.password)
    private.start({"web.yaml": private.workload("web", secrets=["elsewhere"])})
    report = private.once()
    assert len(report["changes"]) == 1 and not report["errors"]


def test_a_good_and_a_bad_log_in_do_not_share_an_answer(private):
    private.secret("good")
    private.secret("bad", WRONG)
    private.start({"one.yaml": private.workload("one", secrets=["good"]),
                   "two.yaml": private.workload("two", secrets=["bad"]),
                   "three.yaml": private.workload("three")})
    for _ in range(2):  # the second time the good one's answer is in the cache
        report = private.once(rc=1)
        private.check_silence(private.result.stdout + private.result.stderr)
        held = {each["workload"].split("/")[1]: each["reason"] for each in report["held"]}
        assert set(held) == {"two", "three"}, private.result
        assert f"with the pull secret {private.namespace.name}/bad" in held["two"]
        assert "pull secret" not in held["three"] and "there are no credentials" in held["three"]
        assert len(report["errors"]) == 2, report["errors"]
        private.push("team/app", "1.2.0")
    assert private.repo.log()[0].subject.endswith("1.2.0") or len(private.repo.log()) == 3


def test_the_same_log_in_in_several_secrets_asks_once(private, cluster):
    other = cluster.namespace()
    private.secret("one")
    private.secret("two", old=True)
    other.create("Secret", "three", type="kubernetes.io/dockercfg",
                 data={".dockercfg": base64.b64encode(json.dumps(private.config()).encode()).decode()})
    files = {f"{name}.yaml": private.workload(name, secrets=[name]) for name in ("one", "two", "three")}
    files["three.yaml"] = files["three.yaml"].replace(f"namespace: {private.namespace.name}", f"namespace: {other.name}")
    private.start(files)
    private.registry.reset_requests()
    private.updates("one", "two", "three")
    # One that is answered with the challenge, one with the log-in.
    assert private.asked() <= 2
    other.remove()


def test_a_secret_that_changes_is_read_again_while_serving(private):
    private.secret("regcred", WRONG)
    private.start({"web.yaml": private.workload("web", secrets=["regcred"])})
    with private.serve() as daemon:
        daemon.wait_for_log(f"with the pull secret {private.namespace.name}/regcred")
        private.rotate("regcred", private.registry.password)
        daemon.wait_until(lambda: len(private.repo.log()) == 2, "the update")
        assert "1.1.0" in private.repo.log()[0].subject
        private.namespace.delete("Secret", "regcred")
        daemon.wait_for_log(f"pull secret {private.namespace.name}/regcred: it is not there")
        private.check_silence(daemon.log())
        assert daemon.log().count("it is not there") == 1


def test_a_hook_reaches_every_log_in(private, tmp_path):
    with open(private.registry.folder / "htpasswd", "ab") as passwords:
        passwords.write(run(["htpasswd", "-Bbn", "ann", "her-password"]))
    anns = {private.registry.host: {"username": "ann", "password": "her-password"}}
    private.secret("robots")
    private.secret("anns", auths=anns)
    key_file = tmp_path / "keys"
    key_file.write_text(f"{KEY} {SIGNING}\n")
    private.start({"one.yaml": private.workload("one", secrets=["robots"]),
                   "two.yaml": private.workload("two", secrets=["anns"])})
    with private.pawl.serve(*private.options, "--git-poll-interval", "500ms", "--registry-poll-interval", "1h",
                            "--hook-key-file", str(key_file)) as daemon:
        def have(tag):
            return all(f"app:{tag} " in private.repo.read(name).decode() for name in ("one.yaml", "two.yaml"))
        daemon.wait_until(lambda: have("1.1.0"), "the first updates")
        private.push("team/app", "1.2.0")
        body = json.dumps({"images": [private.image("team/app", "1.2.0")]}).encode()
        signed = "sha256=" + hmac.new(SIGNING.encode(), body, hashlib.sha256).hexdigest()
        assert daemon.http(f"/hook/generic/{KEY}", body, {"X-Signature": signed})[0] == 202
        daemon.wait_until(lambda: have("1.2.0"), "the updates after the hook")
        # Both log-ins are one image in the metrics, and not the same sample twice.
        tags, = [value for name, value in daemon.metrics().items() if name.startswith("pawl_image_tags")]
        assert tags == 3


@pytest.mark.parametrize("data, kind, words", [
    (None, None, "it is not there"),
    ({".dockerconfigjson": '{"auths": 5}'}, "kubernetes.io/dockerconfigjson", "is no Docker configuration"),
    ({"username": "ann", "password": WRONG}, "kubernetes.io/basic-auth", "its type is kubernetes.io/basic-auth"),
    ({".dockerconfigjson": '{"auths": {"HOST": {"auth": "%s"}}}' % base64.b64encode(WRONG.encode()).decode()},
     "kubernetes.io/dockerconfigjson", '"auth" is not base64 of user:password'),
    ({".dockerconfigjson": '{"credsStore": "vault"}'}, "kubernetes.io/dockerconfigjson",
     "names a credential helper, which is not run"),
])
def test_a_secret_that_cannot_be_used_spoils_only_itself(private, data, kind, words):
    if data:
        private.put("spoilt", kind, {key: text.replace("HOST", private.registry.host) for key, text in data.items()})
    private.secret("good")
    private.start({"one.yaml": private.workload("one", secrets=["spoilt", "good"]),
                   "two.yaml": private.workload("two", secrets=["spoilt"])})
    report = private.updates("one")
    problem, = [each for each in report["errors"] if f"{private.namespace.name}/spoilt" in each["message"]]
    assert words in problem["message"] and problem["file"] == "one.yaml"


def test_secrets_that_are_forbidden_are_said_with_the_rule_that_is_missing(private, cluster, tmp_path):
    namespace = private.namespace
    token = namespace.limited_token([{"apiGroups": ["apps"], "resources": ["deployments"],
                                      "verbs": ["get", "list", "create", "patch"]},
                                     {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]}])
    path = namespace.path("Deployment")
    wait_until(lambda: cluster.exchange("GET", path, token=token)[0] == 200, "the role to be known")
    limited = cluster.kubeconfig(tmp_path / "limited", token=token, namespace=namespace.name)
    private.secret()
    private.pawl.docker_login(private.registry.host, private.registry.user, private.registry.password)
    private.start({"web.yaml": private.workload("web", secrets=["regcred"])})
    private.pawl.env["KUBECONFIG"] = str(limited)
    report = private.updates("web")  # with what pawl has of its own
    problem, = report["errors"]
    for words in (f"pull secret {namespace.name}/regcred: ", 'secrets "regcred" is forbidden',
                  f"a Role in the namespace {namespace.name} with the verb get on secrets"):
        assert words in problem["message"], problem
    with private.serve() as daemon:
        daemon.wait_for_log("is forbidden")
        private.push("team/app", "1.2.0")
        daemon.wait_until(lambda: len(private.repo.log()) == 3, "an update")
        assert daemon.log().count('secrets \\"regcred\\" is forbidden') == 1


def test_get_on_secrets_and_service_accounts_is_all_that_is_needed(private, cluster, tmp_path):
    namespace = private.namespace
    token = namespace.limited_token([{"apiGroups": ["apps"], "resources": ["deployments"],
                                      "verbs": ["get", "list", "create", "patch"]},
                                     {"apiGroups": [""], "resources": ["serviceaccounts", "secrets"], "verbs": ["get"]}])
    path = namespace.path("Secret", "regcred")
    private.secret()
    wait_until(lambda: cluster.exchange("GET", path, token=token)[0] == 200, "the role to be known")
    private.pawl.env["KUBECONFIG"] = str(cluster.kubeconfig(tmp_path / "limited", token=token))
    private.start({"web.yaml": private.workload("web", secrets=["regcred"])})
    assert not private.updates("web")["errors"]


def test_an_api_server_that_is_not_there_is_named_where_credentials_are_missing(private, cluster, tmp_path):
    config = tmp_path / "elsewhere"
    config.write_text(private.kubeconfig.read_text().replace(cluster.url, f"https://127.0.0.1:{free_port()}"))
    private.start({"web.yaml": private.workload("web", secrets=["regcred"])})
    report = private.once("--kubeconfig", config, rc=1)
    assert any("its pull secrets could not be read: Kubernetes" in each["message"] for each in report["errors"])


@pytest.mark.parametrize("target", ["dir", "none"])
def test_without_a_cluster_to_apply_to_none_is_asked(private, tmp_path, target):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = tmp_path / "config"
        config.write_text(private.kubeconfig.read_text().replace(
            private.namespace.cluster.url, f"https://127.0.0.1:{listener.getsockname()[1]}"))
        private.pawl.env["KUBECONFIG"] = str(config)
        private.deploy_to = f"dir:{tmp_path / 'target'}" if target == "dir" else "none"
        private.start({"web.yaml": private.workload("web", secrets=["regcred"])})
        report = private.once(rc=1)
        assert "pull secret" not in json.dumps(report["errors"])
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize("where", ["registry", "repository"])
def test_a_charts_secret_is_that_of_its_helm_repository(private, new_chart_repository, where):
    """In the namespace of the HelmRepository; for a Helm repository it is a user name and a password alone."""
    name, url = private.namespace.name, f"oci://{private.registry.host}/charts"
    private.registry.push_chart("charts/app", "1.2.0")
    private.registry.push_chart("charts/app", "1.2.1")
    if where == "registry":
        private.secret("charts")
    else:
        charts = new_chart_repository(user=private.registry.user, password=private.registry.password)
        charts.add("app", "1.2.0", "1.2.1")
        url = charts.url
        private.put("charts", "Opaque", {"username": private.registry.user, "password": private.registry.password})
    release = (f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n  namespace: elsewhere\n"
               "  annotations: {fluxcd.io/automated: 'true', pawl.dev/tag.chart: 'semver:~1.2'}\nspec:\n  chart:\n    spec:\n"
               "      chart: app\n      version: 1.2.0\n"
               f"      sourceRef: {{kind: HelmRepository, name: charts, namespace: {name}}}\n")
    source = (f"apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts, namespace: {name}}}\n"
              f"spec: {{url: '{url}', secretRef: {{name: charts}}}}\n")
    private.start({"web.yaml": release, "charts.yaml": source})
    private.updates("web")
    assert private.repo.read("web.yaml").decode() == release.replace("1.2.0", "1.2.1")
