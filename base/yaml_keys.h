/*
 * Keys that a mapping has twice. The inside of base/yaml_reader.c; nothing else includes this.
 */
#ifndef BASE_YAML_KEYS_H
#define BASE_YAML_KEYS_H

#include <stdbool.h>

#include "base/yaml.h"

/* True if two keys are scalars of the same text, however written and with aliases followed, and no merge keys; they are
 * then in `first` and `second`, in the order of the file. In n log n for n keys. */
bool yaml_find_duplicate_key(const struct yaml_node *mapping, const struct yaml_node **first,
                             const struct yaml_node **second);

#endif
