/*
 * Credentials from a program: the exec plugins of kubeconfig users, as EKS, GKE, AKS and OIDC set-ups need
 * them (KEP-541, client.authentication.k8s.io/v1 and v1beta1).
 *
 * The program runs without a shell and without input, at most EXEC_TIMEOUT_MS, with KUBERNETES_EXEC_INFO in
 * its environment, and prints one ExecCredential as JSON. What it prints is never quoted in an error.
 */
#ifndef DEPLOY_EXEC_CREDENTIAL_H
#define DEPLOY_EXEC_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "deploy/kube_access.h"

#define EXEC_TIMEOUT_MS 30000

struct exec_credential {
    char *token;                     /* NULL: none */
    char *certificate_pem, *key_pem; /* both or neither */
    int64_t expires_ms;              /* wall time; 0: it does not say */
};
#define EXEC_CREDENTIAL_INIT                                                                                 \
    {                                                                                                        \
        .token = NULL, .certificate_pem = NULL, .key_pem = NULL, .expires_ms = 0                             \
    }
void exec_credential_release(struct exec_credential *credential);

/* Runs access->exec. ERROR_UNAUTHORIZED names the program and says why (its own words on standard error,
 * or its install hint where there is no such program). `ca_pem` is what the plugin is told of the
 * cluster's authority. */
int exec_credential_run(const struct kube_access *access, const char *ca_pem, struct exec_credential *out,
                        struct error *err) MUST_CHECK;

/* -- its two halves, apart for tests
 * ---------------------------------------------------------------------- */

/* The text of KUBERNETES_EXEC_INFO. free() it. */
char *exec_credential_info(const struct kube_access *access, const char *ca_pem) MUST_CHECK;
/* Reads what a plugin printed, replacing what is in `out`; ERROR_INVALID leaves that empty. */
int exec_credential_parse(const char *text, size_t len, const char *api_version, struct exec_credential *out,
                          struct error *err) MUST_CHECK;

#endif
