"""Manifests as people write them."""

import json

_API_VERSIONS = {"Job": "batch/v1", "CronJob": "batch/v1beta1", "Pod": "v1"}


def workload(name, image, *, kind="Deployment", container="app", namespace="demo", policy=None, automated=True,
             annotations=None):
    """A workload with one container, opted in unless `automated` is false; `policy` is the container's tag policy."""
    wanted = {}
    if automated:
        wanted["fluxcd.io/automated"] = "true"
    if policy:
        wanted[f"fluxcd.io/tag.{container}"] = policy
    wanted.update(annotations or {})
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in wanted.items())
    space = f"  namespace: {namespace}\n" if namespace else ""
    return f"""\
apiVersion: {_API_VERSIONS.get(kind, "apps/v1")}
kind: {kind}
metadata:
  name: {name}
{space}{"  annotations:" if lines else "  annotations: {}"}
{lines}spec:
  replicas: 0   # nobody runs it
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: {container}
          image: {image}  # kept up to date
"""


def config_map(name, *, namespace="demo", **data):
    lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n{lines}"


def line_of(text, what):
    """The number of the first line with `what` in it, from 1."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if what in line)


def helm_release(name, values, *, policy="semver:1", version="helm.toolkit.fluxcd.io/v2", annotations=None):
    """A HelmRelease whose values are the lines of `values`, opted in; `policy` is that of the container "app"."""
    wanted = {"fluxcd.io/automated": "true", "fluxcd.io/tag.app": policy, **(annotations or {})}
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in wanted.items())
    body = "".join(f"    {line}\n" for line in values.splitlines())
    return (f"apiVersion: {version}\nkind: HelmRelease\nmetadata:\n  name: {name}\n  namespace: demo\n"
            f"  annotations:\n{lines}spec:\n  interval: 5m   # seldom\n  values:\n{body}")


# What the edit must leave alone, one document a way of writing. The workload is KIND/NAME in the namespace demo, its
# container is "app" and follows semver:1; OTHER an image of elsewhere. A lone 1.0.0
# is a decoy.

_HEAD = """\
apiVersion: apps/v1
kind: KIND
metadata:
  name: NAME
  namespace: demo
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.app: semver:1
"""
_TAIL = """\
spec:
  template:
    spec:
      containers:
        - name: app
          image: IMAGE
"""
_PLAIN = _HEAD + _TAIL

DOCUMENTS = {
    "plain": _PLAIN,
    "comments": "# image: x:1.0.0\n" + _PLAIN.replace("IMAGE", "IMAGE   # was 1.0.0 : not\t1.0.0")
                + "# 1.0.0 the end\n\n\n",
    "crlf": _PLAIN.replace("\n", "\r\n"),
    "mixed-line-ends": _HEAD.replace("\n", "\r\n") + _TAIL,
    "no-final-newline": _PLAIN.rstrip("\n"),
    "trailing-spaces": _PLAIN.replace("IMAGE", "IMAGE  \t ").replace("spec:", "spec:   "),
    "double-quotes": _PLAIN.replace("IMAGE", '"IMAGE"'),
    "single-quotes": _PLAIN.replace("IMAGE", "'IMAGE'"),
    "tagged-scalar": _PLAIN.replace("IMAGE", "!!str IMAGE"),
    "anchor": _PLAIN.replace("IMAGE", "&image IMAGE"),
    "quoted-key": _PLAIN.replace("image: IMAGE", '"image" : IMAGE'),
    "value-on-the-next-line": _PLAIN.replace("image: IMAGE", "image:\n            IMAGE"),
    "image-before-name": _PLAIN.replace("- name: app\n          image: IMAGE", "- image: IMAGE\n          name: app"),
    "unindented-list": _PLAIN.replace("        - name: app\n          image", "      - name: app\n        image"),
    "flow": '{apiVersion: apps/v1, kind: KIND, metadata: {name: NAME, namespace: demo, annotations: '
            '{fluxcd.io/automated: "true", fluxcd.io/tag.app: "semver:1"}}, '
            'spec: {template: {spec: {containers: [{name: app, image: IMAGE}]}}}}\n',
    "json": '{"apiVersion":"apps/v1","kind":"KIND","metadata":{"name":"NAME","namespace":"demo","annotations":'
            '{"fluxcd.io/automated":"true","fluxcd.io/tag.app":"semver:1"}},'
            '"spec":{"template":{"spec":{"containers":[{"name":"app","image":"IMAGE"}]}}}}',
    "text-before": "# Grüße, 世界 🎉 1.0.0\n" + _HEAD + '    note: "é \\u00e9 – 1.0.0"\n' + _TAIL,
    "odd-line-ends-in-a-comment": "# next\u0085# line, line\u2028# separator, para\u2029# graph\n" + _PLAIN,
    "byte-order-mark": "\ufeff" + _PLAIN,
    "directive": "%YAML 1.1\n---\n" + _PLAIN + "...\n",
    "long-line": _HEAD + f"    note: {'x' * 5000} 1.0.0\n" + _TAIL,
    "block-text-with-decoys": _HEAD + "    note: |\n      containers:\n        - name: app\n          image: x:1.0.0\n"
                              + _TAIL,
    "several-documents": "---\n# one\napiVersion: v1\nkind: ConfigMap\n"
                         "metadata: {name: NAME-settings, namespace: demo}\ndata:\n  image: \"x:1.0.0\"\n--- # two\n" + _PLAIN + "---\n---\n# three, empty\n",
    "list": "apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, "
            "metadata: {name: NAME-settings, namespace: demo}, data: {a: 'x:1.0.0'}}\n  - "
            + "\n    ".join(_PLAIN.rstrip("\n").split("\n")) + "\n",
    "init-container": _PLAIN.replace("      containers:\n", "      initContainers:\n")
                      + "      containers:\n        - {name: other, image: OTHER}\n",
    "two-containers": _PLAIN.replace("      containers:\n",
                                     "      containers:\n        - name: other\n          image: OTHER\n"),
    **{kind.lower(): _PLAIN.replace("KIND", kind) for kind in ("StatefulSet", "DaemonSet", "Job")},
    "pod": (_HEAD + "spec:\n  containers:\n    - name: app\n      image: IMAGE\n").replace("KIND", "Pod"),
    "cronjob": (_HEAD + "spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n"
                "            - {name: app, image: IMAGE}\n").replace("KIND", "CronJob"),
    "podtemplate": (_HEAD + "template:\n  spec:\n    containers: [{name: app, image: IMAGE}]\n").replace(
        "KIND", "PodTemplate"),
    "image-volume": (_HEAD + "spec:\n  containers: [{name: other, image: OTHER}]\n  volumes:\n    - name: app\n"
                     "      image:\n        reference: IMAGE\n").replace("KIND", "Pod"),
    "ephemeral-container": (_HEAD + "spec:\n  ephemeralContainers:\n    - name: app\n      image: IMAGE\n").replace(
        "KIND", "Pod"),
    "rollout": _PLAIN.replace("KIND", "Rollout").replace("apps/v1", "argoproj.io/v1alpha1"),
    "knative": _PLAIN.replace("KIND", "Service").replace("apps/v1", "serving.knative.dev/v1"),
    "workflow": (_HEAD + "spec:\n  templates:\n    - name: app\n      container:\n        image: IMAGE\n").replace(
        "KIND", "Workflow").replace("apps/v1", "argoproj.io/v1alpha1"),
    "cronworkflow": (_HEAD + "spec:\n  workflowSpec:\n    templates:\n      - name: app\n        script:\n"
                     "          image: IMAGE\n").replace("KIND", "CronWorkflow").replace(
                         "apps/v1", "argoproj.io/v1alpha1"),
    "helmrelease": (_HEAD + "spec:\n  values:\n    app:\n      image: IMAGE\n").replace(
        "KIND", "HelmRelease").replace("apps/v1", "helm.fluxcd.io/v1"),
}
_KINDS = {"statefulset": "StatefulSet", "daemonset": "DaemonSet", "job": "Job", "pod": "Pod", "cronjob": "CronJob",
          "podtemplate": "PodTemplate", "image-volume": "Pod", "ephemeral-container": "Pod", "rollout": "Rollout",
          "knative": "Service", "workflow": "Workflow", "cronworkflow": "CronWorkflow", "helmrelease": "HelmRelease"}


def kind_of(document):
    """The kind of the workload in DOCUMENTS[document]."""
    return _KINDS.get(document, "Deployment")


def write_document(document, image):
    """DOCUMENTS[document] with its own name and this image, as bytes."""
    text = DOCUMENTS[document].replace("KIND", "Deployment").replace("NAME", document)
    return text.replace("OTHER", "example.test/other:0.9.0").replace("IMAGE", image).encode()
