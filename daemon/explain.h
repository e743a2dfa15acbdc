/*
 * `pawl explain`: the decisions for workloads in git, as they are now, each with all that led to it. Changes nothing, and
 * asks the registries of those workloads alone.
 */
#ifndef DAEMON_EXPLAIN_H
#define DAEMON_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "daemon/config.h"
#include "daemon/explanation.h"
#include "daemon/session.h"

struct explain_options {
    const char *workload; /* "kind/name" in `space`, or "namespace:kind/name"; NULL: all */
    const char *space;    /* of names that have none; NULL: the one that objects have which name none */
    void (*progress)(size_t done, size_t total, void *context); /* NULL: none */
    void *context;
};

/* What one repository in git says. */
struct explained {
    const struct repository_config *settings; /* borrowed */
    struct repository *repository;            /* what the plan is made with */
    struct plan plan;
    char head[GIT_ID_SIZE];
    struct explanation *items; /* sorted by workload and file, containers in their order */
    size_t len;
};

struct explanations {
    struct explained *repositories;
    size_t len;
    struct host_budgets budgets;
};
#define EXPLANATIONS_INIT                                                                                    \
    {                                                                                                        \
        0                                                                                                    \
    }

/*
 * Explains in all repositories of the configuration. ERROR_USAGE for a name that cannot be one; ERROR_NOT_FOUND if no
 * repository has the workload, with the nearest name and the files that could not be read; what git says. A registry
 * that fails is no error here: the explanation says so. Release in any case.
 */
int explain(const struct config *config, struct session *session, const struct explain_options *options,
            struct explanations *out, struct error *err) MUST_CHECK;
void explanations_release(struct explanations *explanations);

/* An array with all of them; each has "git": the repository's name. A new reference. */
json_t *explanations_json(const struct explanations *explanations) MUST_CHECK;

#endif
