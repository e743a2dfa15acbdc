/*
 * kill -9 at any moment: a child works on the mirror in a loop and is killed; the next one goes on. What must
 * hold after each death: the mirror opens, fetches, has every object that its refs reach, and the remote's
 * branch grew by whole commits only, each of them the counter of the one before plus one.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "git/mirror.h"

#include "repository_fixture.h"

#define DEATHS       32
#define LONGEST      2 /* rounds that a child may live to finish */
#define LOCK_WAIT_MS 10000

/* A whole mirror: one that was being made may be there beside it. */
#define MIRROR "mirrors/????????????????????????????????????????"

static int read_counter(const struct tree_file *file, void *context, struct error *err)
{
    void **out = context;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (mirror_read_blob(out[0], file->blob, 100, &text, err) < 0)
        return -1;
    *(long *)out[1] = strtol(text.buf, NULL, 10);
    return 0;
}

/* One round: the counter in a.yaml, plus one. Returns -1 with err set on a failure. */
static int count_once(struct mirror *mirror, struct error *err)
{
    long counter = 0;
    void *context[] = {mirror, &counter};
    char text[32], commit[GIT_ID_SIZE];
    if (mirror_lock(mirror, LOCK_WAIT_MS, err) < 0)
        return -1;
    int result = mirror_fetch(mirror, err);
    if (result == 0)
        result = mirror_walk(mirror, mirror_head(mirror), "a.yaml", NULL, read_counter, context, err);
    snprintf(text, sizeof(text), "%ld\n", counter + 1);
    if (result == 0)
        result = try_commit(mirror, mirror_head(mirror), "a.yaml", text, commit, err);
    if (result == 0)
        result = mirror_push(mirror, commit, err);
    mirror_unlock(mirror);
    return result;
}

/* Leaves with 1 on the first error that is not a lost race. */
static void count_for_ever(const struct fixture *f)
{
    for (;;) {
        const struct mirror_options options = {
            .url = f->remote, .directory = f->mirrors, .timeout_ms = 20000};
        struct error err = ERROR_INIT;
        struct mirror *mirror = mirror_open(&options, &err);
        if (!mirror || (count_once(mirror, &err) < 0 && err.code != ERROR_CONFLICT)) {
            fprintf(stderr, "child: %s: %s\n", error_code_name(err.code), err.text);
            _exit(1);
        }
        mirror_free(mirror);
    }
}

static void kill_after(const struct fixture *f, int count, long delay_us)
{
    pid_t children[2];
    for (int i = 0; i < count; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            count_for_ever(f);
    }
    usleep((useconds_t)delay_us);
    for (int i = 0; i < count; i++) {
        int status = 0;
        kill(children[i], SIGKILL);
        waitpid(children[i], &status, 0);
        if (!WIFSIGNALED(status))
            fail_msg("a child failed with status %d", WEXITSTATUS(status));
    }
}

static void check_history(const struct fixture *f)
{
    run(f, "for m in " MIRROR "; do [ ! -d $m ] || git -C $m fsck --strict --no-dangling >&2; done");
    /* git fsck calls objects missing that come while it looks: a push that a dead child began may still land. */
    run(f, "for i in 1 2 3 4; do ! git -C remote.git fsck --strict --no-dangling >&2 || exit 0; sleep 0.5; "
           "done; "
           "exit 1");
    /* One look at the branch, for the same reason. */
    run(f, "cd remote.git; c=$(git rev-parse main); n=$(git show $c:a.yaml); k=$(git rev-list --count $c); "
           "[ $k = $((n + 1)) ] || { echo \"$c counts $n in $k commits\" >&2; exit 1; }");
}

/* How long a round takes in a process that has just begun, so that deaths fall everywhere in it. */
static long measure_us(const struct fixture *f)
{
    int64_t start_ms = clock_monotonic_ms(&system_clock);
    pid_t child = fork();
    if (child == 0) {
        struct error err = ERROR_INIT;
        struct mirror *mirror = open_remote(f);
        _exit(count_once(mirror, &err) < 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    run(f, "rm -rf mirrors");
    return 1000 * (clock_monotonic_ms(&system_clock) - start_ms + 1);
}

static void die_and_go_on(const struct fixture *f, int at_once)
{
    run(f, "cd work; echo 0 >a.yaml; git commit -q --amend -am zero; git push -qf origin main");
    unsigned seed = (unsigned)time(NULL);
    long round_us = measure_us(f);
    print_message("seed %u, a round is %ld us\n", seed, round_us);
    for (int i = 0; i < DEATHS; i++) {
        kill_after(f, at_once, rand_r(&seed) % (LONGEST * round_us));
        if (i % 8 == 7)
            check_history(f);
    }
    struct mirror *mirror = open_remote(f);
    struct error err = ERROR_INIT;
    int result = -1;
    for (int i = 0; i < 5 && result < 0; i++) { /* a push that a dead child began may still land */
        err = (struct error)ERROR_INIT;
        result = count_once(mirror, &err);
        if (result < 0 && err.code != ERROR_CONFLICT)
            fail_msg("%s", err.text);
    }
    assert_int_equal(result, 0);
    mirror_free(mirror);
    check_history(f);
    AUTO_FREE char *count = shell(f, "git -C remote.git show main:a.yaml");
    print_message("%s commits\n", count);
    assert_true(strtol(count, NULL, 10) > 0);
}

static void test_mirror_goes_on_after_a_kill(void **state)
{
    die_and_go_on(*state, 1);
}

static void test_mirror_goes_on_after_a_kill_of_two(void **state)
{
    die_and_go_on(*state, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mirror_goes_on_after_a_kill),
        TEST(test_mirror_goes_on_after_a_kill_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
