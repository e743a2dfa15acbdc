#include "scanner/ecr_host.h"

#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* Those with "dkr-ecr" are the dual-stack ones. */
static const struct ecr_form forms[] = {
    {".dkr.ecr.", ".amazonaws.com", "api.ecr.", ".amazonaws.com", "amazonaws.com"},
    {".dkr.ecr-fips.", ".amazonaws.com", "ecr-fips.", ".amazonaws.com", "amazonaws.com"},
    {".dkr-ecr.", ".on.aws", "ecr.", ".api.aws", "amazonaws.com"},
    {".dkr-ecr-fips.", ".on.aws", "ecr-fips.", ".api.aws", "amazonaws.com"},
    {".dkr.ecr.", ".amazonaws.com.cn", "api.ecr.", ".amazonaws.com.cn", "amazonaws.com.cn"},
    {".dkr-ecr.", ".on.amazonwebservices.com.cn", "ecr.", ".api.amazonwebservices.com.cn",
     "amazonaws.com.cn"},
    {".dkr.ecr.", ".amazonaws.eu", "api.ecr.", ".amazonaws.eu", "amazonaws.eu"},
};

static bool has_form(const char *host, const struct ecr_form *form, struct ecr_host *out)
{
    size_t digits = strspn(host, "0123456789");
    if (digits != ECR_ACCOUNT_DIGITS || !str_starts_with(host + digits, form->service))
        return false;
    const char *region = host + digits + strlen(form->service);
    size_t len = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!len || len >= sizeof(out->region) || strcmp(region + len, form->suffix) != 0)
        return false;
    *out = (struct ecr_host){.form = form};
    memcpy(out->account, host, digits);
    memcpy(out->region, region, len);
    return true;
}

bool ecr_host_parse(const char *host, struct ecr_host *out)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (has_form(host, &forms[i], out))
            return true;
    }
    return false;
}
