#include "deploy/selection.h"

#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* "a.yaml:3, b.yaml:7": the other places that define the same id. */
static char *other_places(const struct manifest_set *set, const struct resource *resource)
{
    CLEANUP(strbuf_release) struct strbuf places = STRBUF_INIT;
    for (size_t i = 0; i < set->resources_len; i++) {
        const struct resource *other = set->resources[i];
        if (other != resource && other->is_applied && other->is_duplicate &&
            resource_id_equal(&other->id, &resource->id))
            strbuf_addf(&places, "%s%s:%d", places.len ? ", " : "", other->file->path, other->line);
    }
    return strbuf_detach(&places, NULL);
}

bool selection_includes(const struct apply_request *request, const struct resource *resource, char **message)
{
    if (request->leave_alone && request->leave_alone(resource)) {
        *message = xstrdup("left alone: its annotations say so");
    } else if (resource->is_duplicate) {
        AUTO_FREE char *places = other_places(request->manifests, resource);
        *message = xasprintf("defined more than once, also in %s: remove all but one", places);
    } else {
        return true;
    }
    return false;
}
