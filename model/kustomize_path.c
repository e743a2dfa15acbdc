#include "model/kustomize_path.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

char *kustomize_path_join(const char *directory, const char *path)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_addstr(&out, *path == '/' ? "" : directory);
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t len = strcspn(part, "/");
        bool is_up = len == 2 && !strncmp(part, "..", 2), is_here = !len || (len == 1 && *part == '.');
        if (is_up && !out.len) {
            strbuf_release(&out);
            return NULL;
        }
        if (is_up) {
            char *slash = strrchr(out.buf, '/');
            out.len = slash ? (size_t)(slash - out.buf) : 0;
            out.buf[out.len] = '\0';
        } else if (!is_here) {
            strbuf_addf(&out, "%s%.*s", out.len ? "/" : "", (int)len, part);
        }
        part += len;
    }
    return strbuf_detach(&out, NULL);
}

char *kustomize_path_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    return xmemdupz(path, slash ? (size_t)(slash - path) : 0);
}
