/*
 * The values of pawl's own annotations, each from its text. What cannot be read is ERROR_INVALID, with what can be written
 * instead: an annotation that is misread could mean an update that its writer forbade.
 */
#ifndef UPDATER_POLICY_VALUE_H
#define UPDATER_POLICY_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

/* What is written of an image's digest: pawl.dev/digest. */
enum digest_mode {
    DIGEST_NEVER,  /* nothing; an image that has one is left alone */
    DIGEST_PIN,    /* with each new tag its digest: name:tag@sha256:… */
    DIGEST_FOLLOW, /* the digest that the tag has now, again when it moves */
};

/* "never", "pin", "follow" */
const char *digest_mode_name(enum digest_mode mode);
int policy_value_digest(const char *text, enum digest_mode *out, struct error *err) MUST_CHECK;
/* "true" or "false", and nothing else. */
int policy_value_bool(const char *text, bool *out, struct error *err) MUST_CHECK;
/* "30m", "2d" (base/clock.h). */
int policy_value_duration(const char *text, int64_t *out_ms, struct error *err) MUST_CHECK;
/* RFC 3339. */
int policy_value_time(const char *text, int64_t *out_ms, struct error *err) MUST_CHECK;
/* "linux/amd64,linux/arm64/v8": added to `out` as platforms_missing (updater/platforms.h) takes them. */
int policy_value_platforms(const char *text, struct strvec *out, struct error *err) MUST_CHECK;

#endif
