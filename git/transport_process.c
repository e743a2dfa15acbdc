/*
 * Stateful: one process per connection, and its two ends are the one stream that libgit2 asks for again and
 * again. Protocol version 0 is asked for, the only one that libgit2 speaks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "git/ssh_command.h"
#include "git/transport.h"

struct channel {
    git_smart_subtransport parent;
    git_smart_subtransport_stream stream;
    struct transport *transport;
    struct process *process;
    size_t advertised; /* bytes read before anything was written */
    bool has_written;
};

static struct channel *of_subtransport(git_smart_subtransport *subtransport)
{
    return (struct channel *)((char *)subtransport - offsetof(struct channel, parent));
}

static struct channel *of_stream(git_smart_subtransport_stream *stream)
{
    return (struct channel *)((char *)stream - offsetof(struct channel, stream));
}

static int stream_read(git_smart_subtransport_stream *stream, char *buffer, size_t size, size_t *got)
{
    struct channel *c = of_stream(stream);
    struct error err = ERROR_INIT;
    *got = 0;
    ssize_t read = process_read(c->process, buffer, size, &err);
    if (read < 0)
        return transport_failed(c->transport, &err);
    c->advertised += c->has_written ? 0 : (size_t)read;
    if (c->advertised > LIMIT_GIT_REF_ADVERT_BYTES) {
        error_set(&err, ERROR_TOO_LARGE, "the remote's list of refs is larger than %u bytes",
                  LIMIT_GIT_REF_ADVERT_BYTES);
        return transport_failed(c->transport, &err);
    }
    *got = (size_t)read;
    return 0;
}

static int stream_write(git_smart_subtransport_stream *stream, const char *bytes, size_t len)
{
    struct channel *c = of_stream(stream);
    struct error err = ERROR_INIT;
    c->has_written = true;
    return process_write(c->process, bytes, len, &err) < 0 ? transport_failed(c->transport, &err) : 0;
}

/* The process is ended by the subtransport, which outlives its stream. */
static void stream_free(git_smart_subtransport_stream *stream UNUSED)
{
}

static void build_command(const struct remote_url *url, bool is_push, struct strvec *argv)
{
    if (url->kind == REMOTE_SSH) {
        const struct ssh_choice choice = {getenv("GIT_SSH_COMMAND"), getenv("GIT_SSH")};
        ssh_command_build(url, is_push ? "git-receive-pack" : "git-upload-pack", &choice, argv);
        return;
    }
    strvec_push(argv, "git");
    strvec_push(argv, is_push ? "receive-pack" : "upload-pack");
    strvec_push(argv, "--");
    strvec_push(argv, url->path);
}

static int start(struct channel *c, bool is_push)
{
    /* What a git that runs us (from a hook, say) set for its own repository is not for the one we ask for. */
    static const char *const environment[] = {"GIT_DIR",
                                              "GIT_WORK_TREE",
                                              "GIT_INDEX_FILE",
                                              "GIT_OBJECT_DIRECTORY",
                                              "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                              "GIT_NAMESPACE",
                                              "GIT_COMMON_DIR",
                                              "GIT_QUARANTINE_PATH",
                                              "GIT_PREFIX",
                                              "GIT_PROTOCOL",
                                              "LC_ALL=C.UTF-8",
                                              NULL};
    CLEANUP(strvec_release) struct strvec argv = STRVEC_INIT;
    build_command(c->transport->url, is_push, &argv);
    strvec_push_owned(&argv, NULL);
    struct process_options options = {.environment = environment, .timeout_ms = c->transport->timeout_ms};
    const char *const *program;
    memcpy(&program, &argv.items, sizeof(program));
    options.argv = program;
    struct error err = ERROR_INIT;
    c->process = process_start(&options, &err);
    if (c->process)
        return 0;
    if (err.code == ERROR_NOT_FOUND) /* a program, not a repository */
        err.code = ERROR_IO;
    return transport_failed(c->transport, &err);
}

static int channel_action(git_smart_subtransport_stream **out, git_smart_subtransport *subtransport,
                          const char *url UNUSED, git_smart_service_t service)
{
    struct channel *c = of_subtransport(subtransport);
    bool is_push = service == GIT_SERVICE_RECEIVEPACK_LS || service == GIT_SERVICE_RECEIVEPACK;
    if (!c->process && start(c, is_push) < 0)
        return -1;
    *out = &c->stream;
    return 0;
}

static int channel_close(git_smart_subtransport *subtransport)
{
    struct channel *c = of_subtransport(subtransport);
    if (!c->process)
        return 0;
    struct transport *t = c->transport;
    t->program_status = process_end(c->process);
    strbuf_reset(&t->program_text);
    strbuf_addstr(&t->program_text, process_stderr(c->process));
    process_close(c->process);
    c->process = NULL;
    return 0;
}

static void channel_free(git_smart_subtransport *subtransport)
{
    channel_close(subtransport);
    free(of_subtransport(subtransport));
}

int transport_process_new(git_smart_subtransport **out, git_transport *owner UNUSED, void *param)
{
    struct channel *c = xcalloc(1, sizeof(*c));
    c->parent = (git_smart_subtransport){channel_action, channel_close, channel_free};
    c->stream = (git_smart_subtransport_stream){&c->parent, stream_read, stream_write, stream_free};
    c->transport = param;
    *out = &c->parent;
    return 0;
}
