#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/attr.h"
#include "deploy/apply_order.h"

static void test_apply_order_ranks_what_others_need_first(void **state)
{
    (void)state;
    static const struct {
        const char *group, *kind;
        enum apply_rank rank;
    } cases[] = {
        {"", "Namespace", RANK_NAMESPACES},
        {"apiextensions.k8s.io", "CustomResourceDefinition", RANK_DEFINITIONS},
        {"", "ServiceAccount", RANK_DEFINITIONS},
        {"", "Service", RANK_DEFINITIONS},
        {"scheduling.k8s.io", "PriorityClass", RANK_DEFINITIONS},
        {"", "Secret", RANK_CONFIGURATION},
        {"extensions", "Ingress", RANK_CONFIGURATION},
        {"apps", "Deployment", RANK_WORKLOADS},
        {"batch", "CronJob", RANK_WORKLOADS},
        {"", "Pod", RANK_OTHERS},
        {"serving.knative.dev", "Service", RANK_OTHERS},
        {"app", "Deployment", RANK_OTHERS},
        {"autoscaling", "HorizontalPodAutoscaler", RANK_OTHERS},
        {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", RANK_WEBHOOKS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(apply_rank_of(cases[i].group, strlen(cases[i].group), cases[i].kind), cases[i].rank);
    assert_int_equal(apply_rank_of("apps/v1", 4, "Deployment"), RANK_WORKLOADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply_order_ranks_what_others_need_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
