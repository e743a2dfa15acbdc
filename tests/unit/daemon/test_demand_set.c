#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/demand_set.h"
#include "daemon/tag_wants.h"

/* Deployments in one file; each line of `lines` is "AUTOMATED IMAGE POLICY [ORDER [EXTRACT]]". */
static char *manifests(const char *const *lines)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; lines[i]; i++) {
        char automated[16], image[128], policy[64], order[16] = "", extract[16] = "";
        int words = sscanf(lines[i], "%15s %127s %63s %15s %15s", automated, image, policy, order, extract);
        assert_true(words >= 3);
        strbuf_addf(&text,
                    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-%zu\n  annotations:\n"
                    "    fluxcd.io/automated: \"%s\"\n    fluxcd.io/tag.c: '%s'\n",
                    i, automated, policy);
        if (*order)
            strbuf_addf(&text, "    pawl.dev/order: '%s'\n", order);
        if (*extract)
            strbuf_addf(&text, "    pawl.dev/extract.c: '%s'\n", extract);
        strbuf_addf(&text, "spec: {template: {spec: {containers: [{name: c, image: \"%s\"}]}}}\n", image);
    }
    return strbuf_detach(&text, NULL);
}

struct read {
    struct manifest_set *set;
    struct workload_policy *policies[16];
    size_t len;
};

static void read_lines(struct read *r, const char *const *lines)
{
    char *text = manifests(lines);
    r->set = manifest_set_new();
    manifest_set_add(r->set, manifest_file_new("a.yaml", text, strlen(text), "default"));
    manifest_set_finish(r->set);
    r->len = r->set->resources_len;
    for (size_t i = 0; i < r->len; i++)
        r->policies[i] = workload_policy_new(r->set->resources[i]);
}

static void release(struct read *r)
{
    for (size_t i = 0; i < r->len; i++)
        workload_policy_free(r->policies[i]);
    manifest_set_free(r->set);
}

static const struct image_filter all = {.exclude = NULL};

static void test_demand_set_asks_for_each_repository_once(void **state UNUSED)
{
    static const char *const lines[] = {
        "true nginx:1 semver:*",          "true docker.io/library/nginx:2 glob:a-*",
        "true nginx:3 glob:b-*",          "true nginx:4 glob:a-*",
        "true quay.io/o/app:1 semver:~1", "false quay.io/o/not:1 semver:~1",
        "true quay.io/o/bad:1 semver:",   NULL};
    struct read r;
    read_lines(&r, lines);
    CLEANUP(demand_set_release) struct demand_set *set = demand_set_from(r.policies, r.len, &all, NULL);
    assert_int_equal(set->len, 2);
    assert_string_equal(set->items[0].repository, "index.docker.io/library/nginx");
    assert_int_equal(set->items[0].questions_len, 2);
    assert_string_equal(set->items[1].repository, "quay.io/o/app");
    assert_int_equal(set->items[1].questions_len, 0);
    static const ptrdiff_t item_of[] = {0, 0, 0, 0, 1, -1, -1};
    for (size_t i = 0; i < ARRAY_LEN(item_of); i++)
        assert_int_equal(demand_set_find(set, r.policies[i]->containers[0].container), item_of[i]);
    release(&r); /* the set owns what it needs */
    const struct demand nginx = demand_of(&set->items[0]), app = demand_of(&set->items[1]);
    assert_int_equal(demand_wants(&app, "1.2.3"), 0);
    assert_int_equal(demand_wants(&nginx, "a-1"), DEMAND_CREATED);
    assert_int_equal(demand_wants(&nginx, "b-1"), DEMAND_CREATED);
    assert_int_equal(demand_wants(&nginx, "1.2.3"), 0);
}

/* The policy as a whole is asked for: times where the order goes by them, of the tags that have a value. */
static void test_demand_set_keeps_orders_and_templates(void **state UNUSED)
{
    static const char *const lines[] = {"true a.io/x:1 glob:* numeric",
                                        "true b.io/x:1 semver:* newest",
                                        "true b.io/x:1 semver:* newest:desc",
                                        "true c.io/x:1 regexp:^(?:b-(\\d+)|main)$ newest $1",
                                        "true c.io/x:1 regexp:^(?:b-(\\d+)|main)$ newest $0",
                                        NULL};
    struct read r;
    read_lines(&r, lines);
    CLEANUP(demand_set_release) struct demand_set *set = demand_set_from(r.policies, r.len, &all, NULL);
    release(&r);
    static const size_t questions[] = {0, 2, 2};
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        assert_int_equal(set->items[i].questions_len, questions[i]);
    const struct demand versions = demand_of(&set->items[1]);
    assert_int_equal(demand_wants(&versions, "1.2"), DEMAND_CREATED);
    assert_int_equal(demand_wants(&versions, "main"), 0);
    assert_string_equal(tag_policy_order(set->items[1].questions[1].policy), "newest:desc");
    const struct tag_policy *number = set->items[2].questions[0].policy;
    assert_string_equal(tag_policy_extract(number), "$1");
    assert_int_equal(tag_policy_match(number, "b-1"), TAG_MATCHES);
    assert_int_equal(tag_policy_match(number, "main"), TAG_NO_VALUE);
}

static void test_demand_set_knows_what_is_dated_by_labels(void **state UNUSED)
{
    static const char *const lines[] = {"true fluxcd/flux:1 glob:*", "true quay.io/o/app:1 glob:*", NULL};
    CLEANUP(strvec_release) struct strvec globs = STRVEC_INIT;
    strvec_push(&globs, "index.docker.io/fluxcd/*");
    const struct image_filter filter = {.use_labels = &globs};
    struct read r;
    read_lines(&r, lines);
    CLEANUP(demand_set_release) struct demand_set *set = demand_set_from(r.policies, r.len, &filter, NULL);
    assert_true(demand_of(&set->items[0]).dates_by_labels);
    assert_false(demand_of(&set->items[1]).dates_by_labels);
    release(&r);
}

static void test_demand_text_tells_questions_apart(void **state UNUSED)
{
    static const char *const lines[] = {"true a.io/x:1 glob:*", "true b.io/x:1 glob:*",
                                        "true c.io/x:1 glob:a-*", "true d.io/x:1 semver:*", NULL};
    struct read r;
    read_lines(&r, lines);
    CLEANUP(demand_set_release) struct demand_set *set = demand_set_from(r.policies, r.len, &all, NULL);
    struct strbuf texts[4] = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        demand_add_text(&set->items[i], &texts[i]);
    assert_string_equal(texts[0].buf, texts[1].buf);
    assert_string_not_equal(texts[0].buf, texts[2].buf);
    assert_int_equal(texts[3].len, 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        strbuf_release(&texts[i]);
    release(&r);
}

/* One container that asks for an age is enough. */
static void test_demand_set_wants_push_times_where_an_age_is_asked_for(void **state UNUSED)
{
    static const char text[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n  annotations:\n"
        "    fluxcd.io/automated: \"true\"\n    pawl.dev/min-age.b: 2d\n"
        "spec: {template: {spec: {containers: [{name: a, image: \"a.io/x:1\"}, {name: b, image: "
        "\"b.io/x:1\"},\n"
        "  {name: c, image: \"b.io/x:2\"}]}}}\n";
    struct read r = {.set = manifest_set_new()};
    manifest_set_add(r.set, manifest_file_new("a.yaml", xstrdup(text), strlen(text), "default"));
    manifest_set_finish(r.set);
    r.policies[r.len++] = workload_policy_new(r.set->resources[0]);
    CLEANUP(demand_set_release) struct demand_set *set = demand_set_from(r.policies, r.len, &all, NULL);
    release(&r);
    assert_int_equal(set->len, 2);
    assert_false(demand_of(&set->items[0]).wants_push_times);
    assert_true(demand_of(&set->items[1]).wants_push_times);
}

static char *text_of(const struct repository_demand *item)
{
    struct strbuf text = STRBUF_INIT;
    demand_add_text(item, &text);
    return strbuf_detach(&text, NULL);
}

/* The same is asked in whatever order it was found out. */
static void test_demand_set_asks_more_of_single_tags(void **state UNUSED)
{
    static const char *const lines[] = {"true nginx:1 semver:*", "true quay.io/o/app:1 glob:a-*", NULL};
    struct read r;
    read_lines(&r, lines);
    struct demand_set *before = demand_set_from(r.policies, r.len, &all, NULL);
    struct tag_wants wants;
    tag_wants_init(&wants);
    assert_true(tag_wants_add(&wants, &before->items[0], "2.0", DEMAND_DIGEST));
    assert_false(tag_wants_add(&wants, &before->items[0], "2.0", DEMAND_DIGEST));
    assert_true(tag_wants_add(&wants, &before->items[0], "2.0", DEMAND_DIGEST | DEMAND_PLATFORMS));
    assert_true(tag_wants_add(&wants, &before->items[0], "1.0", DEMAND_PLATFORMS));
    assert_true(tag_wants_add(&wants, &before->items[1], "a-1", DEMAND_DIGEST));
    assert_false(repository_demand_has_questions(&before->items[0]));
    demand_set_unref(before);

    CLEANUP(demand_set_release) struct demand_set *set = demand_set_from(r.policies, r.len, &all, NULL);
    tag_wants_put(&wants, set);
    const struct demand nginx = demand_of(&set->items[0]), app = demand_of(&set->items[1]);
    assert_true(repository_demand_has_questions(&set->items[0]));
    assert_int_equal(demand_wants(&nginx, "1.0"), DEMAND_PLATFORMS);
    assert_int_equal(demand_wants(&nginx, "2.0"), DEMAND_DIGEST | DEMAND_PLATFORMS);
    assert_int_equal(demand_wants(&nginx, "2.0.1"), 0);
    assert_int_equal(demand_wants(&app, "a-1"), DEMAND_DIGEST | DEMAND_CREATED);
    assert_int_equal(demand_wants(&app, "a-2"), DEMAND_CREATED);
    AUTO_FREE char *text = text_of(&set->items[0]);
    assert_string_equal(text, "4 =1.0\n6 =2.0\n");
    tag_wants_release(&wants);
    release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demand_set_asks_for_each_repository_once),
        cmocka_unit_test(test_demand_set_keeps_orders_and_templates),
        cmocka_unit_test(test_demand_set_knows_what_is_dated_by_labels),
        cmocka_unit_test(test_demand_text_tells_questions_apart),
        cmocka_unit_test(test_demand_set_wants_push_times_where_an_age_is_asked_for),
        cmocka_unit_test(test_demand_set_asks_more_of_single_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
