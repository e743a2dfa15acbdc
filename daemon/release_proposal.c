#include "daemon/release_proposal.h"

void proposal_add_release(struct proposal *proposal, const struct release *release, char *message)
{
    struct proposed_commit *commit = proposal_add(proposal, message, release->files_len);
    for (size_t i = 0; i < release->files_len; i++)
        commit->files[i] = (struct commit_file){.path = release->files[i].file->path,
                                                .bytes = release->files[i].text.buf,
                                                .len = release->files[i].text.len};
}
