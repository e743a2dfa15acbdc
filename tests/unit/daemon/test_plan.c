/*
 * A plan that is renewed must be the one that would be made anew, whatever the answers did in between.
 */
#include "../git/repository_fixture.h"

#include "base/clock.h"
#include "daemon/plan.h"
#include "daemon/repository.h"
#include "daemon/round.h"

#define APPS  6
#define STEPS 120

/* What registries say of app-0 … app-5 at the moment. */
struct script {
    struct image_source source;
    struct repository_info *infos[APPS]; /* NULL: nothing */
    enum error_code errors[APPS];
};

static size_t number_of(const char *repository)
{
    return (size_t)(repository[strlen(repository) - 1] - '0');
}

static void answer(struct image_source *source, struct demand_set *demands, struct scan_result *results)
{
    struct script *script = (struct script *)source;
    for (size_t i = 0; i < demands->len; i++) {
        size_t at = number_of(demands->items[i].repository);
        results[i] = (struct scan_result){.info = NULL};
        if (script->infos[at])
            results[i].info = repository_info_ref(script->infos[at]);
        if (script->errors[at])
            error_set(&results[i].error, script->errors[at], "scanning %s: no", demands->items[i].repository);
    }
}

static void set_tags(struct script *script, size_t at, unsigned tags)
{
    AUTO_FREE char *name = xasprintf("reg.example.com/app-%zu", at);
    repository_info_unref(script->infos[at]);
    script->infos[at] = repository_info_new(name);
    for (unsigned i = 0; i < tags; i++) {
        char tag[16];
        snprintf(tag, sizeof(tag), "1.%u.0", i);
        repository_info_add(script->infos[at], tag);
    }
    repository_info_finish(script->infos[at]);
}

/* Two workloads for each image; one in three is locked, the last is not automated. */
static void add_manifests(const struct fixture *f)
{
    run(f, "cd work && for i in 0 1 2 3 4 5; do for n in x y; do "
           "printf 'apiVersion: apps/v1\\nkind: Deployment\\nmetadata:\\n  name: %s-%s\\n  annotations:\\n"
           "    fluxcd.io/automated: \"%s\"\\n    fluxcd.io/locked: \"%s\"\\n    fluxcd.io/tag.c: semver:1\\n"
           "spec: {template: {spec: {containers: [{name: c, image: reg.example.com/app-%s:1.2.0}]}}}\\n' "
           "$n $i $([ $i = 5 ] && echo false || echo true) $([ $i = 3 ] && echo true || echo false) $i "
           ">$n$i.yaml; "
           "done; done; echo 'a: [' >broken.yaml; git add . && git commit -qm apps && git push -q");
}

static void change_something(struct script *script, unsigned step)
{
    size_t at = step * 7 % APPS;
    switch (step % 5) {
    case 0:
        set_tags(script, at, 1 + step % 6);
        break;
    case 1:
        script->errors[at] = ERROR_NETWORK;
        break;
    case 2:
        script->errors[at] = ERROR_NONE;
        break;
    case 3:
        repository_info_unref(script->infos[at]);
        script->infos[at] = NULL;
        break;
    default: /* nothing */
        break;
    }
}

static void add_decisions(const struct plan *plan, struct strbuf *out)
{
    for (size_t i = 0; i < plan->decisions_len; i++) {
        const struct decision *each = &plan->decisions[i];
        strbuf_addf(out, "%s/%s %s %s %s %s\n", each->resource->id.name, each->container->name,
                    decision_kind_name(each->kind), decision_cause_name(each->cause),
                    each->target ? each->target : "-", each->reason);
    }
    for (size_t i = 0; i < plan->problems_len; i++)
        strbuf_addf(out, "%s:%d %s\n", plan->problems[i].file, plan->problems[i].line,
                    plan->problems[i].message);
    for (size_t i = 0; i < plan->release->files_len; i++)
        strbuf_addf(out, "%s\n", plan->release->files[i].text.buf);
    strbuf_addf(out, "%d\n", plan->has_unreachable);
}

static void check_same(const struct plan *renewed, struct repository *r, struct script *script)
{
    CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT, wanted = STRBUF_INIT;
    struct plan fresh = PLAN_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(plan_make(r, mirror_head(r->mirror), &script->source, NULL, &fresh, &err), 0);
    add_decisions(renewed, &got);
    add_decisions(&fresh, &wanted);
    assert_string_equal(got.buf, wanted.buf);
    plan_release(&fresh);
}

struct bench {
    struct repository_config settings;
    struct config config;
    struct repository *repository;
};

static void open_bench(struct bench *b, struct fixture *f)
{
    static char none[] = "none", user[] = "pawl", mail[] = "pawl@localhost", space[] = "default",
                commit_per[] = "round";
    struct error err = ERROR_INIT;
    b->settings = (struct repository_config){.name = f->directory, .url = f->remote, .deploy_to = none};
    b->config = (struct config){.data_dir = f->mirrors,
                                .git_user = user,
                                .git_email = mail,
                                .default_space = space,
                                .commit_per = commit_per,
                                .git_timeout_ms = 10000};
    b->repository = repository_open(&b->config, &b->settings, &system_clock, &err);
    assert_non_null(b->repository);
    assert_int_equal(mirror_fetch(b->repository->mirror, &err), 0);
}

static void test_plan_renewed_is_the_plan_made_anew(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct script script = {.source = {.answer = answer}};
    struct error err = ERROR_INIT;
    add_manifests(f);
    open_bench(&b, f);
    struct plan plan = PLAN_INIT;
    const char *head = mirror_head(b.repository->mirror);
    assert_int_equal(plan_make(b.repository, head, &script.source, NULL, &plan, &err), 0);
    size_t unchanged = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        change_something(&script, step);
        assert_true(plan_renew(&plan, b.repository, head, &script.source));
        bool is_asked = step * 7 % APPS != APPS - 1; /* nobody asks about the last */
        assert_true(!plan.is_unchanged || step % 5 || !is_asked);
        unchanged += plan.is_unchanged;
        check_same(&plan, b.repository, &script);
    }
    assert_true(unchanged >= STEPS / 5 && unchanged < STEPS);
    assert_false(plan_renew(&plan, b.repository, "0123456789012345678901234567890123456789", &script.source));
    plan_release(&plan);
    repository_free(b.repository);
    for (size_t i = 0; i < APPS; i++)
        repository_info_unref(script.infos[i]);
}

static void test_plan_is_kept_where_nothing_was_written(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct script script = {.source = {.answer = answer}};
    const struct round_options options = {.images = &script.source};
    struct error err = ERROR_INIT;
    add_manifests(f);
    open_bench(&b, f);
    struct round_report report = ROUND_REPORT_INIT;
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(round_run(b.repository, &options, &report, &err), 0);
        assert_int_equal(report.plan.is_unchanged, round > 0);
        round_keep(b.repository, &report);
        round_report_release(&report);
    }
    set_tags(&script, 0, 9);
    assert_int_equal(round_run(b.repository, &options, &report, &err), 0);
    assert_int_equal(report.plan.release->changes_len, 2);
    assert_string_not_equal(report.commit, "");
    round_keep(b.repository, &report);
    assert_null(b.repository->kept);
    round_report_release(&report);
    assert_int_equal(round_run(b.repository, &options, &report, &err), 0);
    assert_int_equal(report.plan.release->changes_len, 0);
    assert_false(report.plan.is_unchanged);
    round_report_release(&report);
    repository_free(b.repository);
    repository_info_unref(script.infos[0]);
}

/* A plan while so many of the images' repositories fail. */
static void plan_failing(struct bench *b, size_t failing, enum error_code code, struct plan *plan)
{
    struct script script = {.source = {.answer = answer}};
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < failing; i++)
        script.errors[i] = code;
    assert_int_equal(
        plan_make(b->repository, mirror_head(b->repository->mirror), &script.source, NULL, plan, &err), 0);
}

/* By what the trouble is known; "" by its words. */
static char *topic_of(struct bench *b, size_t failing, enum error_code code)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;
    plan_failing(b, failing, code, &plan);
    const struct manifest_problem *problem = &plan.problems[plan.problems_len - 1];
    assert_true(str_starts_with(problem->message, "scanning reg.example.com/app-0: no"));
    return xstrdup(problem->topic ? problem->topic : "");
}

/* Thousands of repositories of a host do not fail, nor come back, at one moment: that is not told one by one. */
static void test_plan_trouble_of_a_host_is_told_again_when_it_doubles(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    add_manifests(f);
    open_bench(&b, f);
    AUTO_FREE char *one = topic_of(&b, 1, ERROR_NETWORK), *two = topic_of(&b, 2, ERROR_NETWORK),
                   *three = topic_of(&b, 3, ERROR_NETWORK), *four = topic_of(&b, 4, ERROR_NETWORK),
                   *five = topic_of(&b, 5, ERROR_NETWORK), *refused = topic_of(&b, 5, ERROR_UNAUTHORIZED),
                   *limited = topic_of(&b, 1, ERROR_RATE_LIMITED);
    assert_string_equal(one, "");
    assert_string_not_equal(two, "");
    assert_string_not_equal(two, three);
    assert_string_equal(three, four);
    assert_string_not_equal(four, five);
    assert_string_not_equal(refused, "");
    assert_string_not_equal(five, refused);
    assert_string_not_equal(limited, ""); /* its words have the seconds to wait in them */
    repository_free(b.repository);
}

/* How many lines there are about the repositories. */
static size_t lines_about(struct bench *b, size_t failing, enum error_code code)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;
    size_t lines = 0;
    plan_failing(b, failing, code, &plan);
    for (size_t i = 0; i < plan.problems_len; i++)
        lines += str_starts_with(plan.problems[i].message, "scanning ");
    return lines;
}

static void test_plan_trouble_of_one_repository_is_not_its_hosts(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    add_manifests(f);
    open_bench(&b, f);
    assert_int_equal(lines_about(&b, 3, ERROR_NETWORK), 1);
    assert_int_equal(lines_about(&b, 3, ERROR_NOT_FOUND), 3);
    assert_int_equal(lines_about(&b, 3, ERROR_UNAUTHORIZED), 3); /* the log-in is good for the others */
    assert_int_equal(lines_about(&b, 5, ERROR_UNAUTHORIZED), 1);
    repository_free(b.repository);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plan_trouble_of_a_host_is_told_again_when_it_doubles, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_plan_trouble_of_one_repository_is_not_its_hosts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_plan_renewed_is_the_plan_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plan_is_kept_where_nothing_was_written, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
