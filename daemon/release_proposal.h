/*
 * A release as one commit of a proposal.
 */
#ifndef DAEMON_RELEASE_PROPOSAL_H
#define DAEMON_RELEASE_PROPOSAL_H

#include "daemon/publish.h"
#include "updater/release.h"

/* Takes over `message`; the files stay the release's. The release must have any. */
void proposal_add_release(struct proposal *proposal, const struct release *release, char *message);

#endif
