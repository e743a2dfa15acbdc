/*
 * Platforms that an image must have, and those that it offers: "linux/amd64", "linux/arm/v7".
 *
 * As container runtimes compare them (OCI image specification, "Image Index"): v8 is what arm64 is without a variant, and
 * v1 what amd64 is. A required arm without a variant is any arm.
 */
#ifndef UPDATER_PLATFORMS_H
#define UPDATER_PLATFORMS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/strbuf.h"

/* OS/ARCH or OS/ARCH/VARIANT, in lower case as OCI has them. */
bool platform_is_valid(const char *text);

/* The first of the required that is not among those offered ("linux/amd64 linux/arm64", as image_details.platforms);
 * NULL: none is missing. Borrowed from `required`. */
const char *platforms_missing(const struct strvec *required, const char *offered);

#endif
