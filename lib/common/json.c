/* Outside text first goes through json_check(), which is strict and costs neither memory nor
 * stack; cJSON, which is lenient (control characters in strings, "01", \u0000 cutting a string
 * short), only ever sees text that is known to be well-formed. */
#include "lib/common/json.h"

#include "lib/common/common.h"
#include "lib/common/json_check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_MEMBERS = 8 };

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* Objects can be as large as the request allows: sorting keeps the check n log n. */
static int find_duplicate_sorted(const cJSON *object, size_t count, const char **ret_name)
{
    AUTO(common_freep) const char **names = calloc(count, sizeof(*names));
    if (names == NULL)
        return -ENOMEM;
    size_t used = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next)
        names[used++] = member->string;
    qsort(names, used, sizeof(*names), compare_names);
    for (size_t i = 1; i < used; i++)
        if (strcmp(names[i - 1], names[i]) == 0) {
            /* the name itself belongs to the document, not to the array */
            *ret_name = names[i];
            return -EEXIST;
        }
    return 0;
}

static int find_duplicate(const cJSON *object, const char **ret_name)
{
    size_t count = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next)
        count++;
    if (count > FEW_MEMBERS)
        return find_duplicate_sorted(object, count, ret_name);

    for (const cJSON *member = object->child; member != NULL; member = member->next)
        for (const cJSON *other = member->next; other != NULL; other = other->next)
            if (strcmp(member->string, other->string) == 0) {
                *ret_name = member->string;
                return -EEXIST;
            }
    return 0;
}

/* What json_check() cannot see. Recursion is bounded by JSON_DEPTH_MAX. */
static int check_tree(const cJSON *item, struct diag *diag)
{
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
        return diag_fail(diag, -EINVAL, "a number is too large");
    if (cJSON_IsObject(item)) {
        const char *name = NULL;
        int r = find_duplicate(item, &name);
        if (r == -EEXIST)
            return diag_fail(diag, -EINVAL, "member \"%.64s\" stands twice in one object", name);
        if (r < 0)
            return diag_fail(diag, r, "not enough memory");
    }
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
        return 0;
    for (const cJSON *child = item->child; child != NULL; child = child->next) {
        int r = check_tree(child, diag);
        if (r < 0)
            return r;
    }
    return 0;
}

int json_parse(const char *text, size_t len_bytes, cJSON **ret_json, struct diag *diag)
{
    int r = json_check(text, len_bytes, diag);
    if (r < 0)
        return r;

    AUTO(json_freep) cJSON *json = cJSON_ParseWithLength(text, len_bytes);
    if (json == NULL) {
        /* Well-formed text fails without memory, or for a number of more than 63 characters. */
        const char *end = cJSON_GetErrorPtr();
        if (end != NULL && (size_t)(end - text) < len_bytes)
            return diag_fail(diag, -EINVAL, "a number has too many digits");
        return diag_fail(diag, -ENOMEM, "not enough memory");
    }
    r = check_tree(json, diag);
    if (r < 0)
        return r;

    *ret_json = TAKE(json);
    return 0;
}

void json_freep(cJSON **json)
{
    cJSON_Delete(*json);
    *json = NULL;
}

const char *json_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool json_bool(const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

bool json_int64(const cJSON *object, const char *name, int64_t *ret_value)
{
    /* Beyond 2^53 a double no longer holds every whole number: the value would be a guess. */
    static const double exact_max = 9007199254740992.0;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item))
        return false;
    double value = item->valuedouble;
    if (!(value >= -exact_max && value <= exact_max) || value != floor(value))
        return false;
    *ret_value = (int64_t)value;
    return true;
}
