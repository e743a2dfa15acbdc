/*
 * The log: one line per event on stderr, as logfmt or JSON, with Flux v1's keys (`ts`, `caller`, `component`)
 * first. The message is constant and the data is in fields, so that a line can be searched for and counted.
 *
 *     log_event(LOG_INFO, "sync-loop", "event", "refreshed", "url", url, "HEAD", head, NULL);
 *
 * Passwords in URLs are masked by the writer whatever the caller does. Only daemon/ and cli/ log. Safe from
 * any thread; a line is written with one write().
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/strbuf.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* Once at start, before other threads; the defaults are info and logfmt. */
void log_configure(enum log_level level, enum log_format format, const struct clock *clock);

bool log_enabled(enum log_level level);

/* Pairs of key and value (const char *), ended by NULL. A pair with a NULL value is left out. */
#define log_event(level, component, ...) log_event_at(__FILE__, __LINE__, level, component, __VA_ARGS__)
void log_event_at(const char *file, int line, enum log_level level, const char *component, ...)
    __attribute__((sentinel));

/* Copies a URL with the password of its user part replaced by "xxxxx"; other text is copied as it is. */
void log_add_masked(struct strbuf *out, const char *text);

#endif
