#include "scanner/ecr_host.h"

#include <string.h>

#include "base/strbuf.h"

static const char *after(const char *text, const char *prefix)
{
    return str_starts_with(text, prefix) ? text + strlen(prefix) : NULL;
}

bool ecr_host_parse(const char *host, struct ecr_host *out)
{
    size_t digits = strspn(host, "0123456789");
    const char *plain = after(host + digits, ".dkr.ecr."), *fips = after(host + digits, ".dkr.ecr-fips.");
    const char *region = plain ? plain : fips;
    size_t len = region ? strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
    if (digits != ECR_ACCOUNT_DIGITS || !len || len >= sizeof(out->region))
        return false;
    memcpy(out->account, host, digits);
    out->account[digits] = '\0';
    memcpy(out->region, region, len);
    out->region[len] = '\0';
    out->is_fips = fips != NULL;
    out->domain = !strcmp(region + len, ".amazonaws.com")      ? "amazonaws.com"
                  : !strcmp(region + len, ".amazonaws.com.cn") ? "amazonaws.com.cn"
                                                               : NULL;
    return out->domain != NULL;
}
