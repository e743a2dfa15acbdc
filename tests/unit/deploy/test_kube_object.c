#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deploy/kube_object.h"

#include "json_text.h"

static const struct {
    const char *from, *to;
} normal_forms[] = {
    /* bookkeeping of the server, and of kubectl */
    {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','uid':'u','resourceVersion':'1','"
     "generation':2,"
     "'creationTimestamp':'2020-01-01T00:00:00Z','selfLink':'/x','managedFields':[],'deletionTimestamp':'x',"
     "'deletionGracePeriodSeconds':30,'labels':{'l':'1'},'finalizers':['f']},'status':{'x':1}}",
     "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','labels':{'l':'1'},'finalizers':['f']}}"},
    {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','annotations':"
     "{'kubectl.kubernetes.io/last-applied-configuration':'{}','mine':'1'}}}",
     "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','annotations':{'mine':'1'}}}"},
    {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','labels':null,'annotations':"
     "{'kubectl.kubernetes.io/last-applied-configuration':'{}'}}}",
     "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'}}"},
    /* null timestamps go at any depth, other nulls mean something */
    {"{'apiVersion':'example.com/v1','kind':'X','metadata':{'name':'a','creationTimestamp':null},'spec':"
     "{'size':null,'list':[{'metadata':{'creationTimestamp':null}}]}}",
     "{'apiVersion':'example.com/"
     "v1','kind':'X','metadata':{'name':'a'},'spec':{'size':null,'list':[{'metadata':{"
     "}}]}}"},
    /* protocols, in pods wherever they are, and in the core group's Service only */
    {"{'apiVersion':'apps/"
     "v1','kind':'Deployment','metadata':{'name':'a'},'spec':{'template':{'spec':{'containers':"
     "[{'ports':[{'containerPort':1},{'containerPort':2,'protocol':'UDP'}]}],'initContainers':[{'ports':[{}]}"
     "]}}}}",
     "{'apiVersion':'apps/"
     "v1','kind':'Deployment','metadata':{'name':'a'},'spec':{'template':{'spec':{'containers':"
     "[{'ports':[{'containerPort':1,'protocol':'TCP'},{'containerPort':2,'protocol':'UDP'}]}],'"
     "initContainers':"
     "[{'ports':[{'protocol':'TCP'}]}]}}}}"},
    {"{'apiVersion':'batch/v1beta1','kind':'CronJob','metadata':{'name':'a'},'spec':{'jobTemplate':{'spec':"
     "{'template':{'spec':{'containers':[{'ports':[{}]}]}}}}}}",
     "{'apiVersion':'batch/v1beta1','kind':'CronJob','metadata':{'name':'a'},'spec':{'jobTemplate':{'spec':"
     "{'template':{'spec':{'containers':[{'ports':[{'protocol':'TCP'}]}]}}}}}}"},
    {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a'},'spec':{'containers':[{'ports':[{}]}]}}",
     "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a'},'spec':{'containers':[{'ports':[{'protocol':'"
     "TCP'}]}]"
     "}}"},
    {"{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'ports':[{'port':80}]}}",
     "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'ports':[{'port':80,'protocol':'"
     "TCP'}]}}"},
    {"{'apiVersion':'serving.knative.dev/v1','kind':'Service','metadata':{'name':'a'},'spec':{'ports':[{}]}}",
     "{'apiVersion':'serving.knative.dev/"
     "v1','kind':'Service','metadata':{'name':'a'},'spec':{'ports':[{}]}}"},
    /* what is not as it should be is left for the server to refuse */
    {"{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'ports':'no'}}",
     "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a'},'spec':{'ports':'no'}}"},
    /* Secrets */
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'a':'eA==','b':'eQ=='},'stringData':"
     "{'b':'hello','c':''}}",
     "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'a':'eA==','b':'aGVsbG8=','c':''}}"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'stringData':{'b':'hello'}}",
     "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'b':'aGVsbG8='}}"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'stringData':{}}",
     "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'}}"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'a':'aGVs\\nbG8=\\n','b':null}}",
     "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'a':'aGVs\\nbG8=\\n','b':null}}"},
    /* a definition's certificate: a placeholder goes, a certificate stays */
    {"{'apiVersion':'apiextensions.k8s.io/"
     "v1','kind':'CustomResourceDefinition','metadata':{'name':'a'},'spec':"
     "{'conversion':{'webhook':{'clientConfig':{'caBundle':'Cg==','service':{}}}}}}",
     "{'apiVersion':'apiextensions.k8s.io/"
     "v1','kind':'CustomResourceDefinition','metadata':{'name':'a'},'spec':"
     "{'conversion':{'webhook':{'clientConfig':{'service':{}}}}}}"},
    {"{'apiVersion':'apiextensions.k8s.io/"
     "v1','kind':'CustomResourceDefinition','metadata':{'name':'a'},'spec':"
     "{'conversion':{'webhook':{'clientConfig':{'caBundle':'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=='}}}}}",
     "{'apiVersion':'apiextensions.k8s.io/"
     "v1','kind':'CustomResourceDefinition','metadata':{'name':'a'},'spec':"
     "{'conversion':{'webhook':{'clientConfig':{'caBundle':'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=='}}}}}"},
};

static void test_kube_object_normalises(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(normal_forms); i++) {
        AUTO_JSON json_t *object = json_from(normal_forms[i].from);
        struct error err = ERROR_INIT;
        if (kube_object_normalise(object, &err) < 0)
            fail_msg("%s: %s", normal_forms[i].from, err.text);
        assert_json(object, normal_forms[i].to);
    }
}

static const struct {
    const char *object, *error;
} refusals[] = {
    {"[]", "not an object"},
    {"{'kind':'A','metadata':{'name':'a'}}", "apiVersion"},
    {"{'apiVersion':'a/b/c','kind':'A','metadata':{'name':'a'}}", "apiVersion"},
    {"{'apiVersion':'/v1','kind':'A','metadata':{'name':'a'}}", "apiVersion"},
    {"{'apiVersion':'../v1','kind':'A','metadata':{'name':'a'}}", "apiVersion"},
    {"{'apiVersion':'v1','metadata':{'name':'a'}}", "kind"},
    {"{'apiVersion':'v1','kind':'A'}", "metadata.name"},
    {"{'apiVersion':'v1','kind':'A','metadata':{'generateName':'a-'}}", "generateName"},
    {"{'apiVersion':'v1','kind':'A','metadata':{'name':'..'}}", "\"..\" cannot be a name"},
    {"{'apiVersion':'v1','kind':'A','metadata':{'name':'a/b'}}", "cannot be a name"},
    {"{'apiVersion':'v1','kind':'A','metadata':{'name':'a','namespace':'..'}}", "\"..\" cannot be a name"},
    {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'},'data':{'port':8080}}", "data.port"},
    {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'},'data':[1]}", "data must be"},
    {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'},'binaryData':{'b':'%'}}", "binaryData.b"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'stringData':{'pin':1234}}",
     "stringData.pin"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'pw':'hunter2!'}}", "data.pw"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'pw':'aGVsbG8'}}", "data.pw"},
    {"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},'data':{'pw':'a=Vs'}}", "data.pw"},
};

static void test_kube_object_refuses_with_the_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        AUTO_JSON json_t *object = json_from(refusals[i].object);
        struct error err = ERROR_INIT;
        assert_int_equal(kube_object_normalise(object, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        if (!strstr(err.text, refusals[i].error))
            fail_msg("%s: %s", refusals[i].object, err.text);
        assert_null(strstr(err.text, "hunter2"));
        assert_null(strstr(err.text, "1234"));
    }
}

static void test_kube_object_fits_namespaces_to_scope(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        bool is_namespaced;
        const char *space;
    } cases[] = {
        {"{'metadata':{'name':'a'}}", true, "def"},
        {"{'metadata':{'name':'a','namespace':''}}", true, "def"},
        {"{'metadata':{'name':'a','namespace':null}}", true, "def"},
        {"{'metadata':{'name':'a','namespace':'own'}}", true, "own"},
        {"{'metadata':{'name':'a','namespace':'own'}}", false, NULL},
        {"{'metadata':{'name':'a'}}", false, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_JSON json_t *object = json_from(cases[i].metadata);
        kube_object_set_scope(object, cases[i].is_namespaced, "def");
        if (cases[i].space)
            assert_string_equal(kube_object_space(object), cases[i].space);
        else
            assert_null(json_object_get(json_object_get(object, "metadata"), "namespace"));
    }
}

static void test_kube_object_compares_content(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"{'metadata':{'name':'a','resourceVersion':'1','managedFields':[1]},'spec':1,'status':1}",
         "{'metadata':{'name':'a','resourceVersion':'2','managedFields':[2]},'spec':1,'status':2}", true},
        {"{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{'labels':{'a':'2'}}}", false},
        {"{'metadata':{},'spec':1}", "{'metadata':{},'spec':2}", false},
        {"{'metadata':{},'data':{'a':'1'}}", "{'metadata':{}}", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_JSON json_t *a = json_from(cases[i].a);
        AUTO_JSON json_t *b = json_from(cases[i].b);
        assert_int_equal(kube_object_same_content(a, b), cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_object_normalises),
        cmocka_unit_test(test_kube_object_refuses_with_the_field),
        cmocka_unit_test(test_kube_object_fits_namespaces_to_scope),
        cmocka_unit_test(test_kube_object_compares_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
