/*
 * The version of a Helm chart, where an object names one: a container "chart" of it, if the annotation pawl.dev/tag.chart
 * (or fluxcd.io/tag.chart, filter.fluxcd.io/chart) asks for that, and its values have no container of that name. Without the annotation it is none: a chart moves only where somebody said so, whatever is automated.
 *
 *   spec.chart.{repository,name,version}           HelmRelease of the Helm operator
 *   spec.chart.spec.{sourceRef,chart,version}      HelmRelease of Flux 2
 *   spec.{sourceRef,chart,version}                 HelmChart of Flux 2
 *   spec.{repo,chart,version}                      HelmChart of k3s; `chart` may be an oci:// URL of its own
 *   spec.source.{repoURL,chart,targetRevision}     Application of Argo CD, and each of spec.sources
 *   spec.{url,ref.tag}                             OCIRepository of Flux 2
 *
 * Which of them it is the keys tell. Only an exact version is followed: a range is Helm's to resolve, and is a problem of
 * the container. A sourceRef names a HelmRepository, which is mostly in another file: it is found when all files are there.
 *
 * The inside of model/manifest*.c, but for manifest_charts_resolve_from and manifest_chart_adopt.
 */
#ifndef MODEL_MANIFEST_CHART_H
#define MODEL_MANIFEST_CHART_H

#include "model/manifest.h"
#include "model/manifest_containers.h"

/* Adds the container of the chart that the mapping at `place` names; nothing if it is not asked for. */
void manifest_read_chart(struct container_reader *reader, struct manifest_place place);
/* The same for an Application's spec, which may have several sources: with more than one chart they are called
 * "chart.NAME". */
void manifest_read_application_charts(struct container_reader *reader, struct manifest_place spec);

/* Keeps the URL of a HelmRepository. */
void manifest_read_chart_url(struct resource *resource);

/* Finds the HelmRepositories of a finished set's charts, and puts their references together. */
void manifest_charts_resolve(struct manifest_set *set);
void manifest_charts_release(struct manifest_set *set);
/* The same for a set of a part of the files, which nobody else has yet: what it lacks is looked for in `known`. The set's
 * problems stay. */
void manifest_charts_resolve_from(struct manifest_set *set, const struct manifest_set *known);

/* Puts a reference together for a chart of a file alone (an older version of it): that of `now`, which is of a set, with the
 * version of `then`, if both name the same source. */
void manifest_chart_adopt(struct container *then, const struct container *now);

#endif
