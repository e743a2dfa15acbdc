#include "updater/workload_result.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

const char *result_status_name(enum result_status status)
{
    static const char *const names[] = {
        [RESULT_SUCCESS] = "success",
        [RESULT_FAILED] = "failed",
        [RESULT_SKIPPED] = "skipped",
        [RESULT_IGNORED] = "ignored",
    };
    return names[status];
}

struct workload_result *result_add(struct result_list *list, const char *workload, enum result_status status,
                                   char *message)
{
    vec_grow(list->items, list->len, list->capacity);
    struct workload_result *result = &list->items[list->len++];
    *result = (struct workload_result){.workload = xstrdup(workload), .status = status, .message = message};
    return result;
}

struct workload_result *result_find(const struct result_list *list, const char *workload)
{
    for (size_t i = 0; i < list->len; i++) {
        if (!strcmp(list->items[i].workload, workload))
            return &list->items[i];
    }
    return NULL;
}

void result_add_update(struct workload_result *result, const char *container, const char *current,
                       const char *target)
{
    vec_grow(result->updates, result->updates_len, result->updates_capacity);
    result->updates[result->updates_len++] = (struct container_update){
        .container = xstrdup(container), .current = xstrdup(current), .target = xstrdup(target)};
}

static int compare_results(const void *left, const void *right)
{
    const struct workload_result *a = left, *b = right;
    return strcmp(a->workload, b->workload);
}

void result_list_mark_named(struct result_list *list, const struct strvec *workloads)
{
    for (size_t i = 0; i < list->len; i++)
        list->items[i].is_named |= strvec_contains(workloads, list->items[i].workload);
}

void result_list_sort(struct result_list *list)
{
    if (list->len)
        qsort(list->items, list->len, sizeof(*list->items), compare_results);
}

bool result_list_has(const struct result_list *list, enum result_status status)
{
    for (size_t i = 0; i < list->len; i++) {
        if (list->items[i].status == status)
            return true;
    }
    return false;
}

bool result_list_is_failure(const struct result_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        if (list->items[i].is_named && list->items[i].is_missing)
            return true;
    }
    return list->failures.len || result_list_has(list, RESULT_FAILED);
}

void result_list_release(struct result_list *list)
{
    strvec_release(&list->failures);
    for (size_t i = 0; i < list->len; i++) {
        struct workload_result *result = &list->items[i];
        for (size_t k = 0; k < result->updates_len; k++) {
            free(result->updates[k].container);
            free(result->updates[k].current);
            free(result->updates[k].target);
        }
        free(result->updates);
        free(result->workload);
        free(result->message);
    }
    free(list->items);
    *list = (struct result_list){.items = NULL};
}
