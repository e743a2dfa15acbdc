#include "daemon/serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/endpoints.h"
#include "daemon/health.h"
#include "daemon/metrics.h"
#include "daemon/repository.h"
#include "daemon/round.h"
#include "daemon/round_log.h"
#include "daemon/round_metrics.h"
#include "daemon/scan_thread.h"
#include "daemon/session.h"

/* Answers for several images of one change arrive within moments: they go into one commit. */
#define SETTLE_MS      300
#define FIRST_RETRY_MS 2000

/* A repository's thread. `wake` and `stop` are under the lock; the rest is the thread's own. */
struct worker {
    struct server *server;
    struct repository *repository;
    struct image_source *images;
    struct round_log log;
    struct round_metrics recorded;
    int64_t next_apply_ms;
    int64_t next_plan_ms; /* when time alone may change a decision; 0: it does not */
    unsigned failures;    /* rounds in a row */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wake, stop;
};

struct server {
    const struct config *config;
    struct session session;
    struct metrics *metrics;
    struct health *health;
    struct scan_thread *scans;
    struct webhooks *hooks; /* NULL: --listen none */
    struct endpoints endpoints, measured;
    struct listener *listener; /* NULL: --listen none */
    struct listener *meter;    /* NULL: the listener has the metrics, too, or --listen-metrics none */
    struct worker *workers;
    size_t workers_len;
};

static int64_t now_ms(void)
{
    return clock_monotonic_ms(&system_clock);
}

/* Waits until woken, stopped or `until_ms`; false when stopped. */
static bool wait_for_work(struct worker *w, int64_t until_ms)
{
    const struct timespec deadline = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&w->lock);
    int status = 0;
    while (!w->wake && !w->stop && status == 0)
        status = pthread_cond_timedwait(&w->changed, &w->lock, &deadline);
    bool woken = w->wake, stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    if (woken && !stop) {
        const struct timespec settle = {.tv_nsec = SETTLE_MS * 1000000L};
        nanosleep(&settle, NULL);
    }
    pthread_mutex_lock(&w->lock);
    w->wake = false;
    stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return !stop;
}

/* The wall time of the plan, by the clock that waits go by. A wall clock that is set meanwhile costs no more than the
 * polls between. */
static int64_t time_of_plan(const struct plan *plan)
{
    int64_t in_ms = plan->next_ms - clock_wall_ms(&system_clock);
    return plan->next_ms ? now_ms() + (in_ms > 0 ? in_ms : 0) + 1 : 0;
}

static void run_round(struct worker *w)
{
    struct error err = ERROR_INIT;
    CLEANUP(round_report_release) struct round_report report = ROUND_REPORT_INIT;
    int64_t started = now_ms();
    const struct round_options options = {.images = w->images, .apply_again = started >= w->next_apply_ms};
    struct server *server = w->server;
    size_t number = (size_t)(w - server->workers);
    health_round_begins(server->health, number);
    int status = round_run(w->repository, &options, &report, &err);
    health_round_ends(server->health, number, report.head[0] != '\0');
    round_metrics_record(&w->recorded, server->metrics, w->repository->settings->name, &report, status,
                         now_ms() - started);
    round_log_write(&w->log, w->repository, &report, &err);
    bool failed = status < 0 || report.applied.failed;
    w->failures = failed ? w->failures + 1 : 0;
    w->next_plan_ms = time_of_plan(&report.plan);
    if (report.was_applied && !failed)
        w->next_apply_ms = started + server->config->sync_interval_ms;
    round_keep(w->repository, &report);
}

/* When to look again if nobody wakes us. */
static int64_t next_round_ms(const struct worker *w)
{
    const struct config *config = w->server->config;
    int64_t pause = config->git_poll_interval_ms;
    if (config->automation_interval_ms && config->automation_interval_ms < pause)
        pause = config->automation_interval_ms;
    if (w->failures) {
        int64_t retry = (int64_t)FIRST_RETRY_MS << (w->failures > 12 ? 12 : w->failures - 1);
        return now_ms() + (retry < pause ? retry : pause);
    }
    int64_t next = now_ms() + pause;
    if (w->repository->target && w->next_apply_ms && w->next_apply_ms < next)
        next = w->next_apply_ms;
    return w->next_plan_ms && w->next_plan_ms < next ? w->next_plan_ms : next;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    do
        run_round(w);
    while (wait_for_work(w, next_round_ms(w)));
    return NULL;
}

static void wake_worker(size_t owner, void *context)
{
    struct server *server = context;
    struct worker *w = &server->workers[owner];
    pthread_mutex_lock(&w->lock);
    w->wake = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void init_worker(struct worker *w, struct server *server)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&w->lock, NULL);
    round_log_init(&w->log);
    w->server = server;
}

static void release_worker(struct worker *w)
{
    repository_free(w->repository);
    round_log_release(&w->log);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

static int open_workers(struct server *server, struct error *err)
{
    const struct config *config = server->config;
    server->workers = xcalloc(config->repositories_len, sizeof(*server->workers));
    for (size_t i = 0; i < config->repositories_len; i++) {
        struct worker *w = &server->workers[i];
        init_worker(w, server);
        server->workers_len = i + 1;
        w->repository = repository_open(config, &config->repositories[i], &system_clock, err);
        if (!w->repository)
            return error_wrap(err, "repository %s", config->repositories[i].name);
        w->repository->first_seen = server->session.first_seen;
    }
    return 0;
}

static void start_scans(struct server *server)
{
    AUTO_FREE const char **names = xcalloc(server->workers_len, sizeof(*names));
    for (size_t i = 0; i < server->workers_len; i++)
        names[i] = server->workers[i].repository->settings->name;
    server->metrics = metrics_new();
    server->health = health_new(names, server->workers_len, &system_clock);
    server->scans = scan_thread_new(
        &(struct scan_thread_options){.scanner = server->session.scanner,
                                      .cache = server->session.cache,
                                      .docker_config = server->session.docker_config,
                                      .owners = server->workers_len,
                                      .interval_ms = server->config->registry_poll_interval_ms,
                                      .clock = &system_clock,
                                      .metrics = server->metrics,
                                      .health = server->health,
                                      .wake = wake_worker,
                                      .context = server});
}

/* *listener stays NULL for "none". */
static int start_listener(struct endpoints *endpoints, const char *address, struct listener **listener,
                          struct error *err)
{
    if (!strcmp(address, "none"))
        return 0;
    *listener = endpoints_open(endpoints, address, &system_clock, err);
    if (!*listener)
        return -1;
    const char *what = endpoints->set == ENDPOINTS_METRICS ? "metrics" : NULL;
    log_event(LOG_INFO, "daemon", "event", "listening", "address", listener_address(*listener), "for", what,
              NULL);
    return 0;
}

static int start_listeners(struct server *server, struct error *err)
{
    const struct config *config = server->config;
    bool is_apart = config->listen_metrics && *config->listen_metrics;
    server->hooks = webhooks_open(&(struct webhooks_options){.config = server->config,
                                                             .clock = &system_clock,
                                                             .metrics = server->metrics,
                                                             .scans = server->scans},
                                  err);
    if (!server->hooks)
        return -1;
    server->endpoints = (struct endpoints){.set = is_apart ? ENDPOINTS_BUT_METRICS : ENDPOINTS_ALL,
                                           .metrics = server->metrics,
                                           .health = server->health,
                                           .scans = server->scans,
                                           .hooks = server->hooks};
    server->measured = server->endpoints;
    server->measured.set = ENDPOINTS_METRICS;
    if (start_listener(&server->endpoints, config->listen, &server->listener, err) < 0)
        return -1;
    return is_apart ? start_listener(&server->measured, config->listen_metrics, &server->meter, err) : 0;
}

static void start_workers(struct server *server)
{
    for (size_t i = 0; i < server->workers_len; i++) {
        struct worker *w = &server->workers[i];
        w->images = scan_thread_source(server->scans, i);
        const char *target = w->repository->target ? w->repository->target->description : "none";
        log_event(LOG_INFO, "daemon", "event", "started", "repository", w->repository->settings->name, "url",
                  mirror_url(w->repository->mirror), "target", target, "version", PAWL_VERSION, NULL);
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            abort();
    }
}

static void stop_worker(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

/* Whatever still waits for a network by then is cut off: a round may be, at any point. */
static void *exit_after_grace(void *argument UNUSED)
{
    const struct timespec grace = {.tv_sec = STOP_GRACE_MS / 1000,
                                   .tv_nsec = STOP_GRACE_MS % 1000 * 1000000L};
    nanosleep(&grace, NULL);
    log_event(LOG_WARN, "daemon", "event", "stopped", "msg",
              "something was still waiting for the network; the next start continues it", NULL);
    _exit(0);
}

static void limit_stopping(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, exit_after_grace, NULL) != 0)
        _exit(0);
    pthread_detach(thread);
}

static void stop(struct server *server)
{
    limit_stopping();
    listener_close(steal(&server->meter));
    listener_close(steal(&server->listener));
    webhooks_free(steal(&server->hooks));
    for (size_t i = 0; i < server->workers_len; i++)
        stop_worker(&server->workers[i]);
}

static void release(struct server *server)
{
    listener_close(server->meter);
    listener_close(server->listener);
    webhooks_free(server->hooks);
    scan_thread_free(server->scans);
    for (size_t i = 0; i < server->workers_len; i++)
        release_worker(&server->workers[i]);
    free(server->workers);
    health_free(server->health);
    metrics_free(server->metrics);
    session_close(&server->session);
}

/* The signals are blocked in all threads, and waited for in this one. */
static void block_signals(sigset_t *stop_signals)
{
    sigemptyset(stop_signals);
    sigaddset(stop_signals, SIGTERM);
    sigaddset(stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, stop_signals, NULL);
}

int serve(const struct config *config, struct error *err)
{
    CLEANUP(release) struct server server = {.config = config};
    sigset_t stop_signals;
    block_signals(&stop_signals);
    if (session_open(&server.session, config, &system_clock, err) < 0 || open_workers(&server, err) < 0)
        return -1;
    start_scans(&server);
    if (start_listeners(&server, err) < 0)
        return -1;
    start_workers(&server);
    int signal_number = 0;
    sigwait(&stop_signals, &signal_number);
    log_event(LOG_INFO, "daemon", "event", "exiting", "signal", strsignal(signal_number), NULL);
    stop(&server);
    return 0;
}
