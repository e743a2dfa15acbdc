/*
 * Edits that their own proof refuses. Nothing is written then, so no file is in danger; but the edit should have known
 * before. It is a finding where PAWL_FUZZ_STRICT is set: for the corpora in the test run, whose files must all be edited or
 * refused with a reason, and in a search by hand. The short search of the test run looks for what is worse.
 */
#ifndef TESTS_FUZZ_REFUSAL_H
#define TESTS_FUZZ_REFUSAL_H

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

static inline void found_refusal(const struct error *err)
{
    if (!getenv("PAWL_FUZZ_STRICT"))
        return;
    fprintf(stderr, "%s\n", err->text);
    abort();
}

#endif
