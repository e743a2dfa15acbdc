/*
 * Anchors and tags before a node, which libyaml counts to its text. The inside of base/yaml_reader.c.
 */
#ifndef BASE_YAML_PROPERTY_H
#define BASE_YAML_PROPERTY_H

#include "base/yaml.h"

/* Moves the start of a node, with its line and column, past up to `count` anchors and tags, and the blanks, comments and line
 * breaks behind them. */
void yaml_skip_properties(const char *text, struct yaml_node *node, int count);

#endif
