#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/image_filter.h"
#include "scanner/ecr_host.h"

#define PAUSE "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause"
#define OURS  "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/app"
#define FIPS  "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/shop/app"
#define CHINA "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/app"

static void refuses(const struct image_filter *filter, const char *repository, const char *option)
{
    const char *why = image_filter_refusal(filter, repository);
    assert_non_null(why);
    assert_non_null(strstr(why, option));
}

static void test_exclusion_wins_over_inclusion(void **state UNUSED)
{
    CLEANUP(strvec_release) struct strvec exclude = STRVEC_INIT;
    CLEANUP(strvec_release) struct strvec include = STRVEC_INIT;
    strvec_push(&exclude, "k8s.gcr.io/*");
    const struct image_filter open = {.exclude = &exclude, .include = &include};
    refuses(&open, "k8s.gcr.io/pause", "--registry-exclude-image");
    assert_null(image_filter_refusal(&open, "quay.io/o/app"));
    strvec_push(&include, "*/o/*");
    strvec_push(&include, "k8s.gcr.io/*");
    assert_null(image_filter_refusal(&open, "quay.io/o/app"));
    refuses(&open, "quay.io/p/app", "--registry-include-image");
    refuses(&open, "k8s.gcr.io/pause", "--registry-exclude-image");
}

static void test_accounts_and_regions_of_ecr(void **state UNUSED)
{
    CLEANUP(strvec_release) struct strvec excluded = STRVEC_INIT;
    CLEANUP(strvec_release) struct strvec included = STRVEC_INIT;
    CLEANUP(strvec_release) struct strvec regions = STRVEC_INIT;
    strvec_push(&excluded, "602401143452");
    const struct image_filter filter = {
        .ecr_exclude_ids = &excluded, .ecr_include_ids = &included, .ecr_regions = &regions};
    refuses(&filter, PAUSE, "--registry-ecr-exclude-id");
    assert_null(image_filter_refusal(&filter, OURS));
    strvec_push(&included, "602401143452");
    refuses(&filter, PAUSE, "--registry-ecr-exclude-id");
    refuses(&filter, OURS, "--registry-ecr-include-id");
    strvec_push(&included, "123456789012");
    strvec_push(&regions, "us-gov-west-1");
    refuses(&filter, OURS, "--registry-ecr-region");
    assert_null(image_filter_refusal(&filter, FIPS));
    strvec_push(&regions, "eu-central-1");
    assert_null(image_filter_refusal(&filter, OURS));
    refuses(&filter, CHINA, "--registry-ecr-region");
    /* nobody else has accounts */
    assert_null(image_filter_refusal(&filter, "quay.io/602401143452/app"));
    assert_null(image_filter_refusal(&filter, "602401143452.dkr.ecr.us-west-2.example.com/app"));
}

static void test_a_closed_filter_refuses_everything(void **state UNUSED)
{
    const struct image_filter filter = {.is_closed = true};
    refuses(&filter, "quay.io/o/app", "--registry-disable-scanning");
}

static void test_an_error_says_why(void **state UNUSED)
{
    const struct image_filter closed = {.is_closed = true}, open = {.is_closed = false};
    CLEANUP(image_ref_release) struct image_ref image = {0};
    struct error err = image_filter_error(&open, &image);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_int_equal(image_ref_parse("quay.io/o/app:1", &image, &err), 0);
    err = image_filter_error(&closed, &image);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "--registry-disable-scanning"));
}

static void test_ecr_hosts_are_taken_apart(void **state UNUSED)
{
    struct ecr_host host;
    assert_true(ecr_host_parse("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", &host));
    assert_string_equal(host.account, "123456789012");
    assert_string_equal(host.region, "us-gov-west-1");
    assert_string_equal(host.form->api, "ecr-fips.");
    assert_true(ecr_host_parse("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", &host));
    assert_string_equal(host.form->sts_domain, "amazonaws.com.cn");
    assert_true(ecr_host_parse("123456789012.dkr-ecr.eu-central-1.on.aws", &host));
    assert_false(ecr_host_parse("12345678901.dkr.ecr.eu-central-1.amazonaws.com", &host));
    assert_false(ecr_host_parse("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil", &host));
    assert_false(ecr_host_parse("123456789012.dkr.ecr..amazonaws.com", &host));
    assert_false(ecr_host_parse("", &host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusion_wins_over_inclusion),
        cmocka_unit_test(test_accounts_and_regions_of_ecr),
        cmocka_unit_test(test_a_closed_filter_refuses_everything),
        cmocka_unit_test(test_an_error_says_why),
        cmocka_unit_test(test_ecr_hosts_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
