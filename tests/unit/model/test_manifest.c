#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "model/manifest.h"

static struct manifest_file *file_of(const char *path, const char *text)
{
    return manifest_file_new(path, xstrdup(text), strlen(text), "default");
}

/* "ID(container=image …) …|LINE WORKLOAD: MESSAGE|…": one line that says all that was found. */
static char *describe(const struct manifest_file *file)
{
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < file->resources_len; i++) {
        const struct resource *r = &file->resources[i];
        AUTO_FREE char *id = resource_id_text(&r->id);
        strbuf_addf(&out, "%d %s", r->line, id);
        for (size_t k = 0; k < r->containers_len; k++) {
            const struct container *c = &r->containers[k];
            strbuf_addf(&out, " %s%s=%s%s", c->name, c->is_init ? "(init)" : "", c->is_alias ? "*" : "",
                        c->image.text ? c->image.text : "?");
        }
        strbuf_addch(&out, '\n');
    }
    for (size_t i = 0; i < file->problems_len; i++) {
        const struct manifest_problem *p = &file->problems[i];
        assert_string_equal(p->file, file->path);
        strbuf_addf(&out, "problem %d %s: %s\n", p->line, p->workload ? p->workload : "-", p->message);
    }
    return strbuf_detach(&out, NULL);
}

static void assert_described(const char *text, const char *expected)
{
    struct manifest_file *file = file_of("a.yaml", text);
    AUTO_FREE char *got = describe(file);
    assert_string_equal(got, expected);
    manifest_file_unref(file);
}

#define HEAD(kind, name)  "apiVersion: v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define OF(version, kind) "apiVersion: " version "\nkind: " kind "\nmetadata: {name: x}\n"
#define POD               "{containers: [{name: c, image: a:1}], initContainers: [{name: i, image: b:2}]}"

static void test_manifest_finds_containers_of_every_workload_kind(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {HEAD("Deployment", "x") "spec: {template: {spec: " POD "}}",
         "1 default:deployment/x c=a:1 i(init)=b:2\n"},
        {HEAD("StatefulSet", "x") "spec: {template: {spec: " POD "}}",
         "1 default:statefulset/x c=a:1 i(init)=b:2\n"},
        {HEAD("DaemonSet", "x") "spec: {template: {spec: " POD "}}",
         "1 default:daemonset/x c=a:1 i(init)=b:2\n"},
        {HEAD("ReplicaSet", "x") "spec: {template: {spec: " POD "}}",
         "1 default:replicaset/x c=a:1 i(init)=b:2\n"},
        {HEAD("ReplicationController", "x") "spec: {template: {spec: " POD "}}",
         "1 default:replicationcontroller/x c=a:1 i(init)=b:2\n"},
        {HEAD("Job", "x") "spec: {template: {spec: " POD "}}", "1 default:job/x c=a:1 i(init)=b:2\n"},
        {HEAD("CronJob", "x") "spec: {jobTemplate: {spec: {template: {spec: " POD "}}}}",
         "1 default:cronjob/x c=a:1 i(init)=b:2\n"},
        {HEAD("Pod", "x") "spec: " POD, "1 default:pod/x c=a:1 i(init)=b:2\n"},
        {HEAD("PodTemplate", "x") "template: {spec: " POD "}", "1 default:podtemplate/x c=a:1 i(init)=b:2\n"},
        {HEAD("Service", "x") "spec: " POD, "1 default:service/x\n"},
        {HEAD("Rollout", "x") "spec: {template: {spec: " POD "}}", "1 default:rollout/x\n"},
        {OF("batch/v1beta1", "CronJob") "spec: {jobTemplate: {spec: {template: {spec: " POD "}}}}",
         "1 default:cronjob/x c=a:1 i(init)=b:2\n"},
        {OF("batch/v2alpha1", "CronJob") "spec: {jobTemplate: {spec: {template: {spec: " POD "}}}}",
         "1 default:cronjob/x c=a:1 i(init)=b:2\n"},
        {OF("extensions/v1beta1", "Deployment") "spec: {template: {spec: " POD "}}",
         "1 default:deployment/x c=a:1 i(init)=b:2\n"},
        {OF("serving.knative.dev/v1", "Service") "spec: {template: {spec: " POD "}}",
         "1 default:service/x c=a:1 i(init)=b:2\n"},
        {OF("serving.knative.dev/v1", "Service") "spec: {template: {spec: {containers: [{image: a:1}]}}}",
         "1 default:service/x user-container=a:1\n"},
        {OF("serving.knative.dev/v1", "Configuration") "spec: {template: {spec: " POD "}}",
         "1 default:configuration/x c=a:1 i(init)=b:2\n"},
        {OF("argoproj.io/v1alpha1", "Rollout") "spec: {template: {spec: " POD "}}",
         "1 default:rollout/x c=a:1 i(init)=b:2\n"},
        {OF("argoproj.io/v1alpha1", "Rollout") "spec: {workloadRef: {kind: Deployment, name: x}}",
         "1 default:rollout/x\n"},
        {HEAD("Pod",
              "x") "spec: {initContainers: [{name: i, image: b:2}], containers: [{name: c, image: a:1}]}",
         "1 default:pod/x c=a:1 i(init)=b:2\n"},
        {HEAD("Pod", "x") "spec: {containers: {name: c}}", "1 default:pod/x\n"},
        {HEAD("Pod", "x"), "1 default:pod/x\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_described(cases[i].text, cases[i].expected);
}

static void test_manifest_finds_ephemeral_containers_and_image_volumes(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *expected;
    } cases[] = {
        {"{ephemeralContainers: [{name: e, image: e:1}], initContainers: [{name: i, image: b:2}]}",
         "1 default:pod/x i(init)=b:2 e=e:1\n"},
        {"{containers: [{name: c, image: a:1}], volumes: [{name: v, image: {reference: v:1}},"
         " {name: d, emptyDir: {}}, {name: w, image: {pullPolicy: Always}}, {name: z, image: {reference: "
         "z}}]}",
         "1 default:pod/x c=a:1 v=v:1 z=z\n"},
        {"{containers: [{name: c, image: a:1}], volumes: [{name: c, image: {reference: v:1}}]}",
         "1 default:pod/x c=a:1 c=v:1\n"
         "problem 4 default:pod/x: container c: this workload has another container of that name (line 4); "
         "containers are found by their names, so give it one of its own\n"},
        {"{volumes: [{name: v, image: v:1}, {name: w, image: {reference: 'V'}}, null]}",
         "1 default:pod/x w=?\n"
         "problem 4 default:pod/x: container w: \"V\" is no image reference: the path must be of lower-case "
         "letters and digits, joined by single \".\", \"_\", \"__\", \"-\" and \"/\"\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = xasprintf(HEAD("Pod", "x") "spec: %s\n", cases[i].spec);
        assert_described(text, cases[i].expected);
    }
}

static void test_manifest_finds_containers_of_workflows_by_their_templates(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *before, *after, *id;
    } kinds[] = {
        {"Workflow", "", "", "default:workflow/x"},
        {"WorkflowTemplate", "", "", "default:workflowtemplate/x"},
        {"ClusterWorkflowTemplate", "", "", "<cluster>:clusterworkflowtemplate/x"},
        {"CronWorkflow", "{schedule: '* * * * *', workflowSpec: ", "}", "default:cronworkflow/x"},
    };
    static const struct {
        const char *templates, *expected;
    } cases[] = {
        {"[{name: a, container: {image: a:1}}, {name: b, script: {image: b:1}}]", " a=a:1 b=b:1"},
        {"[{name: a, container: {image: a:1, name: main}, initContainers: [{name: i, image: i:1}],"
         " sidecars: [{name: s, image: s:1}]}]",
         " a=a:1 a.i(init)=i:1 a.s=s:1"},
        {"[{name: a, containerSet: {containers: [{name: x, image: x:1}, {name: y, image: y:1}]}}]",
         " a.x=x:1 a.y=y:1"},
        {"[{name: a, container: &c {image: a:1}}, {name: b, container: *c}]", " a=a:1 b=*a:1"},
        {"[{name: dag, dag: {tasks: []}}, {name: steps, steps: [[]]}]", ""},
        {"[{name: inherits, container: {args: [x]}}]", ""},
        {"{a: b}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds) * ARRAY_LEN(cases); i++) {
        size_t k = i / ARRAY_LEN(cases), c = i % ARRAY_LEN(cases);
        AUTO_FREE char *text = xasprintf("apiVersion: argoproj.io/v1alpha1\nkind: %s\nmetadata: {name: x}\n"
                                         "spec: %s{templates: %s}%s\n",
                                         kinds[k].kind, kinds[k].before, cases[c].templates, kinds[k].after);
        AUTO_FREE char *expected = xasprintf("1 %s%s\n", kinds[k].id, cases[c].expected);
        assert_described(text, expected);
    }
    assert_described(OF("argoproj.io/v1alpha1", "Workflow") "spec: {templates: [{container: {image: a:1}}]}",
                     "1 default:workflow/x =a:1\n"
                     "problem 4 default:workflow/x: container 1: the container has no name\n");
}

static void test_manifest_names_resources(void **state)
{
    (void)state;
    assert_described(
        "# c\n" HEAD("ConfigMap",
                     "x") "---\n"
                          "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: Prod}\n---\n"
                          "# nothing\n---\nplain text\n---\n" HEAD(
                              "Namespace",
                              "demo") "---\n"
                                      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"
                                      "metadata: {name: \"system:x\", namespace: ignored}\n---\n"
                                      "apiVersion: other.example/v1\nkind: Namespace\nmetadata: {name: n}\n",
        "2 default:configmap/x\n"
        "6 Prod:secret/s\n"
        "14 <cluster>:namespace/demo\n"
        "18 <cluster>:clusterrole/system:x\n"
        "22 default:namespace/n\n");
}

static void test_manifest_flattens_lists(void **state)
{
    (void)state;
    assert_described(
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: a:1}]}}\n"
        "- apiVersion: v1\n  kind: ConfigMapList\n  items: []\n"
        "- {apiVersion: v1}\n"
        "-\n"
        "- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n"
        "---\napiVersion: v1\nkind: PodList\nitems:\n- "
        "apiVersion: v1\n  kind: Pod\n  metadata: {name: d}\n"
        "---\n{apiVersion: v1, kind: List, items: }\n"
        "---\n{apiVersion: v1, kind: List, items: {a: b}}\n"
        "---\n{apiVersion: x/v1, kind: AllowList, metadata: {name: l}}\n",
        "4 default:pod/a c=a:1\n"
        "10 default:pod/b\n"
        "15 default:pod/d\n"
        "23 default:allowlist/l\n"
        "problem 5 -: a list inside a list is not read\n"
        "problem 8 -: this item of the list has no kind\n"
        "problem 9 -: this item of the list has no kind\n"
        "problem 21 -: the items of this list are no sequence\n");
}

static void test_manifest_passes_over_what_is_no_object(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "# a comment\n",
        "image: a:1\n",
        "[1, 2]\n",
        "kind: DaemonSet\nreplicas: 3\n", /* a chart's values */
        "kind:\nmetadata: {name: x}\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_described(cases[i], "");
}

/* kubectl takes what is merged, and pawl would edit what is not used. */
static void test_an_image_before_a_merge_key_that_has_one_is_a_problem(void **state)
{
    (void)state;
#define CONTESTED                                                                                            \
    "a key on the way to it comes before \"<<\", which has that key, too, and readers of YAML disagree "     \
    "about "                                                                                                 \
    "which of them counts; put \"<<\" first\n"
    assert_described(HEAD("Pod", "x") "spec:\n  old: &old {image: 'b:2'}\n  containers:\n"
                                      "  - {name: c, image: 'a:1', <<: *old}\n"
                                      "  - {<<: *old, name: d, image: 'a:1'}\n",
                     "1 default:pod/x c=? d=a:1\n"
                     "problem 7 default:pod/x: container c: " CONTESTED);
    assert_described(OF("helm.fluxcd.io/v1", "HelmRelease") "spec:\n  values:\n    web:\n      image: a\n"
                                                            "      tag: '1'\n      <<: {tag: '2'}\n",
                     "1 default:helmrelease/x web=?\n"
                     "problem 7 default:helmrelease/x: container web: " CONTESTED);
}

static void test_manifest_problems_spoil_only_what_they_are_about(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a: [\n---\n" HEAD("Pod", "x"), "3 default:pod/x\nproblem 2 -: column 1: did not find expected node "
                                         "content, while parsing a flow node "
                                         "from line 2\n"},
        {"apiVersion: v1\nkind: Pod\nmetadata: {}\n", "problem 1 -: this Pod has no metadata.name\n"},
        {"kind: Pod\nmetadata: {name: x}\n", "problem 1 -: this Pod has no apiVersion\n"},
        {"apiVersion: v1\nkind: Job\nmetadata: {generateName: x-}\n",
         "problem 1 -: this Job has a generateName and no name: each apply would make another; name it\n"},
        {"apiVersion: v1\nkind: Pod\nmetadata: {name: \"a b\"}\n",
         "problem 1 -: \"default:Pod/a b\" cannot name a resource\n"},
        {"caf\xe9: 1\n", "problem 0 -: byte 3 of the file is not UTF-8; save it as UTF-8\n"},
        {HEAD("Pod", "x") "spec:\n  containers:\n  - {name: a, image: A:1}\n  - {name: b, image: b:1}\n",
         "1 default:pod/x a=? b=b:1\nproblem 6 default:pod/x: container a: \"A:1\" is no image reference: "
         "the path "
         "must be of lower-case letters and digits, joined by single \".\", \"_\", \"__\", \"-\" and "
         "\"/\"\n"},
        {HEAD("Pod", "x") "spec:\n  containers:\n  - name: a\n  - image: b:1\n  -\n",
         "1 default:pod/x a=? =b:1 =?\nproblem 6 default:pod/x: container a: the container has no image\n"
         "problem 7 default:pod/x: container 2: the container has no name\n"
         "problem 8 default:pod/x: container 3: the container has no image\n"},
        {HEAD("Pod", "x") "spec:\n  containers: [{name: a, image: 1.5}, {name: b, image: on}, {name: c, "
                          "image: [a]}]\n",
         "1 default:pod/x a=? b=? c=?\n"
         "problem 5 default:pod/x: container a: the image is a number; put it in quotes\n"
         "problem 5 default:pod/x: container b: the image is a boolean; put it in quotes\n"
         "problem 5 default:pod/x: container c: the image must be a string\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_described(cases[i].text, cases[i].expected);
}

static void test_manifest_knows_where_shared_images_are_written(void **state)
{
    (void)state;
    assert_described(
        HEAD("Pod", "x") "x-image: &image a:1\nx-one: &one {name: d, image: d:1}\nx-all: &all [*one]\n"
                         "spec:\n  containers:\n"
                         "  - {name: a, image: *image}\n"
                         "  - *one\n"
                         "  - {<<: *one, name: c}\n"
                         "  - {name: e, image: &e e:1}\n"
                         "  - {<<: *one, name: f, image: f:1}\n"
                         "  initContainers: *all\n",
        "1 default:pod/x a=*a:1 d=*d:1 c=*d:1 e=e:1 f=f:1 d(init)=*d:1\n"
        "problem 5 default:pod/x: container d: this workload has another container of that name (line 5); "
        "containers are found by their names, so give it one of its own\n");
}

static void test_manifest_reads_annotations_in_order(void **state)
{
    (void)state;
    struct manifest_file *file = file_of("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n"
                                                   "  annotations:\n"
                                                   "    fluxcd.io/automated: \"true\"\n"
                                                   "    fluxcd.io/locked: true\n"
                                                   "    nested: {a: b}\n"
                                                   "    empty:\n"
                                                   "    <<: {fluxcd.io/locked: no, merged: m}\n");
    const struct resource *resource = &file->resources[0];
    assert_int_equal(resource->annotations_len, 4);
    assert_string_equal(resource->annotations[0].key, "fluxcd.io/automated");
    assert_int_equal(resource->annotations[0].line, 6);
    assert_string_equal(resource_annotation(resource, "fluxcd.io/automated"), "true");
    assert_string_equal(resource_annotation(resource, "fluxcd.io/locked"), "true");
    assert_string_equal(resource_annotation(resource, "empty"), "");
    assert_string_equal(resource_annotation(resource, "merged"), "m");
    assert_null(resource_annotation(resource, "nested"));
    manifest_file_unref(file);
}

static const struct resource *find(const struct manifest_set *set, const char *text)
{
    CLEANUP(resource_id_release) struct resource_id id = RESOURCE_ID_INIT;
    assert_int_equal(resource_id_parse(text, "default", &id, NULL), 0);
    return manifest_set_find(set, &id);
}

static void test_manifest_set_orders_files_and_finds_resources(void **state)
{
    (void)state;
    CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new();
    manifest_set_add(set, file_of("b.yaml", HEAD("Pod", "b")));
    manifest_set_add(set, file_of("a.yaml", HEAD("Pod", "a") "---\n[broken\n"));
    manifest_set_finish(set);
    assert_int_equal(set->resources_len, 2);
    assert_string_equal(set->resources[0]->id.name, "a");
    assert_string_equal(set->files[1]->path, "b.yaml");
    assert_int_equal(set->problems_len, 1);
    assert_string_equal(set->problems[0].file, "a.yaml");
    assert_ptr_equal(find(set, "pod/b"), set->resources[1]);
    assert_null(find(set, "other:pod/b"));
}

static void test_manifest_set_uses_no_copy_of_what_is_defined_twice(void **state)
{
    (void)state;
    CLEANUP(manifest_set_release) struct manifest_set *set = manifest_set_new(), *later = manifest_set_new();
    struct manifest_file *shared = file_of("c.yaml", HEAD("Pod", "x") "---\n" HEAD("Pod", "y"));
    manifest_set_add(set, manifest_file_ref(shared));
    manifest_set_add(set, file_of("a.yaml", "# c\n" HEAD("Pod", "x")));
    manifest_set_add(
        set, file_of("b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: default}\n"));
    manifest_set_finish(set);
    assert_null(find(set, "pod/x"));
    assert_non_null(find(set, "pod/y"));
    assert_int_equal(set->problems_len, 3);
    static const char *const messages[] = {
        "defined more than once, also in b.yaml:1; no copy is used",
        "defined more than once, also in a.yaml:2; no copy is used",
        "defined more than once, also in a.yaml:2; no copy is used",
    };
    static const char *const files[] = {"a.yaml", "b.yaml", "c.yaml"};
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        assert_string_equal(set->problems[i].message, messages[i]);
        assert_string_equal(set->problems[i].file, files[i]);
        assert_string_equal(set->problems[i].workload, "default:pod/x");
        assert_true(set->resources[i]->is_duplicate);
    }
    assert_false(set->resources[3]->is_duplicate);
    manifest_set_add(later, shared); /* the same file in the next commit, where the copies are gone */
    manifest_set_finish(later);
    assert_non_null(find(later, "pod/x"));
    assert_int_equal(later->problems_len, 0);
}

/* "ACCOUNT: SECRET SECRET …|LINE: PROBLEM" of the one resource. */
static char *describe_pulling(const char *text)
{
    struct manifest_file *file = file_of("a.yaml", text);
    assert_int_equal(file->resources_len, 1);
    const struct resource *r = &file->resources[0];
    struct strbuf out = STRBUF_INIT;
    strbuf_addf(&out, "%s:", r->service_account ? r->service_account : "-");
    for (size_t i = 0; i < r->pull_secrets_len; i++)
        strbuf_addf(&out, " %s", r->pull_secrets[i]);
    for (size_t i = 0; i < file->problems_len; i++)
        strbuf_addf(&out, "|%d: %s", file->problems[i].line, file->problems[i].message);
    manifest_file_unref(file);
    return strbuf_detach(&out, NULL);
}

static void test_manifest_reads_pull_secrets_of_every_workload_kind(void **state)
{
    (void)state;
    static const char pod[] =
        "{serviceAccountName: web, imagePullSecrets: [{name: one}, {name: two.b}, {name: one}]}";
    static const struct {
        const char *version, *kind, *before, *after;
    } cases[] = {
        {"v1", "Deployment", "spec: {template: {spec: ", "}}"},
        {"v1", "StatefulSet", "spec: {template: {spec: ", "}}"},
        {"v1", "DaemonSet", "spec: {template: {spec: ", "}}"},
        {"v1", "ReplicaSet", "spec: {template: {spec: ", "}}"},
        {"v1", "ReplicationController", "spec: {template: {spec: ", "}}"},
        {"v1", "Job", "spec: {template: {spec: ", "}}"},
        {"v1", "CronJob", "spec: {jobTemplate: {spec: {template: {spec: ", "}}}}"},
        {"v1", "Pod", "spec: ", ""},
        {"v1", "PodTemplate", "template: {spec: ", "}"},
        {"serving.knative.dev/v1", "Service", "spec: {template: {spec: ", "}}"},
        {"argoproj.io/v1alpha1", "Rollout", "spec: {template: {spec: ", "}}"},
        {"argoproj.io/v1alpha1", "Workflow", "spec: ", ""},
        {"argoproj.io/v1alpha1", "WorkflowTemplate", "spec: ", ""},
        {"argoproj.io/v1alpha1", "CronWorkflow", "spec: {workflowSpec: ", "}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text =
            xasprintf("apiVersion: %s\nkind: %s\nmetadata: {name: x}\n%s%s%s\n", cases[i].version,
                      cases[i].kind, cases[i].before, pod, cases[i].after);
        AUTO_FREE char *got = describe_pulling(text);
        assert_string_equal(got, "web: one two.b");
    }
}

static void test_manifest_leaves_out_pull_secrets_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *expected;
    } cases[] = {
        {"{}", "-:"},
        {"{serviceAccount: old}", "old:"},
        {"{serviceAccount: old, serviceAccountName: new}", "new:"},
        {"{serviceAccountName: ''}", "-:"},
        {"{imagePullSecrets: []}", "-:"},
        {"{imagePullSecrets: {name: a}}", "-:"},
        {"{imagePullSecrets: [{name: Bad_Name}, {name: good}]}",
         "-: good|4: imagePullSecrets: each needs the name of a Secret: \"Bad_Name\" is not one"},
        {"{imagePullSecrets: [{name: ../../x}]}",
         "-:|4: imagePullSecrets: each needs the name of a Secret: \"../../x\" is not one"},
        {"{imagePullSecrets: [{}]}", "-:|4: imagePullSecrets: each needs the name of a Secret"},
        {"{serviceAccountName: a/b}",
         "-:|4: serviceAccountName: the name of a service account is needed: \"a/b\" is not one"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = xasprintf(HEAD("Pod", "x") "spec: %s\n", cases[i].spec);
        AUTO_FREE char *got = describe_pulling(text);
        assert_string_equal(got, cases[i].expected);
    }
}

static void test_manifest_reads_a_limited_number_of_pull_secrets(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addstr(&text, HEAD("Pod", "x") "spec:\n  imagePullSecrets:\n");
    for (unsigned i = 0; i <= LIMIT_PULL_SECRETS; i++)
        strbuf_addf(&text, "  - name: s%u\n", i);
    struct manifest_file *file = file_of("a.yaml", text.buf);
    assert_int_equal(file->resources[0].pull_secrets_len, LIMIT_PULL_SECRETS);
    assert_int_equal(file->problems_len, 1);
    assert_int_equal(file->problems[0].line, 6 + (int)LIMIT_PULL_SECRETS);
    assert_non_null(strstr(file->problems[0].message, "more than 20"));
    manifest_file_unref(file);
}

static void test_manifest_path_is_yaml_as_flux_has_it(void **state)
{
    (void)state;
    assert_true(manifest_path_is_yaml("a/b.yaml"));
    assert_true(manifest_path_is_yaml("b.yml"));
    assert_false(manifest_path_is_yaml("b.json"));
    assert_false(manifest_path_is_yaml("yaml"));
    assert_false(manifest_path_is_yaml("b.yaml.bak"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest_finds_containers_of_every_workload_kind),
        cmocka_unit_test(test_manifest_finds_ephemeral_containers_and_image_volumes),
        cmocka_unit_test(test_manifest_finds_containers_of_workflows_by_their_templates),
        cmocka_unit_test(test_manifest_names_resources),
        cmocka_unit_test(test_manifest_flattens_lists),
        cmocka_unit_test(test_manifest_passes_over_what_is_no_object),
        cmocka_unit_test(test_an_image_before_a_merge_key_that_has_one_is_a_problem),
        cmocka_unit_test(test_manifest_problems_spoil_only_what_they_are_about),
        cmocka_unit_test(test_manifest_knows_where_shared_images_are_written),
        cmocka_unit_test(test_manifest_reads_annotations_in_order),
        cmocka_unit_test(test_manifest_set_orders_files_and_finds_resources),
        cmocka_unit_test(test_manifest_set_uses_no_copy_of_what_is_defined_twice),
        cmocka_unit_test(test_manifest_reads_pull_secrets_of_every_workload_kind),
        cmocka_unit_test(test_manifest_leaves_out_pull_secrets_that_are_none),
        cmocka_unit_test(test_manifest_reads_a_limited_number_of_pull_secrets),
        cmocka_unit_test(test_manifest_path_is_yaml_as_flux_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
