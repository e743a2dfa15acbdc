#include "scanner/scan_task.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/image_ref.h"

static void on_credential(const struct credential *credential, const struct error *err, void *context)
{
    struct scan_task *task = context;
    if (!err) {
        task->grant = credential_grant_copy(credential);
        task->credential = credential_grant_view(&task->grant);
        AUTO_FREE char *identity = credential_identity(&task->credential);
        task->scope = xasprintf("%s %s", task->env->platform, identity);
    }
    task->ready(task, err);
}

void scan_task_log_in(struct scan_task *task, void (*ready)(struct scan_task *task, const struct error *err))
{
    task->ready = ready;
    if (task->demand->credential)
        on_credential(task->demand->credential, NULL, task);
    else
        credential_source_want(task->env->credentials, task->demand->repository, on_credential, task);
}

int64_t scan_task_now(const struct scan_task *task)
{
    return clock_wall_ms(task->env->clock);
}

/* Amazon ECR says 403 to a log-in that has expired. */
static bool is_refusal(enum error_code code)
{
    return code == ERROR_UNAUTHORIZED || code == ERROR_FORBIDDEN;
}

void scan_task_fail(struct scan_task *task, const char *doing, const struct error *err)
{
    const char *repository = task->demand->repository;
    const char *secret = task->demand->credential ? task->demand->credential->secret : NULL;
    const char *kind = image_repository_is_index(repository) ? " with the secret " : " with the pull secret ";
    if (is_refusal(err->code) && task->scope && !task->demand->credential)
        credential_source_refused(task->env->credentials, repository);
    task->result->error = *err;
    error_wrap(&task->result->error, "%s %s%s%s", doing, repository, secret ? kind : "",
               secret ? secret : "");
}

void scan_task_end(struct scan_task *task)
{
    void (*finished)(void *context) = task->finished;
    void *context = task->context;
    credential_grant_release(&task->grant);
    free(task->scope);
    free(task);
    finished(context);
}
