#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "updater/policy_settings.h"

static void note_conflict(const struct annotation *winner, const struct annotation *loser, void *context)
{
    strbuf_addf(context, "%s beats %s\n", winner->key, loser->key);
}

/* "KEY=VALUE KEY=VALUE …" in; what counts, and what was in conflict. */
static char *read_text(const char *annotations)
{
    AUTO_FREE char *copy = xstrdup(annotations);
    struct annotation items[8];
    struct resource resource = {.annotations = items};
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) && *word) {
        char *key = strsep(&word, "=");
        assert_true(resource.annotations_len < ARRAY_LEN(items));
        items[resource.annotations_len++] = (struct annotation){.key = key, .value = word};
    }
    struct strbuf out = STRBUF_INIT;
    CLEANUP(policy_settings_release) struct policy_settings settings;
    policy_settings_read(&settings, &resource, note_conflict, &out);
    struct strmap_cursor cursor = STRMAP_CURSOR_INIT;
    const char *policy;
    void *setting;
    while (strmap_next(&settings.by_policy, &cursor, &policy, &setting)) {
        const struct annotation *counts = policy_settings_find(&settings, policy);
        assert_ptr_equal(counts, ((const struct policy_setting *)setting)->annotation);
        strbuf_addf(&out, "%s: %s\n", policy, counts->value);
    }
    strbuf_addstr(&out, settings.has_own ? "own" : "");
    return strbuf_detach(&out, NULL);
}

static void test_policy_settings_are_of_the_key_that_counts(void **state)
{
    (void)state;
    static const struct {
        const char *annotations, *expected;
    } cases[] = {
        {"", ""},
        {"other/x=1 fluxcd.io/sync-checksum=2", ""},
        {"fluxcd.io/locked=true flux.weave.works/automated=true", "locked: true\nautomated: true\n"},
        {"flux.weave.works/tag.app=a filter.fluxcd.io/app=b fluxcd.io/tag.app=c pawl.dev/tag.app=d",
         "filter.fluxcd.io/app beats flux.weave.works/tag.app\nfluxcd.io/tag.app beats filter.fluxcd.io/app\n"
         "pawl.dev/tag.app beats fluxcd.io/tag.app\ntag.app: d\nown"},
        {"pawl.dev/locked=false flux.weave.works/locked=true",
         "pawl.dev/locked beats flux.weave.works/locked\nlocked: false\nown"},
        {"fluxcd.io/locked=true flux.weave.works/locked=true", "locked: true\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = read_text(cases[i].annotations);
        assert_string_equal(text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_settings_are_of_the_key_that_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
