#include "cli/say.h"

#include <stdarg.h>

#include "base/log.h"
#include "base/strbuf.h"

void say(FILE *to, const char *format, ...)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf masked = STRBUF_INIT;
    va_list args;
    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    log_add_masked(&masked, text.buf);
    for (size_t i = 0; i < masked.len; i++) {
        unsigned char c = (unsigned char)masked.buf[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            masked.buf[i] = '?';
    }
    fwrite(masked.buf, 1, masked.len, to);
}
