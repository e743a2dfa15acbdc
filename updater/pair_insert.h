/*
 * Pairs more at the end of a mapping, in the mapping's own style: a line for each at its keys' indentation with the file's
 * line ends, or behind a comma in flow style.
 */
#ifndef UPDATER_PAIR_INSERT_H
#define UPDATER_PAIR_INSERT_H

#include "base/attr.h"
#include "base/error.h"
#include "base/yaml.h"
#include "model/manifest.h"
#include "updater/edit.h"

/*
 * The splice that adds pairs to the mapping, a node that the file keeps. Keys are plain as they are, and not there yet;
 * values are quoted where they would not stay strings, and both where the mapping is JSON. Values are copied. ERROR_UNSUPPORTED
 * for a mapping whose end cannot be told: an empty one, one that a block scalar without a line break ends, or where
 * something else follows on its line.
 */
int pair_insert(const struct manifest_file *file, const struct yaml_node *kept,
                const struct added_pair *pairs, size_t len, struct splice *out, struct error *err) MUST_CHECK;

#endif
