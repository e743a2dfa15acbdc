/*
 * Every metric, once. Flux v1's have its label names and its buckets.
 */
#include "daemon/metrics.h"

static const double client_buckets[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 0};
/* Those of scanner/registry_stats.h. */
static const double registry_buckets[] = {.01, .03, .1, .3, 1, 3, 10, 30, 0};
static const double job_buckets[] = {.1, .5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 0};
static const double sync_buckets[] = {.5, 5, 10, 20, 30, 40, 50, 60, 75, 90, 120, 240, 0};

const struct metric_row metric_rows[METRICS_LEN] = {
    [METRIC_SYNC_DURATION] = {"flux_daemon_sync_duration_seconds", METRIC_HISTOGRAM, "success", sync_buckets,
                              "Duration of rounds that applied a commit."},
    [METRIC_SYNC_MANIFESTS] = {"flux_daemon_sync_manifests", METRIC_GAUGE, "success", NULL,
                               "Objects of the last applied commits, by whether they could be applied."},
    [METRIC_GIT_READY] = {"flux_git_ready", METRIC_GAUGE, "", NULL,
                          "1 when every git repository has been fetched."},
    [METRIC_JOB_DURATION] =
        {"flux_daemon_job_duration_seconds", METRIC_HISTOGRAM, "success", job_buckets,
         "Duration of updates of a git repository, from fetching to the end of the push."},
    [METRIC_RELEASE_DURATION] = {"flux_fluxsvc_release_duration_seconds", METRIC_HISTOGRAM,
                                 "release_type release_kind success", client_buckets,
                                 "Duration of deciding on and editing the images of an update."},
    [METRIC_RELEASE_STAGE_DURATION] = {"flux_fluxsvc_release_stage_duration_seconds", METRIC_HISTOGRAM,
                                       "stage", client_buckets,
                                       "Duration of the stages of an update before its push."},
    [METRIC_CLIENT_FETCH_DURATION] =
        {"flux_client_fetch_duration_seconds", METRIC_HISTOGRAM, "kind success", client_buckets,
         "Duration of scans of an image repository: its list and what it needs (tags), or single pushed "
         "tags (metadata)."},
    [METRIC_REGISTRY_FETCH_DURATION] =
        {"flux_registry_fetch_duration_seconds", METRIC_HISTOGRAM, "success", client_buckets,
         "Time that rounds wait for what is known of an image repository, without asking its registry."},
    [METRIC_ROUNDS] = {"pawl_rounds_total", METRIC_COUNTER, "repository result", NULL,
                       "Rounds of a git repository: done or failed."},
    [METRIC_ROUND_DURATION] = {"pawl_round_duration_seconds", METRIC_HISTOGRAM, "repository", client_buckets,
                               "Duration of rounds."},
    [METRIC_UPDATES] = {"pawl_updates_total", METRIC_COUNTER, "repository", NULL,
                        "Images changed in commits that were pushed."},
    [METRIC_CONTAINERS] = {"pawl_containers", METRIC_GAUGE, "repository decision", NULL,
                           "Automated containers by what the last round decided: current, update, held or "
                           "blocked."},
    [METRIC_CONTAINERS_HELD] = {"pawl_containers_held", METRIC_GAUGE, "repository cause", NULL,
                                "Automated containers that the last round held or blocked, by cause."},
    [METRIC_SCANS] = {"pawl_scans_total", METRIC_COUNTER, "host result", NULL,
                      "Scans of image repositories by registry and result: ok, or the kind of error."},
    [METRIC_REGISTRY_REQUESTS] =
        {"pawl_registry_requests_total", METRIC_COUNTER, "host kind status", NULL,
         "Requests to registries by what they were for (tags, manifest, config, token, ping) "
         "and how they ended (2xx, 3xx, 4xx, 429, 5xx, failed)."},
    [METRIC_REGISTRY_RATE_LIMITED] = {"pawl_registry_rate_limited_total", METRIC_COUNTER, "host", NULL,
                                      "Scans that ended because the registry told pawl to slow down."},
    [METRIC_REGISTRY_BYTES] = {"pawl_registry_response_bytes_total", METRIC_COUNTER, "host", NULL,
                               "Bytes of answers that were received whole."},
    [METRIC_REGISTRY_DURATION] = {"pawl_registry_request_duration_seconds", METRIC_HISTOGRAM, "host",
                                  registry_buckets,
                                  "Duration of requests to registries, from sending to the end of the body."},
    [METRIC_REGISTRY_IN_FLIGHT] = {"pawl_registry_requests_in_flight", METRIC_GAUGE, "host", NULL,
                                   "Requests that a registry is answering."},
    [METRIC_REGISTRY_WAITING] = {"pawl_registry_requests_waiting", METRIC_GAUGE, "host", NULL,
                                 "Requests that wait until the registry's budget lets them go."},
    [METRIC_REGISTRY_RATE] =
        {"pawl_registry_rate", METRIC_GAUGE, "host bound", NULL,
         "Requests a second that a registry may get now, and at the ceiling; 0: no limit."},
    [METRIC_REGISTRY_BLOCKED_UNTIL] =
        {"pawl_registry_blocked_until_seconds", METRIC_GAUGE, "host", NULL,
         "Unix time until which a registry told pawl to stay away; 0: it did not."},
    [METRIC_REGISTRY_QUOTA] = {"pawl_registry_quota_remaining", METRIC_GAUGE, "host", NULL,
                               "Requests left of a registry's quota, as it last said."},
    [METRIC_REGISTRY_QUOTA_LIMIT] = {"pawl_registry_quota_limit", METRIC_GAUGE, "host", NULL,
                                     "Requests of a registry's quota, as it last said."},
    [METRIC_TAGS] = {"pawl_image_tags", METRIC_GAUGE, "image", NULL, "Tags known of an image repository."},
    [METRIC_ANSWER_AGE] = {"pawl_image_answer_age_seconds", METRIC_GAUGE, "image", NULL,
                           "Time since an image repository's tags were last read whole."},
    [METRIC_OVERDUE] = {"pawl_images_overdue", METRIC_GAUGE, "", NULL,
                        "Image repositories not scanned successfully for three poll intervals."},
    [METRIC_CACHE_OPERATIONS] = {"pawl_cache_operations_total", METRIC_COUNTER, "result", NULL,
                                 "Cache operations: hit, miss, write or failure."},
    [METRIC_CACHE_REQUEST_DURATION] =
        {"flux_cache_request_duration_seconds", METRIC_HISTOGRAM, "method success", client_buckets,
         "Duration of cache operations (GetKey, SetKey); a miss counts as no success."},
    [METRIC_HOOKS] = {"pawl_hook_requests_total", METRIC_COUNTER, "source result", NULL,
                      "Webhooks received: accepted, refused (key, signature) or invalid (body)."},
    [METRIC_HOOK_IMAGES] = {"pawl_hook_images_total", METRIC_COUNTER, "source wanted", NULL,
                            "Images that webhooks told of, by whether a manifest wants them."},
    [METRIC_BUILD_INFO] = {"pawl_build_info", METRIC_GAUGE, "version", NULL, "Always 1."},
};
