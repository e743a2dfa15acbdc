#include "deploy/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static const char *const result_names[] = {
    [APPLY_CREATED] = "created", [APPLY_CONFIGURED] = "configured", [APPLY_UNCHANGED] = "unchanged",
    [APPLY_SKIPPED] = "skipped", [APPLY_FAILED] = "failed",
};

const char *apply_result_name(enum apply_result result)
{
    return result_names[result];
}

void apply_report_release(struct apply_report *report)
{
    for (size_t i = 0; i < report->len; i++)
        free(report->outcomes[i].message);
    free(report->outcomes);
    *report = (struct apply_report)APPLY_REPORT_INIT;
}

static size_t *counter(struct apply_report *report, enum apply_result result)
{
    switch (result) {
    case APPLY_CREATED:
        return &report->created;
    case APPLY_CONFIGURED:
        return &report->configured;
    case APPLY_UNCHANGED:
        return &report->unchanged;
    case APPLY_SKIPPED:
        return &report->skipped;
    case APPLY_FAILED:
        break;
    }
    return &report->failed;
}

void apply_report_add(struct apply_report *report, const struct resource *resource,
                      const struct manifest_file *file, enum apply_result result, char *message)
{
    (*counter(report, result))++;
    vec_grow(report->outcomes, report->len, report->capacity);
    report->outcomes[report->len++] = (struct apply_outcome){resource, file, result, message};
}

/* What --deploy-to may say; `path` is the part after "dir:". */
enum destination { TO_AUTO, TO_KUBERNETES, TO_DIRECTORY, TO_NOTHING };

static int read_destination(const char *text, enum destination *to, const char **path, struct error *err)
{
    static const char prefix[] = "dir:";
    *path = NULL;
    if (!text || !*text || strcmp(text, "auto") == 0) {
        *to = TO_AUTO;
    } else if (strcmp(text, "kubernetes") == 0) {
        *to = TO_KUBERNETES;
    } else if (strcmp(text, "none") == 0) {
        *to = TO_NOTHING;
    } else if (str_starts_with(text, prefix) && text[sizeof(prefix) - 1]) {
        *to = TO_DIRECTORY;
        *path = text + sizeof(prefix) - 1;
    } else {
        return error_set(err, ERROR_USAGE,
                         "--deploy-to: \"%s\" is none of auto, kubernetes, dir:PATH and none", text);
    }
    return 0;
}

static int open_kubernetes(const struct deploy_options *options, bool is_optional, struct deploy_target **out,
                           struct error *err)
{
    struct error problem = ERROR_INIT;
    if (kubernetes_target_open(options, out, &problem) == 0)
        return 0;
    if (problem.code == ERROR_NOT_FOUND && is_optional)
        return 0;
    return error_set(err, problem.code == ERROR_NOT_FOUND ? ERROR_USAGE : problem.code, "%s", problem.text);
}

int deploy_target_open(const struct deploy_options *options, struct deploy_target **out, struct error *err)
{
    enum destination to = TO_AUTO;
    const char *path;
    *out = NULL;
    if (read_destination(options->deploy_to, &to, &path, err) < 0)
        return -1;
    switch (to) {
    case TO_AUTO:
        return open_kubernetes(options, true, out, err);
    case TO_KUBERNETES:
        return open_kubernetes(options, false, out, err);
    case TO_DIRECTORY:
        return directory_target_open(path, out, err);
    case TO_NOTHING:
        break;
    }
    return 0;
}

int deploy_default_space(const struct deploy_options *options, char **out, struct error *err)
{
    enum destination to = TO_AUTO;
    const char *path;
    if (read_destination(options->deploy_to, &to, &path, err) < 0)
        return -1;
    if (options->default_space && *options->default_space)
        *out = xstrdup(options->default_space);
    else if (to == TO_AUTO || to == TO_KUBERNETES)
        return kubernetes_default_space(options, out, err);
    else
        *out = xstrdup("default");
    return 0;
}

void deploy_target_free(struct deploy_target *target)
{
    if (target)
        target->operations->free(target);
}

int deploy_target_apply(struct deploy_target *target, const struct apply_request *request,
                        struct apply_report *report, struct error *err)
{
    return target ? target->operations->apply(target, request, report, err) : 0;
}
