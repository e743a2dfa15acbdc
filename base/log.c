#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

static enum log_level least = LOG_INFO;
static enum log_format format = LOG_FORMAT_LOGFMT;
static const struct clock *time_source = &system_clock;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_level new_level, enum log_format new_format, const struct clock *clock)
{
    least = new_level;
    format = new_format;
    time_source = clock;
}

bool log_enabled(enum log_level level)
{
    return level >= least;
}

void log_add_masked(struct strbuf *out, const char *text)
{
    const char *scheme;
    while ((scheme = strstr(text, "://")) != NULL) {
        const char *authority = scheme + 3;
        size_t span = strcspn(authority, "/ \t\n\"'?#");
        const char *at = memrchr(authority, '@', span);
        const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
        if (colon) {
            strbuf_add(out, text, (size_t)(colon - text) + 1);
            strbuf_addstr(out, "xxxxx");
            text = at;
        } else {
            strbuf_add(out, text, (size_t)(authority - text));
            text = authority;
        }
    }
    strbuf_addstr(out, text);
}

static void add_quoted(struct strbuf *line, const char *value)
{
    bool plain = *value && !strpbrk(value, " =\"\\\n\r\t");
    for (const char *c = value; plain && *c; c++)
        plain = (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (plain)
        strbuf_addstr(line, value);
    else
        json_add_string(line, value);
}

static void add_field(struct strbuf *line, const char *key, const char *value)
{
    CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT;
    log_add_masked(&masked, value);
    if (format == LOG_FORMAT_JSON) {
        strbuf_addstr(line, line->len ? "," : "{");
        json_add_string(line, key);
        strbuf_addch(line, ':');
        json_add_string(line, masked.buf);
        return;
    }
    if (line->len)
        strbuf_addch(line, ' ');
    strbuf_addf(line, "%s=", key);
    add_quoted(line, masked.buf);
}

void log_event_at(const char *file, int line_number, enum log_level level, const char *component, ...)
{
    if (!log_enabled(level))
        return;
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf caller = STRBUF_INIT;
    char now[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(clock_wall_ms(time_source), now);
    const char *base = strrchr(file, '/');
    strbuf_addf(&caller, "%s:%d", base ? base + 1 : file, line_number);
    add_field(&line, "ts", now);
    add_field(&line, "caller", caller.buf);
    add_field(&line, "component", component);
    if (level != LOG_INFO)
        add_field(&line, "level", level_names[level]);
    va_list args;
    va_start(args, component);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;) {
        const char *value = va_arg(args, const char *);
        if (value)
            add_field(&line, key, value);
    }
    va_end(args);
    strbuf_addstr(&line, format == LOG_FORMAT_JSON ? "}\n" : "\n");
    ssize_t written UNUSED = write(STDERR_FILENO, line.buf, line.len);
}
