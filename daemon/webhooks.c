#include "daemon/webhooks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "daemon/webhook.h"
#include "daemon/webhook_certs.h"
#include "daemon/webhook_key_file.h"
#include "daemon/webhook_keys.h"
#include "daemon/webhook_token.h"

#define SAY_AGAIN_MS  60000
#define CERTS_RETRY_S 10

struct webhooks {
    struct webhooks_options options;
    struct webhook_key_file *keys; /* NULL: webhooks are off */
    struct webhook_certs *certs;   /* NULL: no sender with tokens */
    int64_t refused_ms;            /* when a refusal was last logged; 0 never */
    unsigned refused;              /* since then */
};

struct hook_call {
    const struct webhook_sender *sender;
    const struct webhook_key *key;
};

static void log_state(struct webhooks *hooks)
{
    const struct config *config = hooks->options.config;
    bool was_created = hooks->keys && webhook_key_file_keys(hooks->keys)->was_created;
    if (!config->hook_key_file)
        log_event(LOG_INFO, "hook", "event", "off", "msg",
                  "webhooks are answered with 404; --hook-key-file FILE turns them on", NULL);
    else
        log_event(LOG_INFO, "hook", "event", "on", "keys", config->hook_key_file, "msg",
                  was_created ? "the file was made; its line is KEY SECRET" : NULL, NULL);
}

struct webhooks *webhooks_open(const struct webhooks_options *options, struct error *err)
{
    const struct config *config = options->config;
    struct webhook_key_file *keys = NULL;
    if (config->hook_key_file) {
        keys = webhook_key_file_open(config->hook_key_file, options->clock, err);
        if (!keys) {
            error_wrap(err, "--hook-key-file");
            return NULL;
        }
    }
    struct webhooks *hooks = xcalloc(1, sizeof(*hooks));
    hooks->options = *options;
    hooks->keys = keys;
    if (keys && config->hook_google_audience)
        hooks->certs = webhook_certs_new(config->hook_google_keys_url, options->clock);
    log_state(hooks);
    return hooks;
}

void webhooks_free(struct webhooks *hooks)
{
    if (!hooks)
        return;
    webhook_certs_free(hooks->certs);
    webhook_key_file_free(hooks->keys);
    free(hooks);
}

/* -- who calls --------------------------------------------------------------------------------------------- */

static void count(struct webhooks *hooks, const char *source, const char *result)
{
    metrics_add(hooks->options.metrics, METRIC_HOOKS, METRIC_LABELS(source, result), 1);
}

/* Anybody can knock; the log must not grow for it. */
static void refuse(struct webhooks *hooks, const struct webhook_sender *sender, const char *why,
                   struct listener_reply *reply)
{
    listener_reply_error(reply, 401, "%s", why);
    count(hooks, sender->name, "refused");
    hooks->refused++;
    int64_t now = clock_monotonic_ms(hooks->options.clock);
    if (hooks->refused_ms && now - hooks->refused_ms < SAY_AGAIN_MS)
        return;
    AUTO_FREE char *times = xasprintf("%u", hooks->refused);
    log_event(LOG_WARN, "hook", "event", "refused", "source", sender->name, "times", times, "err", why, NULL);
    hooks->refused_ms = now;
    hooks->refused = 0;
}

static void refuse_source(const char *name, struct listener_reply *reply)
{
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    for (const struct webhook_sender *sender = webhook_senders; sender->name; sender++)
        strbuf_addf(&known, "%s%s", sender == webhook_senders ? "" : ", ", sender->name);
    listener_reply_error(reply, 404, "no source of webhooks is called \"%.40s\"; there are: %s", name,
                         known.buf);
}

/* Takes "/hook/SOURCE/KEY" apart; false with a reply where there is no such thing. */
static bool identify(struct webhooks *hooks, const struct listener_call *call, struct hook_call *out,
                     struct listener_reply *reply)
{
    const char *source = call->path + strlen(WEBHOOKS_PATH);
    AUTO_FREE char *name = xmemdupz(source, strcspn(source, "/"));
    if (!hooks->keys) {
        listener_reply_error(reply, 404, "webhooks are off: serve was started without --hook-key-file");
        return false;
    }
    out->sender = webhook_sender_find(name);
    if (!out->sender) {
        refuse_source(name, reply);
        return false;
    }
    if (out->sender->proof == WEBHOOK_GOOGLE && !hooks->certs) {
        listener_reply_error(reply, 404, "this source needs --hook-google-audience");
        return false;
    }
    const char *key = source + strlen(name);
    out->key = webhook_keys_find(webhook_key_file_keys(hooks->keys), key + (*key == '/'));
    if (!out->key)
        refuse(hooks, out->sender,
               "the URL must end with " WEBHOOKS_PATH "SOURCE/KEY, and this KEY is not in --hook-key-file",
               reply);
    return out->key != NULL;
}

bool webhooks_admit(struct webhooks *hooks, const struct listener_call *call, size_t *max_body,
                    struct listener_reply *reply)
{
    struct hook_call hook;
    *max_body = LIMIT_HOOK_BODY_BYTES;
    return identify(hooks, call, &hook, reply);
}

/* -- proof ------------------------------------------------------------------------------------------------- */

static bool check_token(struct webhooks *hooks, const struct webhook_sender *sender, const char *header,
                        struct listener_reply *reply)
{
    static const char scheme[] = "Bearer ";
    const struct config *config = hooks->options.config;
    const struct webhook_token_rules rules = {.audience = config->hook_google_audience,
                                              .issuer = config->hook_google_issuer,
                                              .account = config->hook_google_account};
    struct error err = ERROR_INIT;
    AUTO_FREE char *keys = webhook_certs_get(hooks->certs);
    if (!header || !str_starts_with(header, scheme)) {
        refuse(hooks, sender, "no bearer token; switch authentication on in the subscription", reply);
        return false;
    }
    if (keys && webhook_token_verify(header + strlen(scheme), keys, &rules,
                                     clock_wall_ms(hooks->options.clock), &err) == 0)
        return true;
    if (keys && err.code != ERROR_NOT_FOUND) {
        refuse(hooks, sender, err.text, reply);
        return false;
    }
    webhook_certs_refresh(hooks->certs);
    listener_reply_error(reply, 503, "the keys of the token's issuer are not there yet; send it again");
    reply->retry_after_s = CERTS_RETRY_S;
    return false;
}

static bool is_proven(struct webhooks *hooks, const struct hook_call *hook, const struct listener_call *call,
                      struct listener_reply *reply)
{
    const struct webhook_sender *sender = hook->sender;
    const char *header = sender->header ? listener_header(call, sender->header) : NULL;
    bool is_good = true;
    switch (sender->proof) {
    case WEBHOOK_KEY:
        break;
    case WEBHOOK_GOOGLE:
        return check_token(hooks, sender, header, reply);
    case WEBHOOK_SIGNATURE:
        is_good = webhook_is_signed(hook->key->secret, call->body, call->body_len, header);
        break;
    case WEBHOOK_NEXUS:
        is_good = (!header && !hook->key->has_secret) ||
                  webhook_is_signed_by_nexus(hook->key->secret, call->body, call->body_len, header);
        break;
    case WEBHOOK_SECRET:
        is_good = header && webhook_is_same(hook->key->secret, header);
        break;
    }
    if (is_good)
        return true;
    AUTO_FREE char *why =
        xasprintf("%s is %s; the sender must be given %s", sender->header, header ? "wrong" : "missing",
                  hook->key->has_secret ? "the SECRET that stands behind this key in --hook-key-file"
                                        : "this key as its secret, since --hook-key-file has none behind it");
    refuse(hooks, sender, why, reply);
    return false;
}

/* -- what is told ------------------------------------------------------------------------------------------ */

static size_t pass_on(struct webhooks *hooks, const char *source, const struct push_list *list)
{
    AUTO_FREE bool *is_wanted = xcalloc(list->len, sizeof(*is_wanted));
    size_t wanted = 0;
    scan_thread_pushed(hooks->options.scans, list, is_wanted);
    for (size_t i = 0; i < list->len; i++) {
        const struct pushed_image *image = &list->items[i];
        const char *text = is_wanted[i] ? "true" : "false";
        wanted += is_wanted[i];
        metrics_add(hooks->options.metrics, METRIC_HOOK_IMAGES, METRIC_LABELS(source, text), 1);
        log_event(is_wanted[i] ? LOG_INFO : LOG_DEBUG, "hook", "event", "pushed", "source", source, "image",
                  image->repository, "tag", image->tag, "wanted", text, NULL);
    }
    return wanted;
}

/* Why a body that is no JSON is none, where the cause is known; else NULL. */
static const char *cause_of_no_json(const struct listener_call *call)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = listener_header(call, "Content-Type");
    const char *coding = listener_header(call, "Content-Encoding");
    if (!call->body_len)
        return "the body is empty; JSON is expected";
    if (coding && strcasecmp(coding, "identity") != 0)
        return "the body is compressed (Content-Encoding); it must be sent plain";
    if (type && !strncasecmp(type, form, strlen(form)))
        return "the body is a form; give the webhook the content type application/json";
    return NULL;
}

static void refuse_body(const struct listener_call *call, const struct error *err,
                        struct listener_reply *reply)
{
    const char *cause = err->code == ERROR_TOO_LARGE ? NULL : cause_of_no_json(call);
    listener_reply_error(reply, err->code == ERROR_TOO_LARGE ? 413 : 400, "%s", cause ? cause : err->text);
}

/* Of a webhook that does nothing: why. To a person who tries it out "wanted 0" alone says little. */
static json_t *why_nothing(const struct push_list *list)
{
    if (!list->len)
        return json_text("it names no image with a tag that was pushed, so there is nothing to do");
    const struct pushed_image *first = list->items;
    bool is_any_host = first->repository[0] == '/';
    AUTO_FREE char *text =
        xasprintf("none of the manifests read so far has an image %s%s that pawl updates",
                  is_any_host ? "whose path ends with " : "", first->repository + is_any_host);
    return json_text(text);
}

static void answer_taken(const struct push_list *list, size_t wanted, struct listener_reply *reply)
{
    AUTO_JSON json_t *answer =
        json_pack("{s:I, s:I}", "images", (json_int_t)list->len, "wanted", (json_int_t)wanted);
    if (!wanted)
        json_object_set_new(answer, "help", why_nothing(list));
    reply->status = 202;
    reply->type = "application/json; charset=utf-8";
    json_write(&reply->body, answer, 0);
    strbuf_addch(&reply->body, '\n');
}

void webhooks_answer(struct webhooks *hooks, const struct listener_call *call, struct listener_reply *reply)
{
    struct hook_call hook;
    struct error err = ERROR_INIT;
    CLEANUP(push_list_release) struct push_list list = PUSH_LIST_INIT;
    if (!identify(hooks, call, &hook, reply) || !is_proven(hooks, &hook, call, reply))
        return;
    const char *source = hook.sender->name;
    if (webhook_read(hook.sender, call->body, call->body_len, &list, &err) < 0) {
        refuse_body(call, &err, reply);
        count(hooks, source, "invalid");
        return;
    }
    count(hooks, source, "accepted");
    answer_taken(&list, pass_on(hooks, source, &list), reply);
}
