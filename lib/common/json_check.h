/* json_check.h - is this exactly one JSON text (RFC 8259)? No allocation, no recursion. */
#ifndef OG_COMMON_JSON_CHECK_H
#define OG_COMMON_JSON_CHECK_H

#include "lib/common/diag.h"

#include <stddef.h>

/* 0, or -EINVAL with line and column (both from 1, columns in bytes) in the diag. Refuses besides
 * bad grammar: depth above JSON_DEPTH_MAX, bytes that are no UTF-8, \u0000, half surrogate pairs.
 */
int json_check(const char *text, size_t len_bytes, struct diag *diag);

#endif
