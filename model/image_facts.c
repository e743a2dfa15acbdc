#include "model/image_facts.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/demand.h"

void image_facts_release(struct image_facts *facts)
{
    free(facts->platforms);
    free(facts->labels);
    *facts = (struct image_facts)IMAGE_FACTS_INIT;
}

void image_facts_merge(struct image_facts *to, struct image_facts *from)
{
    unsigned news = from->known & ~to->known;
    if (news & DEMAND_CREATED)
        to->created_ms = from->created_ms;
    if (news & DEMAND_PLATFORMS)
        to->platforms = steal(&from->platforms);
    if (news & DEMAND_LABELS) {
        to->labels = steal(&from->labels);
        to->labelled_ms = from->labelled_ms;
    }
    to->known |= news;
    from->known &= ~news;
}
