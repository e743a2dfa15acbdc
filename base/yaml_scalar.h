/*
 * What a plain scalar means to Go's YAML reader, version 2, which every Kubernetes tool used (through
 * sigs.k8s.io/yaml) and which decides what a manifest says: YAML 1.1 with octal "012", without base 60, and
 * with dates left as strings. The words are one table.
 */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum yaml_type { YAML_STRING, YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT };

struct yaml_scalar {
    enum yaml_type type;
    bool boolean;    /* of YAML_BOOL */
    int64_t integer; /* of YAML_INT */
    double real;     /* of YAML_FLOAT; may be infinite or not a number where that was written */
};

/* Integers over int64 but within uint64, which Go keeps, are YAML_FLOAT here; larger ones are so in Go too. A
 * decimal number too large for a double is a string, as in Go. */
struct yaml_scalar yaml_scalar_resolve(const char *text, size_t len);

#endif
