#include "base/yaml_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Up to this many keys are compared each with each; more are sorted first. */
#define FEW_KEYS 16

/* By text; merge keys behind other "<<", and what is no scalar last. */
static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *left = yaml_resolve(*(const struct yaml_node *const *)a);
    const struct yaml_node *right = yaml_resolve(*(const struct yaml_node *const *)b);
    if (!left->value || !right->value)
        return !left->value - !right->value;
    size_t shorter = left->value_len < right->value_len ? left->value_len : right->value_len;
    int order = memcmp(left->value, right->value, shorter);
    if (order)
        return order;
    if (left->value_len != right->value_len)
        return left->value_len < right->value_len ? -1 : 1;
    return yaml_is_merge(left) - yaml_is_merge(right);
}

static bool is_same(const struct yaml_node *a, const struct yaml_node *b)
{
    a = yaml_resolve(a);
    b = yaml_resolve(b);
    bool is_same_text =
        a->value && b->value && a->value_len == b->value_len && !memcmp(a->value, b->value, a->value_len);
    return is_same_text && !(yaml_is_merge(a) || yaml_is_merge(b));
}

static bool report(const struct yaml_node *a, const struct yaml_node *b, const struct yaml_node **first,
                   const struct yaml_node **second)
{
    *first = a->start < b->start ? a : b;
    *second = *first == a ? b : a;
    return true;
}

static bool find_among_many(const struct yaml_node *mapping, const struct yaml_node **first,
                            const struct yaml_node **second)
{
    size_t len = mapping->len / 2;
    AUTO_FREE const struct yaml_node **keys = xcalloc(len, sizeof(const struct yaml_node *));
    for (size_t i = 0; i < len; i++)
        keys[i] = mapping->items[2 * i];
    qsort(keys, len, sizeof(const struct yaml_node *), compare_keys);
    for (size_t i = 1; i < len; i++) {
        if (is_same(keys[i - 1], keys[i]))
            return report(keys[i - 1], keys[i], first, second);
    }
    return false;
}

bool yaml_find_duplicate_key(const struct yaml_node *mapping, const struct yaml_node **first,
                             const struct yaml_node **second)
{
    if (mapping->len / 2 > FEW_KEYS)
        return find_among_many(mapping, first, second);
    for (size_t i = 2; i < mapping->len; i += 2) {
        for (size_t j = 0; j < i; j += 2) {
            if (is_same(mapping->items[i], mapping->items[j]))
                return report(mapping->items[i], mapping->items[j], first, second);
        }
    }
    return false;
}
