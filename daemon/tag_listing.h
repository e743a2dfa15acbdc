/*
 * What a registry has of one image, seen through a tag policy: the answer to `pawl tags`.
 */
#ifndef DAEMON_TAG_LISTING_H
#define DAEMON_TAG_LISTING_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/config.h"
#include "model/image_info.h"
#include "model/image_ref.h"

/* As a user writes it; all borrowed, NULL where it is not given. */
struct tag_listing_policy {
    const char *text;            /* "semver:~1.2" */
    const char *order, *extract; /* only with a text */
};

struct tag_listing_row {
    struct image_info image; /* borrowed from the listing's info */
    bool matches;            /* the policy would take it; without a policy: true */
    const char *why_not;     /* a short reason where it does not match; else NULL */
};

struct tag_listing {
    struct image_ref image;
    char *policy;      /* normalised text; NULL: none was given */
    const char *order; /* of the policy, the usual one where none was given; NULL without a policy */
    char *extract;     /* the template; NULL: none was given */
    struct repository_info *info; /* one reference */
    struct tag_listing_row *rows; /* info->images_len of them, best first under the policy */
    const char *chosen;           /* the tag that the policy takes; borrowed; NULL: none */
    bool is_undecidable;          /* the pattern took too long on a tag: as in a round, nothing is chosen */
    char *reason;                 /* one sentence; never NULL */
    bool is_notable;              /* the policy takes another tag than the image has, or none at all */
};
#define TAG_LISTING_INIT                                                                                     \
    {                                                                                                        \
        .image = IMAGE_REF_INIT                                                                              \
    }

/* Asks the registry now. `also`: what to ask of the tags whose time the policy needs, beside that
 * (DEMAND_…); of others what the cache knows is there. ERROR_USAGE for an image or a policy that cannot be read, or an order without a policy; what the
 * registry says otherwise. Release it in both cases. */
int tag_listing_make(const struct config *config, const char *image, const struct tag_listing_policy *asked,
                     unsigned also, struct tag_listing *listing, struct error *err) MUST_CHECK;
void tag_listing_release(struct tag_listing *listing);

/* As `pawl tags -o json` prints it (docs/interface.md). A new reference. */
json_t *tag_listing_json(const struct tag_listing *listing);

#endif
