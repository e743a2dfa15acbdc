/*
 * Names of Amazon ECR's private registries, as its user guide gives them: ACCOUNT, then one of the forms in ecr_host.c around
 * the REGION, such as ACCOUNT.dkr.ecr.REGION.amazonaws.com.
 */
#ifndef SCANNER_ECR_HOST_H
#define SCANNER_ECR_HOST_H

#include <stdbool.h>

#define ECR_ACCOUNT_DIGITS 12

/* The names of a registry are ACCOUNT, `service`, REGION and `suffix`; that of the API is `api`, REGION and `api_suffix`.
 * STS has `sts_domain`. */
struct ecr_form {
    const char *service, *suffix, *api, *api_suffix, *sts_domain;
};

struct ecr_host {
    char account[ECR_ACCOUNT_DIGITS + 1];
    char region[33];             /* "eu-central-1" */
    const struct ecr_form *form; /* static */
};

/* False if the host is no such registry. */
bool ecr_host_parse(const char *host, struct ecr_host *out);

#endif
