/*
 * Names of Amazon ECR's private registries, as its user guide gives them: ACCOUNT.dkr.ecr[-fips].REGION.amazonaws.com[.cn].
 */
#ifndef SCANNER_ECR_HOST_H
#define SCANNER_ECR_HOST_H

#include <stdbool.h>

#define ECR_ACCOUNT_DIGITS 12

struct ecr_host {
    char account[ECR_ACCOUNT_DIGITS + 1];
    char region[33];    /* "eu-central-1" */
    const char *domain; /* of the API: "amazonaws.com"; static */
    bool is_fips;
};

/* False if the host is no such registry. */
bool ecr_host_parse(const char *host, struct ecr_host *out);

#endif
