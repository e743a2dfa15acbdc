/*
 * What the content behind a digest says of an image. It never changes, so that it is read once in the life of a cache.
 */
#ifndef MODEL_IMAGE_FACTS_H
#define MODEL_IMAGE_FACTS_H

#include <stdint.h>

struct image_facts {
    unsigned known;      /* which of the following were read: DEMAND_CREATED, _PLATFORMS, _LABELS */
    int64_t created_ms;  /* from the config; 0: it does not say */
    int64_t labelled_ms; /* with the labels: the time in them; 0: none */
    char *
        platforms; /* "linux/amd64 linux/arm64/v8", sorted; "": the content does not say. Owned; NULL if not known */
    char *labels; /* a JSON object of strings, compact; "{}": none. Owned; NULL if not known */
};
#define IMAGE_FACTS_INIT                                                                                     \
    {                                                                                                        \
        0                                                                                                    \
    }

void image_facts_release(struct image_facts *facts);

/* Takes over from `from` what `to` does not know yet; the rest of `from` stays its own. */
void image_facts_merge(struct image_facts *to, struct image_facts *from);

#endif
