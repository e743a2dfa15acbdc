/*
 * Who we are at AWS: keys, from the first of these that there is, in the order of AWS's own libraries:
 *
 *     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *     AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN        (IAM roles for service accounts), through STS
 *     AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI  (EKS Pod Identity, ECS)
 *     the role of the EC2 instance, from its metadata service, version 2 alone (AWS_EC2_METADATA_DISABLED=true: not)
 *
 * Profiles in ~/.aws are not read. AWS_ENDPOINT_URL_STS and AWS_EC2_METADATA_SERVICE_ENDPOINT point elsewhere. Internal
 * to the scanner's providers.
 */
#ifndef SCANNER_AWS_IDENTITY_H
#define SCANNER_AWS_IDENTITY_H

#include "base/attr.h"
#include "base/error.h"
#include "scanner/provider.h"

struct aws_identity {
    char *key_id, *secret, *session_token; /* all NULL: there is none */
};
#define AWS_IDENTITY_INIT                                                                                    \
    {                                                                                                        \
        .key_id = NULL, .secret = NULL, .session_token = NULL                                                \
    }
void aws_identity_release(struct aws_identity *identity);

/* 0 with the identity, or with none. `region` and `domain` ("amazonaws.com") say which STS is asked. */
int aws_identity_find(const struct provider_request *request, const char *region, const char *domain,
                      struct aws_identity *identity, struct error *err) MUST_CHECK;

#endif
