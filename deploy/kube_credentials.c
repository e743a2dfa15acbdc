#include "deploy/kube_credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "deploy/exec_credential.h"

/* A credential is taken for expired this much earlier: clocks differ, and requests take time. */
#define EXPIRY_LEEWAY_MS 10000

struct kube_credentials {
    const struct kube_access *access;
    const struct clock *clock;
    char *authorization;
    char *token; /* the last one read from the file */
    char *ca, *certificate, *key;
    struct exec_credential from_plugin;
    bool has_run; /* the plugin, at least once */
    struct http_tls tls;
};

struct kube_credentials *kube_credentials_new(const struct kube_access *access, const struct clock *clock)
{
    struct kube_credentials *credentials = xcalloc(1, sizeof(*credentials));
    credentials->access = access;
    credentials->clock = clock;
    return credentials;
}

/* Frees a secret without leaving it in memory that others will get. */
static void forget(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void kube_credentials_free(struct kube_credentials *credentials)
{
    if (!credentials)
        return;
    forget(&credentials->authorization);
    forget(&credentials->token);
    forget(&credentials->key);
    free(credentials->ca);
    free(credentials->certificate);
    exec_credential_release(&credentials->from_plugin);
    free(credentials);
}

static int load_pem(const struct pem_source *source, const char *what, char **out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf pem = STRBUF_INIT;
    if (source->text)
        strbuf_addstr(&pem, source->text);
    else if (source->file && file_read(source->file, LIMIT_KUBECONFIG_BYTES, &pem, err) < 0)
        return error_wrap(err, "%s", what);
    forget(out);
    if (source->text || source->file)
        *out = strbuf_detach(&pem, NULL);
    return 0;
}

static int load_files(struct kube_credentials *c, struct error *err)
{
    if (load_pem(&c->access->ca, "the certificate authority", &c->ca, err) < 0 ||
        load_pem(&c->access->certificate, "the client certificate", &c->certificate, err) < 0 ||
        load_pem(&c->access->key, "the client key", &c->key, err) < 0)
        return -1;
    if (!c->access->token_file)
        return 0;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    size_t len = file_read(c->access->token_file, LIMIT_TOKEN_BYTES, &text, err) < 0
                     ? 0
                     : strcspn(text.buf, " \t\r\n");
    if (len) {
        forget(&c->token);
        c->token = xmemdupz(text.buf, len);
    } else if (!c->token && !c->access->token) {
        return error_set(err, ERROR_UNAUTHORIZED, "the token file %s is empty or cannot be read",
                         c->access->token_file);
    }
    error_clear(err);
    return 0;
}

static int run_plugin(struct kube_credentials *c, bool was_rejected, struct error *err)
{
    if (!c->access->exec.command)
        return 0;
    int64_t expires = c->from_plugin.expires_ms;
    bool has_expired = expires && clock_wall_ms(c->clock) >= expires - EXPIRY_LEEWAY_MS;
    if (c->has_run && !was_rejected && !has_expired)
        return 0;
    if (exec_credential_run(c->access, c->ca, &c->from_plugin, err) < 0)
        return -1;
    c->has_run = true;
    return 0;
}

static char *basic_authorization(const char *username, const char *password)
{
    CLEANUP(strbuf_release) struct strbuf pair = STRBUF_INIT;
    strbuf_addf(&pair, "%s:%s", username, password ? password : "");
    CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
    strbuf_addstr(&value, "Basic ");
    strbuf_add_base64(&value, pair.buf, pair.len);
    return strbuf_detach(&value, NULL);
}

static char *make_authorization(const struct kube_credentials *c)
{
    if (!str_starts_with(c->access->server, "https://"))
        return NULL;
    const char *token = c->token ? c->token : c->access->token ? c->access->token : c->from_plugin.token;
    if (token)
        return xasprintf("Bearer %s", token);
    return c->access->username ? basic_authorization(c->access->username, c->access->password) : NULL;
}

int kube_credentials_refresh(struct kube_credentials *c, bool was_rejected, struct error *err)
{
    if (load_files(c, err) < 0 || run_plugin(c, was_rejected, err) < 0)
        return -1;
    forget(&c->authorization);
    c->authorization = make_authorization(c);
    c->tls = (struct http_tls){
        .ca_pem = c->ca,
        .cert_pem = c->certificate ? c->certificate : c->from_plugin.certificate_pem,
        .key_pem = c->key ? c->key : c->from_plugin.key_pem,
        .server_name = c->access->server_name,
        .insecure = c->access->insecure,
    };
    return 0;
}

const char *kube_credentials_authorization(const struct kube_credentials *credentials)
{
    return credentials->authorization;
}

const struct http_tls *kube_credentials_tls(const struct kube_credentials *credentials)
{
    return &credentials->tls;
}
