#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/option.h"

struct values {
    char *url, *format, *output;
    int64_t burst, interval;
    bool readonly, verbose;
    struct strvec path, include, namespaces;
};

#define AT(field) offsetof(struct values, field)

static const struct option_row git_rows[] = {
    {"git-url", 0, OPTION_STRING, AT(url), NULL, "URL", "Git", "the repository", NULL, NULL},
    {"git-path", 0, OPTION_LIST, AT(path), NULL, "PATH,…", "Git", "where manifests are", NULL, NULL},
    {"git-readonly", 'r', OPTION_BOOL, AT(readonly), NULL, NULL, "Git", "never push", NULL, NULL},
    {"git-poll-interval", 0, OPTION_DURATION, AT(interval), "5m", "TIME", "Git", "how often", NULL, NULL},
    {"git-secret", 0, OPTION_NONE, 0, NULL, NULL, "Git", "use git-secret", NULL,
     "not in this version; decrypt with a generator"},
    {NULL, 0, OPTION_NONE, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct option_row other_rows[] = {
    {"verbose", 'v', OPTION_BOOL, AT(verbose), NULL, NULL, "Output", "say more", NULL, NULL},
    {"output", 'o', OPTION_STRING, AT(output), "table", "FORM", "Output", "the form", "table|json|wide",
     NULL},
    {"log-format", 0, OPTION_STRING, AT(format), "fmt", "FORM", "Output", "of the log", "|fmt|json", NULL},
    {"registry-burst", 0, OPTION_INT, AT(burst), "10", "N", "Registry", "at once", NULL, NULL},
    {"registry-include", 0, OPTION_LIST, AT(include), "a/*,b/*", "GLOB,…", "Registry", "which", NULL, NULL},
    {"allow-namespace", 0, OPTION_LIST, AT(namespaces), NULL, "NAME,…", "Registry", "which", NULL, NULL},
    {"namespace-whitelist", 0, OPTION_LIST, AT(namespaces), NULL, "NAME,…", "Registry", NULL, NULL, NULL},
    {"cache-expiry", 0, OPTION_NONE, 0, NULL, "TIME", "Registry", NULL, NULL, NULL},
    {"in-cluster", 0, OPTION_NONE, 0, NULL, NULL, "Registry", NULL, NULL, NULL},
    {NULL, 0, OPTION_NONE, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct option_row *const tables[] = {git_rows, other_rows, NULL};

struct fixture {
    struct values values;
    struct option_set set;
    struct strvec operands;
    struct error error;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.operands = STRVEC_INIT, .error = ERROR_INIT};
    option_set_init(&f->set, tables, &f->values);
}

static void fixture_release(struct fixture *f)
{
    option_set_release(&f->set);
    strvec_release(&f->operands);
}

#define WITH_FIXTURE(f)                                                                                      \
    CLEANUP(fixture_release) struct fixture f;                                                               \
    fixture_init(&(f))

static int read_words(struct fixture *f, const char *const *words)
{
    CLEANUP(strvec_release) struct strvec copies = STRVEC_INIT;
    while (*words)
        strvec_push(&copies, *words++);
    return option_read_arguments(&f->set, (int)copies.len, copies.items, &f->operands, &f->error);
}
#define ARGUMENTS(f, ...) read_words(f, (const char *const[]){__VA_ARGS__, NULL})

static int read_variables(struct fixture *f, const char *const *variables)
{
    static const char *const foreign[] = {"PAWL_URL", "PAWL_SERVICE_*", NULL};
    CLEANUP(strvec_release) struct strvec copies = STRVEC_INIT;
    while (*variables)
        strvec_push(&copies, *variables++);
    strvec_push_owned(&copies, NULL); /* as environ ends */
    return option_read_environment(&f->set, "PAWL_", copies.items, foreign, &f->error);
}
#define ENVIRONMENT(f, ...) read_variables(f, (const char *const[]){__VA_ARGS__, NULL})

static void check_list(const struct strvec *list, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (size_t i = 0; i < list->len; i++)
        strbuf_addf(&text, "[%s]", list->items[i]);
    assert_string_equal(text.buf, expected);
}

static void test_option_defaults_are_those_of_the_rows(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_null(f.values.url);
    assert_string_equal(f.values.output, "table");
    assert_int_equal(f.values.interval, 300000);
    assert_int_equal(f.values.burst, 10);
    assert_false(f.values.readonly);
    check_list(&f.values.path, "");
    check_list(&f.values.include, "[a/*][b/*]");
    assert_int_equal(option_source_of(&f.set, "output"), OPTION_DEFAULT);
}

static void test_option_arguments_take_every_form_of_a_flag(void **state UNUSED)
{
    static const struct {
        const char *words[4];
        const char *output;
        bool verbose, readonly;
        size_t operands;
    } cases[] = {
        {{"--output", "json"}, "json", false, false, 0},
        {{"--output=json"}, "json", false, false, 0},
        {{"-o", "json"}, "json", false, false, 0},
        {{"-ojson"}, "json", false, false, 0},
        {{"-o=json"}, "json", false, false, 0},
        {{"-vr"}, "table", true, true, 0},
        {{"-vojson"}, "json", true, false, 0},
        {{"-vo", "wide", "x"}, "wide", true, false, 1},
        {{"--verbose=false"}, "table", false, false, 0},
        {{"--verbose", "false"}, "table", true, false, 1},
        {{"-v=f"}, "table", false, false, 0},
        {{"--verbose=YES"}, "table", true, false, 0},
        {{"a", "-v", "b"}, "table", true, false, 2},
        {{"a", "--", "-v"}, "table", false, false, 2},
        {{"-"}, "table", false, false, 1},
        {{"--output=json", "--output=wide"}, "wide", false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        WITH_FIXTURE(f);
        assert_int_equal(read_words(&f, cases[i].words), 0);
        assert_string_equal(f.values.output, cases[i].output);
        assert_int_equal(f.values.verbose, cases[i].verbose);
        assert_int_equal(f.values.readonly, cases[i].readonly);
        assert_int_equal(f.operands.len, cases[i].operands);
    }
}

static void test_option_arguments_say_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *words[3];
        enum error_code code;
        const char *text;
    } cases[] = {
        {{"--git-ulr=x"}, ERROR_USAGE, "unknown flag --git-ulr, did you mean --git-url?"},
        {{"--xyzzy"}, ERROR_USAGE, "unknown flag --xyzzy"},
        {{"-z"}, ERROR_USAGE, "unknown flag -z in -z"},
        {{"-vz"}, ERROR_USAGE, "unknown flag -z in -vz"},
        {{"--git-url"}, ERROR_USAGE, "--git-url needs a value: URL"},
        {{"-o"}, ERROR_USAGE, "--output needs a value: FORM"},
        {{"--output=xml"}, ERROR_USAGE, "--output: \"xml\" is none of: table, json, wide"},
        {{"--output="}, ERROR_USAGE, "--output: \"\" is none of: table, json, wide"},
        {{"--verbose=maybe"}, ERROR_USAGE, "--verbose: \"maybe\" is not true or false"},
        {{"--git-poll-interval=300"},
         ERROR_USAGE,
         "--git-poll-interval: \"300\" is not a duration (such as 30s, 5m or 1h30m)"},
        {{"--registry-burst=-1"},
         ERROR_USAGE,
         "--registry-burst: \"-1\" is not a whole number that is not negative"},
        {{"--git-secret"}, ERROR_UNSUPPORTED, "--git-secret: not in this version; decrypt with a generator"},
        {{"--git-sceret"}, ERROR_USAGE, "unknown flag --git-sceret"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        WITH_FIXTURE(f);
        assert_int_equal(read_words(&f, cases[i].words), -1);
        assert_string_equal(f.error.text, cases[i].text);
        assert_int_equal(f.error.code, cases[i].code);
    }
}

static void test_option_numbers_are_decimal_and_in_range(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {"0", 0},    {"200", 200}, {"9223372036854775807", INT64_MAX},
        {"", -1},    {"010", -1},  {"9223372036854775808", -1},
        {"+1", -1},  {" 1", -1},   {"1 ", -1},
        {"1e3", -1}, {"0x10", -1}, {"1.0", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        WITH_FIXTURE(f);
        int result = ARGUMENTS(&f, "--registry-burst", cases[i].text);
        assert_int_equal(result, cases[i].value < 0 ? -1 : 0);
        assert_int_equal(f.values.burst, cases[i].value < 0 ? 10 : cases[i].value);
    }
}

/* The expected items are those of Go's encoding/csv, which reads StringSlice flags in Flux v1. */
static void test_option_lists_are_read_as_go_reads_them(void **state UNUSED)
{
    static const struct {
        const char *text, *items; /* NULL: refused */
    } cases[] = {
        {"", ""},        {"a", "[a]"},        {"a,b", "[a][b]"},         {"a, b", "[a][ b]"},
        {"a,", "[a][]"}, {",", "[][]"},       {"\"a,b\",c", "[a,b][c]"}, {"\"a\"\"b\"", "[a\"b]"},
        {"\"\"", "[]"},  {"a,\"\"", "[a][]"}, {"a,b\n", "[a][b]"},       {"\"a\nb\"", "[a\nb]"},
        {"a\"b", NULL},  {"\"a", NULL},       {"\"a\"b", NULL},          {"a\nb", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        WITH_FIXTURE(f);
        int result = ARGUMENTS(&f, "--git-path", cases[i].text);
        assert_int_equal(result, cases[i].items ? 0 : -1);
        check_list(&f.values.path, cases[i].items ? cases[i].items : "");
    }
}

static void test_option_lists_replace_the_default_and_then_grow(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_int_equal(ARGUMENTS(&f, "--registry-include=x", "--registry-include", "y,z"), 0);
    check_list(&f.values.include, "[x][y][z]");
}

static void test_option_two_names_of_one_list_are_joined(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_int_equal(ENVIRONMENT(&f, "PAWL_ALLOW_NAMESPACE=old"), 0);
    assert_int_equal(ARGUMENTS(&f, "--allow-namespace=a", "--namespace-whitelist=b"), 0);
    check_list(&f.values.namespaces, "[a][b]");
    assert_int_equal(option_source_of(&f.set, "allow-namespace"), OPTION_COMMAND_LINE);
}

static void test_option_without_effect_is_accepted(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_int_equal(ARGUMENTS(&f, "--cache-expiry", "1h", "--in-cluster", "x"), 0);
    check_list(&f.operands, "[x]");
}

static void test_option_sources_may_be_read_in_any_order(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_int_equal(ARGUMENTS(&f, "--git-url=from-flag"), 0);
    assert_int_equal(ENVIRONMENT(&f, "PAWL_GIT_URL=from-environment", "PAWL_OUTPUT=json"), 0);
    assert_string_equal(f.values.url, "from-flag");
    assert_string_equal(f.values.output, "json");
    assert_int_equal(option_source_of(&f.set, "git-url"), OPTION_COMMAND_LINE);
    assert_int_equal(option_source_of(&f.set, "output"), OPTION_ENVIRONMENT);
}

static void test_option_environment_passes_over_what_is_not_ours(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_int_equal(ENVIRONMENT(&f, "PAWL_URL=x", "PAWL_SERVICE_PORT_HTTP=1", "PAWLX=1", "PAWL=1", "HOME=/",
                                 "PAWL_BROKEN", "PAWL_GIT_POLL_INTERVAL="),
                     0);
    assert_int_equal(f.values.interval, 300000);
}

static void test_option_environment_says_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *variable, *text;
    } cases[] = {
        {"PAWL_GIT_ULR=x", "unknown environment variable PAWL_GIT_ULR, did you mean PAWL_GIT_URL?"},
        {"PAWL_git_url=x", "unknown environment variable PAWL_git_url"},
        {"PAWL_URLS=x", "unknown environment variable PAWL_URLS"},
        {"PAWL_OUTPUT=xml", "environment variable PAWL_OUTPUT: \"xml\" is none of: table, json, wide"},
        {"PAWL_GIT_SECRET=true",
         "environment variable PAWL_GIT_SECRET: not in this version; decrypt with a generator"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        WITH_FIXTURE(f);
        assert_int_equal(ENVIRONMENT(&f, cases[i].variable), -1);
        assert_string_equal(f.error.text, cases[i].text);
    }
}

static void test_option_value_that_loses_is_checked_all_the_same(void **state UNUSED)
{
    WITH_FIXTURE(f);
    assert_int_equal(ARGUMENTS(&f, "--output=json"), 0);
    assert_int_equal(ENVIRONMENT(&f, "PAWL_OUTPUT=xml"), -1);
    assert_string_equal(f.values.output, "json");
}

static void test_option_nearest_is_near(void **state UNUSED)
{
    assert_string_equal(option_nearest(tables, "git-urls"), "git-url");
    assert_string_equal(option_nearest(tables, "registry-bursts"), "registry-burst");
    assert_null(option_nearest(tables, "kubernetes"));
    assert_null(option_nearest(tables, ""));
}

static const struct option_row help_rows[] = {
    {"listen", 'l', OPTION_STRING, AT(url), ":3030", "ADDRESS", "Daemon", "address of the API", NULL, NULL},
    {"output", 'o', OPTION_STRING, AT(output), "table", "FORM", "Output",
     "how results are written, which may be for people or for programs", "|table|json|wide", NULL},
    {"a-flag-with-a-very-long-name-indeed", 0, OPTION_BOOL, AT(verbose), "false", NULL, "Output",
     ".dots and it's \\ slash", NULL, NULL},
    {"refused", 0, OPTION_NONE, 0, NULL, NULL, "Refused", "hidden", NULL, "not in this version"},
    {"no-help", 0, OPTION_BOOL, AT(readonly), NULL, NULL, "Refused", NULL, NULL, NULL},
    {"burst", 0, OPTION_INT, AT(burst), "10", "N", "Daemon", "at once", NULL, NULL},
    {NULL, 0, OPTION_NONE, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
static const struct option_row *const help_tables[] = {help_rows, NULL};

static void test_option_help_is_grouped_aligned_and_wrapped(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    option_add_help(help_tables, &out);
    assert_string_equal(out.buf,
                        "Daemon:\n"
                        "  -l, --listen ADDRESS  address of the API (default :3030)\n"
                        "      --burst N         at once (default 10)\n"
                        "\n"
                        "Output:\n"
                        "  -o, --output FORM     how results are written, which may be for people or for\n"
                        "                        programs (table, json or wide; default table)\n"
                        "      --a-flag-with-a-very-long-name-indeed\n"
                        "                        .dots and it's \\ slash\n");
}

static void test_option_manual_escapes_what_roff_reads(void **state UNUSED)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    option_add_manual(help_tables, &out);
    assert_string_equal(out.buf, ".SS \"Daemon\"\n"
                                 ".TP\n\\fB\\-l\\fR, \\fB\\-\\-listen\\fR \\fIADDRESS\\fR\n"
                                 "address of the API.\n"
                                 "Default: \\fB:3030\\fR.\n"
                                 ".TP\n\\fB\\-\\-burst\\fR \\fIN\\fR\n"
                                 "at once.\n"
                                 "Default: \\fB10\\fR.\n"
                                 ".SS \"Output\"\n"
                                 ".TP\n\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFORM\\fR\n"
                                 "how results are written, which may be for people or for programs.\n"
                                 "One of table, json or wide.\n"
                                 "Default: \\fBtable\\fR.\n"
                                 ".TP\n\\fB\\-\\-a\\-flag\\-with\\-a\\-very\\-long\\-name\\-indeed\\fR\n"
                                 "\\&.dots and it\\(aqs \\e slash.\n");
}

static void test_option_counts_and_texts_are_taken_each_time(void **state)
{
    (void)state;
    struct counted {
        int64_t verbosity;
        struct strvec tags;
    } values;
    static const struct option_row rows[] = {
        {.name = "verbose",
         .letter = 'v',
         .type = OPTION_COUNT,
         .offset = offsetof(struct counted, verbosity)},
        {.name = "tag", .type = OPTION_TEXTS, .offset = offsetof(struct counted, tags), .metavar = "T"},
        {.name = NULL},
    };
    static const struct option_row *const counted_tables[] = {rows, NULL};
    static const struct {
        const char *words[4];
        int64_t verbosity; /* -1: refused */
    } cases[] = {
        {{NULL}, 0},
        {{"-v"}, 1},
        {{"-vv"}, 2},
        {{"-v", "--verbose", "-v"}, 3},
        {{"--verbose=2"}, 2},
        {{"--verbose=2", "-v"}, 3},
        {{"--verbose=much"}, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct option_set set;
        struct error err = ERROR_INIT;
        CLEANUP(strvec_release) struct strvec words = STRVEC_INIT, operands = STRVEC_INIT;
        for (size_t k = 0; k < ARRAY_LEN(cases[i].words) && cases[i].words[k]; k++)
            strvec_push(&words, cases[i].words[k]);
        option_set_init(&set, counted_tables, &values);
        int result = option_read_arguments(&set, (int)words.len, words.items, &operands, &err);
        assert_int_equal(result, cases[i].verbosity < 0 ? -1 : 0);
        if (result == 0)
            assert_int_equal(values.verbosity, cases[i].verbosity);
        option_set_release(&set);
    }
    struct option_set set;
    struct error err = ERROR_INIT;
    CLEANUP(strvec_release) struct strvec words = STRVEC_INIT, operands = STRVEC_INIT;
    strvec_push(&words, "--tag=a=semver:>=1.2, <2");
    strvec_push(&words, "--tag");
    strvec_push(&words, "\"b\"");
    option_set_init(&set, counted_tables, &values);
    assert_int_equal(option_read_arguments(&set, (int)words.len, words.items, &operands, &err), 0);
    assert_int_equal(values.tags.len, 2);
    assert_string_equal(values.tags.items[0], "a=semver:>=1.2, <2");
    assert_string_equal(values.tags.items[1], "\"b\"");
    option_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_option_defaults_are_those_of_the_rows),
        cmocka_unit_test(test_option_arguments_take_every_form_of_a_flag),
        cmocka_unit_test(test_option_arguments_say_what_is_wrong),
        cmocka_unit_test(test_option_numbers_are_decimal_and_in_range),
        cmocka_unit_test(test_option_lists_are_read_as_go_reads_them),
        cmocka_unit_test(test_option_lists_replace_the_default_and_then_grow),
        cmocka_unit_test(test_option_two_names_of_one_list_are_joined),
        cmocka_unit_test(test_option_counts_and_texts_are_taken_each_time),
        cmocka_unit_test(test_option_without_effect_is_accepted),
        cmocka_unit_test(test_option_sources_may_be_read_in_any_order),
        cmocka_unit_test(test_option_environment_passes_over_what_is_not_ours),
        cmocka_unit_test(test_option_environment_says_what_is_wrong),
        cmocka_unit_test(test_option_value_that_loses_is_checked_all_the_same),
        cmocka_unit_test(test_option_nearest_is_near),
        cmocka_unit_test(test_option_help_is_grouped_aligned_and_wrapped),
        cmocka_unit_test(test_option_manual_escapes_what_roff_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
