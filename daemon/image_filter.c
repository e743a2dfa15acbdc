#include "daemon/image_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scanner/ecr_host.h"
#include "updater/glob.h"

struct image_filter image_filter_of(const struct config *config)
{
    return (struct image_filter){.exclude = &config->exclude_images,
                                 .include = &config->include_images,
                                 .use_labels = &config->use_labels,
                                 .ecr_regions = &config->ecr_regions,
                                 .ecr_include_ids = &config->ecr_include_ids,
                                 .ecr_exclude_ids = &config->ecr_exclude_ids,
                                 .is_closed = config->registry_disable_scanning};
}

static bool any_glob_matches(const struct strvec *globs, const char *text)
{
    for (size_t i = 0; globs && i < globs->len; i++) {
        if (glob_match(globs->items[i], text))
            return true;
    }
    return false;
}

static bool has(const struct strvec *list, const char *text)
{
    for (size_t i = 0; list && i < list->len; i++) {
        if (!strcmp(list->items[i], text))
            return true;
    }
    return false;
}

static bool is_given(const struct strvec *list)
{
    return list && list->len;
}

static const char *ecr_refusal(const struct image_filter *filter, const char *repository)
{
    struct ecr_host ecr;
    AUTO_FREE char *host = xmemdupz(repository, strcspn(repository, "/"));
    if (!ecr_host_parse(host, &ecr))
        return NULL;
    if (has(filter->ecr_exclude_ids, ecr.account))
        return "left out: its AWS account is among --registry-ecr-exclude-id";
    if (is_given(filter->ecr_include_ids) && !has(filter->ecr_include_ids, ecr.account))
        return "left out: its AWS account is not among --registry-ecr-include-id";
    if (is_given(filter->ecr_regions) && !has(filter->ecr_regions, ecr.region))
        return "left out: its AWS region is not among --registry-ecr-region";
    return NULL;
}

const char *image_filter_refusal(const struct image_filter *filter, const char *repository)
{
    if (filter->is_closed)
        return "registries are not asked: --registry-disable-scanning";
    if (any_glob_matches(filter->exclude, repository))
        return "left out by --registry-exclude-image";
    if (is_given(filter->include) && !any_glob_matches(filter->include, repository))
        return "left out by --registry-include-image";
    return ecr_refusal(filter, repository);
}

struct error image_filter_error(const struct image_filter *filter, const struct image_ref *image)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *repository = image->text ? image_ref_repository(image) : NULL;
    const char *refusal = repository ? image_filter_refusal(filter, repository) : NULL;
    error_set(&err, ERROR_UNSUPPORTED, "%s", refusal ? refusal : "not asked about");
    return err;
}

bool image_filter_dates_by_labels(const struct image_filter *filter, const char *repository)
{
    return any_glob_matches(filter->use_labels, repository);
}
