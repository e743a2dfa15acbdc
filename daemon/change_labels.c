#include "daemon/change_labels.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "model/image_ref.h"

/* What the plan's answer knows of the tag; false: nothing. */
static bool find_known(const struct plan *plan, size_t item, const char *tag, struct image_info *out)
{
    const struct repository_info *info = plan->answers[item].info;
    size_t at = info ? repository_info_find(info, tag) : SIZE_MAX;
    if (at == SIZE_MAX)
        return false;
    *out = repository_info_image(info, at);
    return true;
}

/* The index in the lookup; SIZE_MAX: nothing can be asked about the image. */
static size_t add(const struct plan *plan, const struct release_change *change, struct label_lookup *lookup)
{
    CLEANUP(image_ref_release) struct image_ref image = IMAGE_REF_INIT;
    ptrdiff_t item = demand_set_find(plan->demands, change->container);
    if (item < 0 || image_ref_parse(change->to, &image, NULL) < 0 || !image.tag)
        return SIZE_MAX;
    struct image_info known;
    bool is_known = find_known(plan, (size_t)item, image.tag, &known);
    return label_lookup_add(lookup, (size_t)item, is_known ? &known : NULL, image.tag, image.digest);
}

void change_labels_read(struct plan *plan, struct image_source *images)
{
    struct release *release = plan->release;
    if (!release->changes_len)
        return;
    CLEANUP(label_lookup_release) struct label_lookup *lookup = label_lookup_new(plan->demands);
    AUTO_FREE size_t *places = xcalloc(release->changes_len, sizeof(*places));
    for (size_t i = 0; i < release->changes_len; i++)
        places[i] = add(plan, &release->changes[i], lookup);
    images->read_labels(images, lookup);
    for (size_t i = 0; i < release->changes_len; i++) {
        json_decref(release->changes[i].labels);
        release->changes[i].labels = places[i] == SIZE_MAX ? NULL : label_lookup_get(lookup, places[i]);
    }
}
