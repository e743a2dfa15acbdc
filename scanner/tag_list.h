/*
 * One page of a tag list: {"name": …, "tags": […]} (OCI distribution specification, "Listing tags").
 *
 * What a registry lists is checked tag by tag: what is outside the grammar (no string, or a NUL in it, included) is
 * skipped and counted, and so, without being counted, are the tags that signing and attestation tools keep beside images ("sha256-<hex>", "sha256-<hex>.sig"), which no one
 * deploys.
 *
 * Google's registries list beside the tags what they point at, and when that was pushed: "manifest": {"sha256:…": {"tag":
 * ["1.2"], "timeUploadedMs": "1700000000000"}}. No specification has that, so what does not look like it is passed over.
 */
#ifndef SCANNER_TAG_LIST_H
#define SCANNER_TAG_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_info.h"

/*
 * Adds the page's tags to `info`, up to `limit` tags in all; what is over sets info->is_truncated. null for
 * the tags is an empty page. Adds to *bad how many tags were none. ERROR_INVALID or ERROR_TOO_LARGE for what is no such page; then nothing was
 * added. With info->has_push_times the tags get their pushed_ms, where the page tells it; of two, the later.
 */
int tag_list_read(const char *text, size_t len, size_t limit, struct repository_info *info, size_t *bad,
                  struct error *err) MUST_CHECK;

/* "sha256-<64 hex>", with or without an extension. */
bool tag_is_referrer(const char *tag);

#endif
