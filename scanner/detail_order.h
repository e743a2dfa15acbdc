/*
 * In which order the tags of a list are looked at, for when not all can be: those whose digest is known first, as what
 * is known of it is on record or one request away, then as the demand says.
 */
#ifndef SCANNER_DETAIL_ORDER_H
#define SCANNER_DETAIL_ORDER_H

#include <stdint.h>

#include "base/attr.h"
#include "model/demand.h"
#include "model/image_info.h"

/* The indices of the images, one of each. NULL for a demand without an order: the list's own will do. free() it. */
uint32_t *detail_order(const struct repository_info *info, const struct demand *demand) MUST_CHECK;

#endif
