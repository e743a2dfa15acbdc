#include "updater/policy_value.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "updater/platforms.h"

static const char *const digest_modes[] = {
    [DIGEST_NEVER] = "never", [DIGEST_PIN] = "pin", [DIGEST_FOLLOW] = "follow"};

const char *digest_mode_name(enum digest_mode mode)
{
    return digest_modes[mode];
}

int policy_value_digest(const char *text, enum digest_mode *out, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(digest_modes); i++) {
        if (strcmp(text, digest_modes[i]) != 0)
            continue;
        *out = (enum digest_mode)i;
        return 0;
    }
    return error_set(err, ERROR_INVALID, "\"%.80s\" is none of never, pin and follow", text);
}

int policy_value_bool(const char *text, bool *out, struct error *err)
{
    *out = strcmp(text, "true") == 0;
    if (*out || strcmp(text, "false") == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "\"%.80s\" is neither \"true\" nor \"false\"", text);
}

int policy_value_duration(const char *text, int64_t *out_ms, struct error *err)
{
    if (clock_parse_duration(text, out_ms) == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "\"%.80s\" is no span of time such as 30m, 12h or 2d", text);
}

int policy_value_time(const char *text, int64_t *out_ms, struct error *err)
{
    if (clock_parse_rfc3339(text, out_ms) == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "\"%.80s\" is no time such as 2026-01-31T17:00:00Z", text);
}

int policy_value_platforms(const char *text, struct strvec *out, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(text);
    char *rest = copy, *word;
    while ((word = strsep(&rest, ", \t\n"))) {
        if (!*word)
            continue;
        if (!platform_is_valid(word))
            return error_set(err, ERROR_INVALID, "\"%.80s\" is no platform such as linux/amd64", word);
        strvec_push(out, word);
    }
    if (out->len == 0)
        return error_set(err, ERROR_INVALID, "no platform is named, such as linux/amd64");
    return 0;
}
