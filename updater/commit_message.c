#include "updater/commit_message.h"

#include "base/alloc.h"
#include "base/strbuf.h"

static void add_trailers(const struct release *release, struct strbuf *out)
{
    strbuf_addstr(out, out->len && out->buf[out->len - 1] == '\n' ? "\n" : "\n\n");
    for (size_t i = 0; i < release->changes_len; i++) {
        const struct release_change *change = &release->changes[i];
        AUTO_FREE char *id = resource_id_text(&change->resource->id);
        strbuf_addf(out, "Pawl-Change: %s %s %s -> %s\n", id, change->container->name, change->from,
                    change->to);
    }
}

char *commit_message(const struct message_form *form, const struct release *release)
{
    struct strbuf message = STRBUF_INIT;
    if (form->template) {
        commit_template_render(form->template, release, &message);
    } else {
        AUTO_FREE char *flux = release_message(release);
        strbuf_addstr(&message, flux);
    }
    if (form->has_trailers)
        add_trailers(release, &message);
    return strbuf_detach(&message, NULL);
}
