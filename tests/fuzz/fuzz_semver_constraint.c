/*
 * A constraint and versions, one a line: nothing may crash, and what holds of any constraint must hold. A
 * version is never above and below itself, equal versions pass together, and an alternative that is added
 * takes nothing away.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "updater/semver.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_version(const struct semver_constraint *constraint, const struct semver_constraint *wider,
                          const char *text)
{
    struct semver version, again;
    if (!semver_parse(text, &version))
        return;
    require(semver_compare(&version, &version) == 0);
    bool passes = semver_constraint_check(constraint, &version);
    require(!passes || semver_constraint_check(wider, &version));
    if (version.parts == 3 || version.prerelease || strchr(text, '+'))
        return;
    AUTO_FREE char *longer = xasprintf("%s.0", text);
    require(semver_parse(longer, &again) && semver_compare(&version, &again) == 0);
    require(semver_constraint_check(constraint, &again) == passes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xmemdupz(data, size);
    char *rest = text, *line = strsep(&rest, "\n");
    struct error err = ERROR_INIT;
    struct semver_constraint *constraint = semver_constraint_new(line, &err);
    if (!constraint) {
        require(err.code == ERROR_INVALID && err.text[0]);
        return 0;
    }
    AUTO_FREE char *more = xasprintf("%s||1.2.3", line);
    struct semver_constraint *wider = semver_constraint_new(more, NULL);
    require(wider != NULL);
    while ((line = strsep(&rest, "\n")))
        check_version(constraint, wider, line);
    semver_constraint_free(wider);
    semver_constraint_free(constraint);
    return 0;
}
