/* JSON in tests, readable: single quotes stand for double ones. Header-only: each test is one file. */
#ifndef TESTS_JSON_TEXT_H
#define TESTS_JSON_TEXT_H

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"

static UNUSED char *quoted(const char *text)
{
    char *copy = xstrdup(text);
    for (char *c = strchr(copy, '\''); c; c = strchr(c, '\''))
        *c = '"';
    return copy;
}

/* A new reference; a text that is no JSON fails the test. */
static UNUSED json_t *json_from(const char *text)
{
    AUTO_FREE char *copy = quoted(text);
    struct error err = ERROR_INIT;
    json_t *value = json_read(copy, strlen(copy), &err);
    if (!value)
        fail_msg("%s in %s", err.text, copy);
    return value;
}

static void UNUSED assert_json(const json_t *value, const char *expected)
{
    AUTO_JSON json_t *want = json_from(expected);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_write(&text, value, 0);
    if (!json_equal(value, want))
        fail_msg("%s\nis not\n%s", text.buf, expected);
}

#endif
