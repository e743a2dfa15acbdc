/*
 * The labels of the images that a plan writes (daemon/label_lookup.h): asked for only where a message shows them, and only of
 * what was chosen.
 */
#ifndef DAEMON_CHANGE_LABELS_H
#define DAEMON_CHANGE_LABELS_H

#include "daemon/image_source.h"
#include "daemon/plan.h"

/* Sets the labels of the changes of the plan's release, as far as they can be had. Waits for the registries, no longer
 * than the source does. */
void change_labels_read(struct plan *plan, struct image_source *images);

#endif
