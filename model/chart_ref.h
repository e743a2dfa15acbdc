/*
 * References to Helm charts, as model/image_ref.h describes them, and their versions.
 *
 * Helm's own rules: a version is SemVer 2 with or without a "v" (Masterminds/semver, which Helm uses), and what is less than
 * that ("1", "1.2", "1.2.x", ">=1") is a range. A "+" is written "_" in a registry, whose tags cannot hold it
 * (helm/helm, pkg/registry).
 */
#ifndef MODEL_CHART_REF_H
#define MODEL_CHART_REF_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/image_ref.h"

/* True for a text with the scheme of a chart, whatever is behind it. */
bool chart_ref_has_scheme(const char *text);

/* ERROR_INVALID with what is wrong with the text; `out` is then untouched. The version may be missing. */
int chart_ref_parse(const char *text, struct image_ref *out, struct error *err) MUST_CHECK;

/*
 * Puts a reference together: the URL of a Helm repository (without scheme: of a registry, as Argo CD writes them), the
 * chart in it (NULL: the URL is the chart's own, which only oci:// can be), and a version, or tag. ERROR_INVALID.
 */
int chart_ref_make(const char *url, const char *chart, const char *version, struct image_ref *out,
                   struct error *err) MUST_CHECK;

/* MAJOR.MINOR.PATCH in full, with what may follow, and no range. */
bool chart_version_is_exact(const char *version);

/* "_" for "+", and back; free() them. */
char *chart_tag_of_version(const char *version) MUST_CHECK;
char *chart_version_of_tag(const char *tag) MUST_CHECK;

#endif
