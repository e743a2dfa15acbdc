"""Server-side apply to a real API server."""

import base64
import json

import pytest

from parts.kube import ADMIN_TOKEN
from parts.manifests import config_map, workload
from parts.process import free_port, wait_until


@pytest.fixture
def kube(site, cluster, namespace, tmp_path):
    """A site whose target is the cluster; `kube.space` is the test's own namespace."""
    site.deploy_to = "kubernetes"
    site.space = namespace.name
    site.kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig", namespace=namespace.name)
    site.pawl.env["KUBECONFIG"] = str(site.kubeconfig)
    return site


def _web(kube, tag, **options):
    text = workload("web", kube.image("app", tag), policy="semver:1", namespace=kube.space, **options)
    return text.replace("  replicas: 0   # nobody runs it\n", "")


def _counts(report):
    return tuple(report["applied"][key] for key in ("created", "configured", "unchanged", "failed"))


def test_objects_are_created_then_unchanged_then_configured(kube, namespace):
    kube.start({"a.yaml": config_map("a", namespace=kube.space, key="1"),
                "b.yaml": config_map("b", namespace=kube.space, key="1") + "---\n"
                          + config_map("c", namespace=kube.space, key="1")})
    assert _counts(kube.once()) == (3, 0, 0, 0)
    assert namespace.get("ConfigMap", "c")["data"] == {"key": "1"}
    version = namespace.get("ConfigMap", "a")["metadata"]["resourceVersion"]
    assert _counts(kube.once()) == (0, 0, 3, 0)
    assert namespace.get("ConfigMap", "a")["metadata"]["resourceVersion"] == version
    kube.repo.commit({"a.yaml": config_map("a", namespace=kube.space, key="2", other="3")})
    assert _counts(kube.once()) == (0, 1, 2, 0)
    assert namespace.get("ConfigMap", "a")["data"] == {"key": "2", "other": "3"}


def test_a_new_image_is_applied_from_the_commit_that_has_it(kube, namespace):
    kube.push("app", "1.0.0", "1.1.0")
    kube.start({"web.yaml": _web(kube, "1.0.0")})
    report = kube.once()
    assert _counts(report) == (1, 0, 0, 0) and report["commit"]
    kube.push("app", "1.2.0")
    report = kube.once()
    assert _counts(report) == (0, 1, 0, 0) and report["commit"] == kube.repo.sha()
    container, = namespace.get("Deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == kube.image("app", "1.2.0")


def test_a_dry_run_applies_nothing(kube, namespace):
    kube.push("app", "1.0.0", "1.1.0")
    kube.start({"web.yaml": _web(kube, "1.0.0")})
    kube.once("--dry-run", rc=3)
    assert namespace.get("Deployment", "web") is None


def test_what_others_set_is_left_to_them(kube, namespace):
    kube.start({"web.yaml": _web(kube, "1.0.0", automated=False),
                "a.yaml": config_map("a", namespace=kube.space, key="1")})
    kube.once()
    namespace.patch("Deployment", "web", {"spec": {"replicas": 3}})
    namespace.patch("ConfigMap", "a", {"data": {"theirs": "2"}})
    kube.once()
    assert namespace.get("Deployment", "web")["spec"]["replicas"] == 3
    assert namespace.get("ConfigMap", "a")["data"] == {"key": "1", "theirs": "2"}


def test_what_others_changed_of_ours_is_set_right(kube, namespace):
    kube.start({"a.yaml": config_map("a", namespace=kube.space, key="1")})
    kube.once()
    namespace.patch("ConfigMap", "a", {"data": {"key": "changed by hand"}})
    assert _counts(kube.once()) == (0, 1, 0, 0)
    assert namespace.get("ConfigMap", "a")["data"] == {"key": "1"}


def test_a_field_that_git_drops_is_dropped_and_an_object_stays(kube, namespace):
    kube.start({"a.yaml": config_map("a", namespace=kube.space, key="1", other="2"),
                "b.yaml": config_map("b", namespace=kube.space)})
    kube.once()
    kube.repo.commit({"a.yaml": config_map("a", namespace=kube.space, key="1"), "b.yaml": None})
    assert kube.once()["applied"]["deleted"] == 0
    assert namespace.get("ConfigMap", "a")["data"] == {"key": "1"}
    assert namespace.get("ConfigMap", "b") is not None


def test_a_namespace_a_definition_and_its_objects_in_one_commit(kube, cluster):
    space = f"{kube.space}-made"
    group = f"{kube.space}.example.test"
    definition = f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.{group}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Widget, plural: widgets}}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""
    widget = f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one, namespace: {space}}}\nspec: {{size: 3}}\n"
    made = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}, labels: {{a: b}}}}\n"
    # In an order of files in which nothing would work one after the other. The namespace has a label because this
    # server writes an object that is applied without any field anew the next time.
    kube.start({"1-widget.yaml": widget, "2-map.yaml": config_map("a", namespace=space),
                "3-definition.yaml": definition, "4-namespace.yaml": made})
    try:
        assert _counts(kube.once(timeout=60)) == (4, 0, 0, 0)
        path = f"/apis/{group}/v1/namespaces/{space}/widgets/one"
        assert cluster.request("GET", path)["spec"] == {"size": 3}
        assert _counts(kube.once()) == (0, 0, 4, 0)
    finally:
        cluster.exchange("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")
        cluster.exchange("DELETE", f"/api/v1/namespaces/{space}")


@pytest.mark.parametrize("bad, words", [
    ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\n"
     "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: []}}}\n",
     "selector"),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\n", "Bad_Name"),
    ("apiVersion: example.test/v1\nkind: Unheard\nmetadata: {name: bad}\n", "example.test/v1"),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {a: 1}\n", "data"),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: no-such-namespace}\n", "no-such-namespace"),
])
def test_an_object_that_is_refused_fails_alone(kube, namespace, bad, words):
    kube.start({"bad.yaml": bad, "a.yaml": config_map("a", namespace=kube.space),
                "z.yaml": config_map("z", namespace=kube.space)})
    report = kube.once(rc=1)
    assert _counts(report) == (2, 0, 0, 1)
    assert namespace.get("ConfigMap", "a") and namespace.get("ConfigMap", "z")
    error, = report["errors"]
    assert error["file"] == "bad.yaml" and error["line"] == 1 and words in error["message"]
    assert words in kube.result.stderr and len(kube.result.stderr.splitlines()) == 1


def test_a_user_without_rights_is_told_in_the_servers_words(kube, cluster, namespace, tmp_path):
    token = namespace.limited_token([{"apiGroups": [""], "resources": ["configmaps"],
                                      "verbs": ["get", "list", "create", "patch"]}])
    path = namespace.path("ConfigMap")
    wait_until(lambda: cluster.exchange("GET", path, token=token)[0] == 200, "the role to be known")
    limited = cluster.kubeconfig(tmp_path / "limited", token=token, namespace=kube.space)
    kube.start({"a.yaml": config_map("a", namespace=kube.space), "web.yaml": _web(kube, "1.0.0", automated=False)})
    report = kube.once("--kubeconfig", limited, rc=1)
    assert _counts(report) == (1, 0, 0, 1)
    error, = report["errors"]
    assert error["workload"] == f"{kube.space}:deployment/web"
    for words in ('deployments.apps "web" is forbidden: User "limited-', 'resource "deployments" in API group "apps" '
                  f'in the namespace "{kube.space}"'):
        assert words in error["message"] and words in kube.result.stderr
    assert token not in kube.result.stdout + kube.result.stderr


def test_a_token_that_is_not_let_in_fails_with_one_line(kube, cluster, tmp_path):
    wrong = cluster.kubeconfig(tmp_path / "wrong", token="nobodys-token")
    kube.start({"a.yaml": config_map("a", namespace=kube.space)})
    kube.once("--kubeconfig", wrong, rc=1)
    lines = kube.result.stderr.splitlines()
    assert len(lines) == 1 and cluster.url in lines[0] and "nobodys-token" not in lines[0]


def test_an_api_server_that_is_not_there_fails_with_one_line(kube, cluster, tmp_path):
    port = free_port()
    config = tmp_path / "elsewhere"
    config.write_text(kube.kubeconfig.read_text().replace(cluster.url, f"https://127.0.0.1:{port}"))
    kube.push("app", "1.0.0", "1.1.0")
    kube.start({"web.yaml": _web(kube, "1.0.0")})
    report = kube.once("--kubeconfig", config, rc=1)
    lines = kube.result.stderr.splitlines()
    assert len(lines) == 1 and f"127.0.0.1:{port}" in lines[0], kube.result
    # The commit is made: it waits in git for the server's return.
    assert report["commit"] == kube.repo.sha()
    assert _counts(kube.once()) == (1, 0, 0, 0)


def test_an_authority_that_is_not_the_servers_is_refused(kube, authority, cluster, tmp_path):
    config = tmp_path / "distrust"
    config.write_text(kube.kubeconfig.read_text().replace(str(cluster.ca_file), str(authority.ca_file)))
    kube.start({"a.yaml": config_map("a", namespace=kube.space)})
    kube.once("--kubeconfig", config, rc=1)
    assert "certificate" in kube.result.stderr and len(kube.result.stderr.splitlines()) == 1


def test_an_ignored_object_is_not_applied(kube, namespace):
    ignore = "metadata:\n  annotations: {fluxcd.io/ignore: 'true'}\n"
    kube.start({"a.yaml": config_map("a", namespace=kube.space).replace("metadata:\n", ignore),
                "b.yaml": config_map("b", namespace=kube.space)})
    assert _counts(kube.once())[0] == 1
    assert namespace.get("ConfigMap", "a") is None and namespace.get("ConfigMap", "b") is not None


@pytest.mark.parametrize("given", [False, True])
def test_objects_without_a_namespace_go_to_the_contexts_or_the_one_given(kube, cluster, namespace, given):
    other = cluster.namespace()
    kube.start({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
                "cron.yaml": workload("web", "example.test/app:1", namespace=None, automated=False)})
    kube.once(*(["--k8s-default-namespace", other.name] if given else []))
    target, empty = (other, namespace) if given else (namespace, other)
    assert target.get("ConfigMap", "a") and target.get("Deployment", "web")
    assert empty.get("ConfigMap", "a") is None
    other.remove()


def test_another_context_is_taken_when_it_is_named(kube, cluster, namespace, tmp_path):
    other = cluster.kubeconfig(tmp_path / "other", namespace=kube.space, context="prod")
    kube.start({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
    result = kube.pawl.expect(2, "once", *kube.options, "--kubeconfig", other, "--context", "pord")
    assert "pord" in result.stderr and "prod" in result.stderr
    kube.once("--kubeconfig", other, "--context", "prod")
    assert namespace.get("ConfigMap", "a")


def test_kinds_of_all_sorts_are_applied(kube, namespace):
    objects = [
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], selector: {app: web}}\n",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, labels: {a: b}}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: web}\n"
        "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n",
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: web}\nspec:\n"
        "  schedule: '* * * * *'\n  suspend: yes\n"
        "  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'x:1'}]}}}}\n",
    ]
    kube.start({"all.yaml": "---\n".join(objects)})
    assert _counts(kube.once()) == (6, 0, 0, 0)
    assert namespace.get("CronJob", "web")["spec"]["suspend"] is True  # as kubectl reads YAML 1.1
    assert namespace.get("ConfigMap", "two") and namespace.get("Service", "web")
    assert _counts(kube.once()) == (0, 0, 6, 0)


@pytest.mark.parametrize("form", ["stringData", "data", "broken data", "no text"])
def test_values_of_secrets_are_never_printed(kube, namespace, form):
    value = "s3cr3t-Value-of-the-test"
    encoded = base64.b64encode(value.encode()).decode()
    line = {"stringData": f"stringData: {{a: {value}}}", "data": f"data: {{a: {encoded}}}",
            "broken data": f"data: {{a: '{value}!'}}", "no text": f"stringData: {{a: [{value}]}}"}[form]
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: secret}}\n{line}\n"
    kube.start({"secret.yaml": secret, "b.yaml": config_map("b", namespace=kube.space)})
    is_good = form in ("stringData", "data")
    kube.once("--log-level", "debug", rc=0 if is_good else 1)
    said = kube.result.stdout + kube.result.stderr
    assert "ecr3t" not in said and "s3cr3t" not in said and "Value-of" not in said and encoded not in said, kube.result
    assert namespace.get("ConfigMap", "b")
    if is_good:
        assert namespace.get("Secret", "secret")["data"] == {"a": encoded}
        # And a second run, which compares.
        assert _counts(kube.once("--log-level", "debug")) == (0, 0, 2, 0)
        assert encoded not in kube.result.stdout + kube.result.stderr


def test_the_admins_token_is_never_printed(kube):
    kube.start({"a.yaml": config_map("a", namespace=kube.space)})
    kube.once("--log-level", "debug")
    assert ADMIN_TOKEN not in kube.result.stdout + kube.result.stderr


def test_serve_applies_new_images_and_heals_the_cluster(kube, namespace):
    kube.push("app", "1.0.0")
    kube.start({"web.yaml": _web(kube, "1.0.0"), "a.yaml": config_map("a", namespace=kube.space, key="1")})
    with kube.serve("--sync-interval", "1s") as daemon:
        daemon.wait_until(lambda: namespace.get("Deployment", "web"), "the Deployment")
        kube.push("app", "1.1.0")
        daemon.wait_until(lambda: kube.image("app", "1.1.0") in json.dumps(namespace.get("Deployment", "web")["spec"]),
                          "the new image in the cluster")
        namespace.delete("ConfigMap", "a")
        daemon.wait_until(lambda: namespace.get("ConfigMap", "a"), "the ConfigMap to come back")
