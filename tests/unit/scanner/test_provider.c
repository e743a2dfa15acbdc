/* Whose host is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scanner/provider.h"

static void test_provider_of_host(void **state)
{
    static const struct {
        const char *host, *name;
    } cases[] = {
        {"123456789012.dkr.ecr.us-east-1.amazonaws.com", "Amazon ECR"},
        {"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "Amazon ECR"},
        {"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "Amazon ECR"},
        {"123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "Amazon ECR"},
        {"123456789012.dkr-ecr.us-west-2.on.aws", "Amazon ECR"},
        {"123456789012.dkr-ecr-fips.us-west-2.on.aws", "Amazon ECR"},
        {"123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "Amazon ECR"},
        {"123456789012.dkr-ecr.us-west-2.amazonaws.com", NULL},
        {"123456789012.dkr.ecr.us-west-2.on.aws", NULL},
        {"123456789012.dkr-ecr.us-west-2.on.aws.evil.example", NULL},
        {"12345678901.dkr.ecr.us-east-1.amazonaws.com", NULL},
        {"123456789012.dkr.ecr..amazonaws.com", NULL},
        {"123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example", NULL},
        {"123456789012.dkr.ecr.us-east-1.evil.amazonaws.com", NULL},
        {"123456789012.dkr.ecr.us-east-1.amazonaws.com:443", NULL},
        {"evil.example#.dkr.ecr.us-east-1.amazonaws.com", NULL},
        {"public.ecr.aws", NULL},
        {"gcr.io", "Google Artifact Registry"},
        {"eu.gcr.io", "Google Artifact Registry"},
        {"europe-west1-docker.pkg.dev", "Google Artifact Registry"},
        {"gcr.io.evil.example", NULL},
        {"notgcr.io", NULL},
        {"gcr.io:5000", NULL},
        {"team.azurecr.io", "Azure Container Registry"},
        {"team.azurecr.cn", "Azure Container Registry"},
        {"team.azurecr.us", "Azure Container Registry"},
        {"azurecr.io", NULL},
        {"team.azurecr.io.evil.example", NULL},
        {"index.docker.io", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct provider *provider = provider_of(cases[i].host);
        if (!provider != !cases[i].name || (provider && strcmp(provider->name, cases[i].name) != 0))
            fail_msg("%s: %s", cases[i].host, provider ? provider->name : "nobody");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_provider_of_host),
    };
    return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
