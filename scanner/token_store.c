#include "scanner/token_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"

#define DEFAULT_LIFE_S 60
#define LONGEST_LIFE_S 86400
/* A token is not used in the last part of its life: this long, or a quarter of it for short ones. */
#define MARGIN_MS 20000

struct token {
    int64_t until_ms;
    char *authorization;
};

static void free_token(void *value)
{
    struct token *token = value;
    explicit_bzero(token->authorization, strlen(token->authorization));
    free(token->authorization);
    free(token);
}

void token_store_init(struct token_store *store)
{
    strmap_init(&store->tokens, free_token);
}

void token_store_release(struct token_store *store)
{
    strmap_release(&store->tokens);
}

const char *token_store_get(const struct token_store *store, const char *key, int64_t now_ms)
{
    const struct token *token = strmap_get(&store->tokens, key);
    return token && now_ms < token->until_ms ? token->authorization : NULL;
}

void token_store_forget(struct token_store *store, const char *key)
{
    strmap_remove(&store->tokens, key);
}

/* A token becomes a header: printable ASCII without spaces (RFC 6750 section 2.1 asks for less still). */
static bool is_token(const char *text)
{
    for (const char *c = text; c && *c; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return text && *text;
}

int token_store_read(struct token_store *store, const char *key, const char *answer, size_t len,
                     int64_t now_ms, struct error *err)
{
    AUTO_JSON json_t *json = json_read(answer, len, NULL);
    const char *text = json_string_at(json, "token");
    if (!text || !*text)
        text = json_string_at(json, "access_token");
    if (!is_token(text))
        return error_set(err, ERROR_INVALID, "the token server's answer holds no token");
    const json_t *life = json_object_get(json, "expires_in");
    json_int_t life_s = json_is_integer(life) ? json_integer_value(life) : DEFAULT_LIFE_S;
    if (life_s < 1 || life_s > LONGEST_LIFE_S)
        life_s = life_s < 1 ? DEFAULT_LIFE_S : LONGEST_LIFE_S;
    int64_t life_ms = (int64_t)life_s * 1000;
    struct token *token = xcalloc(1, sizeof(*token));
    token->until_ms = now_ms + life_ms - (life_ms / 4 < MARGIN_MS ? life_ms / 4 : MARGIN_MS);
    token->authorization = xasprintf("Bearer %s", text);
    strmap_set(&store->tokens, key, token);
    return 0;
}
