/* json.h - cJSON with limits: outside text is refused before it costs memory or stack. */
#ifndef OG_COMMON_JSON_H
#define OG_COMMON_JSON_H

#include "lib/common/diag.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

/* Parses one JSON text: valid UTF-8, depth <= JSON_DEPTH_MAX, no byte after it but white space, no
 * duplicate member names, no NUL in a string. -EINVAL with line and column in the diag, -ENOMEM.
 * Free with cJSON_Delete. */
int json_parse(const char *text, size_t len_bytes, cJSON **ret_json, struct diag *diag);
void json_freep(cJSON **json); /* for AUTO() */
/* Member access: NULL / false when absent or of another type. */
const char *json_string(const cJSON *object, const char *name);
bool json_bool(const cJSON *object, const char *name, bool otherwise);
/* A whole number within int64 and 2^53; false when absent or not whole. */
bool json_int64(const cJSON *object, const char *name, int64_t *ret_value);

#endif
