#include "deploy/exec_credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "base/strbuf.h"

void exec_credential_release(struct exec_credential *credential)
{
    free(credential->token);
    free(credential->certificate_pem);
    free(credential->key_pem);
    *credential = (struct exec_credential)EXEC_CREDENTIAL_INIT;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static json_t *cluster_info(const struct kube_access *access, const char *ca_pem)
{
    json_t *cluster = json_object();
    set_text(cluster, "server", access->server);
    set_text(cluster, "tls-server-name", access->server_name);
    if (access->insecure)
        json_object_set_new(cluster, "insecure-skip-tls-verify", json_true());
    if (ca_pem) {
        CLEANUP(strbuf_release) struct strbuf encoded = STRBUF_INIT;
        strbuf_add_base64(&encoded, ca_pem, strlen(ca_pem));
        set_text(cluster, "certificate-authority-data", encoded.buf);
    }
    if (access->exec.cluster_settings)
        json_object_set(cluster, "config", access->exec.cluster_settings);
    return cluster;
}

char *exec_credential_info(const struct kube_access *access, const char *ca_pem)
{
    AUTO_JSON json_t *info = json_object();
    json_t *spec = json_object();
    set_text(info, "apiVersion", access->exec.api_version);
    set_text(info, "kind", "ExecCredential");
    json_object_set_new(info, "spec", spec);
    json_object_set_new(spec, "interactive", json_false());
    if (access->exec.wants_cluster)
        json_object_set_new(spec, "cluster", cluster_info(access, ca_pem));
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, info, 0);
    return strbuf_detach(&text, NULL);
}

static char *copy_at(const json_t *object, const char *key)
{
    const char *text = json_string_at(object, key);
    return text && *text ? xstrdup(text) : NULL;
}

/* What is wrong with it, or NULL. */
static const char *take_status(const json_t *status, struct exec_credential *out)
{
    const char *expires = json_string_at(status, "expirationTimestamp");
    out->token = copy_at(status, "token");
    out->certificate_pem = copy_at(status, "clientCertificateData");
    out->key_pem = copy_at(status, "clientKeyData");
    if (!out->token && !out->certificate_pem)
        return "its output holds neither a token nor a certificate";
    if (!out->certificate_pem != !out->key_pem)
        return "its output holds a certificate or a key without the other";
    if (out->token && strpbrk(out->token, "\r\n"))
        return "its token holds a line break";
    if (expires && clock_parse_rfc3339(expires, &out->expires_ms) < 0)
        return "its expirationTimestamp is no RFC 3339 time";
    return NULL;
}

int exec_credential_parse(const char *text, size_t len, const char *api_version, struct exec_credential *out,
                          struct error *err)
{
    AUTO_JSON json_t *root = json_read(text, len, NULL);
    const char *kind = json_string_at(root, "kind");
    const char *is_version = json_string_at(root, "apiVersion");
    if (!kind || strcmp(kind, "ExecCredential") != 0)
        return error_set(err, ERROR_INVALID, "its output is no ExecCredential in JSON");
    if (!is_version || strcmp(is_version, api_version) != 0)
        return error_set(err, ERROR_INVALID, "its output is not of apiVersion %s, as the kubeconfig wants it",
                         api_version);
    exec_credential_release(out);
    const char *problem = take_status(json_object_get(root, "status"), out);
    if (!problem)
        return 0;
    exec_credential_release(out);
    return error_set(err, ERROR_INVALID, "%s", problem);
}

static int run_program(const struct kube_exec *exec, const char *info, struct strbuf *output,
                       struct error *err)
{
    AUTO_FREE const char **argv = xcalloc(exec->arguments.len + 2, sizeof(*argv));
    AUTO_FREE const char **environment = xcalloc(exec->environment.len + 2, sizeof(*environment));
    argv[0] = exec->command;
    for (size_t i = 0; i < exec->arguments.len; i++)
        argv[i + 1] = exec->arguments.items[i];
    for (size_t i = 0; i < exec->environment.len; i++)
        environment[i] = exec->environment.items[i];
    environment[exec->environment.len] = info;
    struct process_options options = {
        .argv = argv, .environment = environment, .timeout_ms = EXEC_TIMEOUT_MS};
    return process_run(&options, NULL, 0, output, err);
}

int exec_credential_run(const struct kube_access *access, const char *ca_pem, struct exec_credential *out,
                        struct error *err)
{
    const struct kube_exec *exec = &access->exec;
    AUTO_FREE char *info = exec_credential_info(access, ca_pem);
    AUTO_FREE char *variable = xasprintf("KUBERNETES_EXEC_INFO=%s", info);
    CLEANUP(strbuf_release) struct strbuf output = STRBUF_INIT;
    struct error problem = ERROR_INIT;
    if (run_program(exec, variable, &output, &problem) < 0) {
        bool hint = problem.code == ERROR_NOT_FOUND && exec->install_hint;
        return error_set(err, ERROR_UNAUTHORIZED, "the kubeconfig's credential plugin failed: %s%s%s",
                         problem.text, hint ? "; " : "", hint ? exec->install_hint : "");
    }
    if (exec_credential_parse(output.buf, output.len, exec->api_version, out, &problem) < 0)
        return error_set(err, ERROR_UNAUTHORIZED, "the kubeconfig's credential plugin %s: %s", exec->command,
                         problem.text);
    return 0;
}
