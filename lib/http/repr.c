#include "lib/http/repr.h"

#include "lib/common/common.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_CHARS = 160 };

/* Where we are, for messages: "filter.selectors[0].ids[2]". Cut when it gets too long. */
struct path {
    char text[PATH_CHARS];
    size_t len;
};

struct reading {
    struct arena *arena;
    struct diag *diag;
    struct path path;
};

const char *repr_type_name(enum repr_type type)
{
#define TYPE_TEXT(id, text) [REPR_TYPE_##id] = (text),
    static const char *const names[] = {REPR_TYPES(TYPE_TEXT)};
#undef TYPE_TEXT
    return (unsigned)type < REPR_TYPE_COUNT ? names[type] : "?";
}

/* --- paths ------------------------------------------------------------------------------------ */
static void path_push(struct path *path, const char *name)
{
    int len = snprintf(path->text + path->len, sizeof(path->text) - path->len, "%s%s",
                       path->len > 0 ? "." : "", name);
    size_t room = sizeof(path->text) - path->len - 1;
    path->len += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room;
}

static void path_push_index(struct path *path, size_t index)
{
    int len = snprintf(path->text + path->len, sizeof(path->text) - path->len, "[%zu]", index);
    size_t room = sizeof(path->text) - path->len - 1;
    path->len += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room;
}

static void path_cut(struct path *path, size_t len)
{
    path->len = len;
    path->text[len] = '\0';
}

static const char *path_text(const struct path *path)
{
    return path->len > 0 ? path->text : "the body";
}

/* --- limits, shared by reading and checking --------------------------------------------------- */
static int check_string(const struct repr_member *member, const char *text, struct reading *reading)
{
    if (member->min == 0 && member->max == 0)
        return 0;
    size_t len = strlen(text);
    if (len < (size_t)member->min)
        return diag_fail(reading->diag, -EINVAL, "%s: at least %" PRId64 " bytes expected",
                         path_text(&reading->path), member->min);
    if (member->max > 0 && len > (size_t)member->max)
        return diag_fail(reading->diag, -EINVAL, "%s: at most %" PRId64 " bytes expected",
                         path_text(&reading->path), member->max);
    return 0;
}

static int check_int(const struct repr_member *member, int64_t value, struct reading *reading)
{
    if ((member->min == 0 && member->max == 0) || (value >= member->min && value <= member->max))
        return 0;
    return diag_fail(reading->diag, -EINVAL,
                     "%s: a number from %" PRId64 " to %" PRId64 " expected",
                     path_text(&reading->path), member->min, member->max);
}

static int check_items(const struct repr_member *member, size_t count, struct reading *reading)
{
    if (member->items_max == 0 || count <= member->items_max)
        return 0;
    return diag_fail(reading->diag, -EINVAL, "%s: at most %zu elements expected",
                     path_text(&reading->path), member->items_max);
}

static int enum_count(const struct repr_member *member)
{
    int count = 0;
    while (member->enum_names[count] != NULL)
        count++;
    return count;
}

/* --- sizes and places ------------------------------------------------------------------------- */
static size_t item_bytes(const struct repr_member *member)
{
    switch (member->type) {
    case REPR_TYPE_STRING:
        return sizeof(const char *);
    case REPR_TYPE_INT:
    case REPR_TYPE_DATE_TIME:
        return sizeof(int64_t);
    case REPR_TYPE_BOOL:
        return sizeof(bool);
    case REPR_TYPE_ENUM:
        return sizeof(int);
    case REPR_TYPE_OBJECT:
        return member->object->size_bytes;
    case REPR_TYPE_ANY:
        return sizeof(const cJSON *);
    case REPR_TYPE_COUNT:
        break;
    }
    return 0;
}

static bool is_required(const struct repr_member *member)
{
    return (member->flags & REPR_REQUIRED) != 0;
}

/* --- reading ---------------------------------------------------------------------------------- */
static int read_object(const struct repr *repr, const cJSON *json, void *out,
                       struct reading *reading);

static const char *json_kind(const cJSON *json)
{
    return cJSON_IsString(json)   ? "a string"
           : cJSON_IsNumber(json) ? "a number"
           : cJSON_IsBool(json)   ? "a boolean"
           : cJSON_IsObject(json) ? "an object"
           : cJSON_IsArray(json)  ? "an array"
                                  : "null";
}

static int wrong_type(const char *expected, const cJSON *json, struct reading *reading)
{
    return diag_fail(reading->diag, -EINVAL, "%s: %s expected, got %s", path_text(&reading->path),
                     expected, json_kind(json));
}

static int read_string(const struct repr_member *member, const cJSON *json, const char **out,
                       struct reading *reading)
{
    if (!cJSON_IsString(json))
        return wrong_type("string", json, reading);
    int r = check_string(member, json->valuestring, reading);
    if (r < 0)
        return r;
    *out = arena_strdup(reading->arena, json->valuestring);
    return *out != NULL ? 0 : -ENOMEM;
}

static int read_int(const struct repr_member *member, const cJSON *json, int64_t *out,
                    struct reading *reading)
{
    static const double exact_max = 9007199254740992.0; /* 2^53: above, doubles skip numbers */
    if (!cJSON_IsNumber(json) || trunc(json->valuedouble) != json->valuedouble ||
        fabs(json->valuedouble) > exact_max)
        return wrong_type("whole number", json, reading);
    *out = (int64_t)json->valuedouble;
    return check_int(member, *out, reading);
}

static int read_enum(const struct repr_member *member, const cJSON *json, int *out,
                     struct reading *reading)
{
    if (!cJSON_IsString(json))
        return wrong_type("string", json, reading);
    for (int i = 0; member->enum_names[i] != NULL; i++)
        if (strcmp(member->enum_names[i], json->valuestring) == 0) {
            *out = i + 1;
            return 0;
        }
    char known[256] = "";
    size_t used = 0;
    for (int i = 0; member->enum_names[i] != NULL && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
                                 member->enum_names[i]);
    return diag_fail(reading->diag, -EINVAL, "%s: one of %s expected", path_text(&reading->path),
                     known);
}

static int read_date_time(const cJSON *json, int64_t *out, struct reading *reading)
{
    if (!cJSON_IsString(json) || repr_date_time_parse(json->valuestring, out) < 0)
        return wrong_type("date-time (2025-03-04T07:58:12.000Z)", json, reading);
    return 0;
}

/* One value at its place: a field of a required member, or an array's element. */
static int read_value(const struct repr_member *member, const cJSON *json, void *out,
                      struct reading *reading)
{
    switch (member->type) {
    case REPR_TYPE_STRING:
        return read_string(member, json, out, reading);
    case REPR_TYPE_INT:
        return read_int(member, json, out, reading);
    case REPR_TYPE_DATE_TIME:
        return read_date_time(json, out, reading);
    case REPR_TYPE_BOOL:
        if (!cJSON_IsBool(json))
            return wrong_type("boolean", json, reading);
        *(bool *)out = cJSON_IsTrue(json);
        return 0;
    case REPR_TYPE_ENUM:
        return read_enum(member, json, out, reading);
    case REPR_TYPE_OBJECT:
        return read_object(member->object, json, out, reading);
    case REPR_TYPE_ANY:
        *(const cJSON **)out = json;
        return 0;
    case REPR_TYPE_COUNT:
        break;
    }
    return -EINVAL;
}

static int read_array(const struct repr_member *member, const cJSON *json, struct repr_array *out,
                      struct reading *reading)
{
    if (!cJSON_IsArray(json))
        return wrong_type("array", json, reading);
    size_t count = 0;
    for (const cJSON *item = json->child; item != NULL; item = item->next)
        count++;
    int r = check_items(member, count, reading);
    if (r < 0)
        return r;
    out->set = true;
    if (count == 0)
        return 0;
    size_t size = item_bytes(member);
    char *items = arena_calloc(reading->arena, count, size);
    if (items == NULL)
        return -ENOMEM;
    size_t length = reading->path.len, index = 0;
    for (const cJSON *item = json->child; item != NULL; item = item->next, index++) {
        path_push_index(&reading->path, index);
        r = read_value(member, item, items + index * size, reading);
        path_cut(&reading->path, length);
        if (r < 0)
            return r;
    }
    out->items = items;
    out->count = count;
    return 0;
}

static int read_nested(const struct repr_member *member, const cJSON *json, void *field,
                       struct reading *reading)
{
    void *object = arena_calloc(reading->arena, 1, member->object->size_bytes);
    if (object == NULL)
        return -ENOMEM;
    int r = read_object(member->object, json, object, reading);
    if (r == 0)
        memcpy(field, &object, sizeof(object)); /* the field is a pointer to some struct */
    return r;
}

static int read_member(const struct repr_member *member, const cJSON *json, void *field,
                       struct reading *reading)
{
    if (member->is_array)
        return read_array(member, json, field, reading);
    if (member->type == REPR_TYPE_OBJECT)
        return read_nested(member, json, field, reading);
    bool is_number = member->type == REPR_TYPE_INT || member->type == REPR_TYPE_DATE_TIME;
    if (!is_required(member) && is_number) {
        struct repr_int *number = field;
        number->set = true;
        return read_value(member, json, &number->value, reading);
    }
    if (!is_required(member) && member->type == REPR_TYPE_BOOL) {
        struct repr_bool *truth = field;
        truth->set = true;
        return read_value(member, json, &truth->value, reading);
    }
    return read_value(member, json, field, reading);
}

static int read_object(const struct repr *repr, const cJSON *json, void *out,
                       struct reading *reading)
{
    if (!cJSON_IsObject(json))
        return wrong_type("object", json, reading);
    size_t length = reading->path.len;
    for (size_t i = 0; i < repr->member_count; i++) {
        const struct repr_member *member = &repr->members[i];
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member->name);
        if (item != NULL && cJSON_IsNull(item) && (member->flags & REPR_NULLABLE) != 0)
            item = NULL;
        path_push(&reading->path, member->name);
        int r = 0;
        if (item != NULL)
            r = read_member(member, item, (char *)out + member->offset, reading);
        else if (is_required(member))
            r = diag_fail(reading->diag, -EINVAL, "%s: this member is required",
                          path_text(&reading->path));
        path_cut(&reading->path, length);
        if (r < 0)
            return r;
    }
    return 0;
}

int repr_read(const struct repr *repr, const cJSON *json, struct arena *arena, void *out,
              struct diag *diag)
{
    struct reading reading = {.arena = arena, .diag = diag};
    memset(out, 0, repr->size_bytes);
    int r = read_object(repr, json, out, &reading);
    if (r < 0)
        memset(out, 0, repr->size_bytes);
    return r;
}

/* --- present or absent ------------------------------------------------------------------------ */
static bool is_present(const struct repr_member *member, const void *field)
{
    if (member->is_array) {
        const struct repr_array *array = field;
        return array->set || array->count > 0 || is_required(member);
    }
    const void *pointer = NULL;
    switch (member->type) {
    case REPR_TYPE_STRING:
    case REPR_TYPE_OBJECT:
    case REPR_TYPE_ANY:
        memcpy(&pointer, field, sizeof(pointer));
        return pointer != NULL;
    case REPR_TYPE_INT:
    case REPR_TYPE_DATE_TIME:
        return is_required(member) || ((const struct repr_int *)field)->set;
    case REPR_TYPE_BOOL:
        return is_required(member) || ((const struct repr_bool *)field)->set;
    case REPR_TYPE_ENUM:
        return *(const int *)field != 0;
    case REPR_TYPE_COUNT:
        break;
    }
    return false;
}

/* Where the value itself lies: behind the pointer of an object, inside the optional's struct. */
static const void *value_of(const struct repr_member *member, const void *field)
{
    const void *pointer = NULL;
    if (member->type == REPR_TYPE_OBJECT) {
        memcpy(&pointer, field, sizeof(pointer));
        return pointer;
    }
    if (is_required(member))
        return field;
    if (member->type == REPR_TYPE_INT || member->type == REPR_TYPE_DATE_TIME)
        return &((const struct repr_int *)field)->value;
    if (member->type == REPR_TYPE_BOOL)
        return &((const struct repr_bool *)field)->value;
    return field;
}

/* --- checking --------------------------------------------------------------------------------- */
static int check_object(const struct repr *repr, const void *data, struct reading *reading);

static int check_value(const struct repr_member *member, const void *value, struct reading *reading)
{
    switch (member->type) {
    case REPR_TYPE_STRING:
        if (*(const char *const *)value == NULL)
            return diag_fail(reading->diag, -EINVAL, "%s: no text", path_text(&reading->path));
        return check_string(member, *(const char *const *)value, reading);
    case REPR_TYPE_INT:
        return check_int(member, *(const int64_t *)value, reading);
    case REPR_TYPE_ENUM:
        if (*(const int *)value < 1 || *(const int *)value > enum_count(member))
            return diag_fail(reading->diag, -EINVAL, "%s: no name for %d",
                             path_text(&reading->path), *(const int *)value);
        return 0;
    case REPR_TYPE_OBJECT:
        return check_object(member->object, value, reading);
    case REPR_TYPE_BOOL:
    case REPR_TYPE_DATE_TIME:
    case REPR_TYPE_ANY:
    case REPR_TYPE_COUNT:
        break;
    }
    return 0;
}

static int check_array(const struct repr_member *member, const struct repr_array *array,
                       struct reading *reading)
{
    int r = check_items(member, array->count, reading);
    size_t length = reading->path.len, size = item_bytes(member);
    for (size_t i = 0; r == 0 && i < array->count; i++) {
        path_push_index(&reading->path, i);
        r = check_value(member, (const char *)array->items + i * size, reading);
        path_cut(&reading->path, length);
    }
    return r;
}

static int check_object(const struct repr *repr, const void *data, struct reading *reading)
{
    size_t length = reading->path.len;
    int r = 0;
    for (size_t i = 0; r == 0 && i < repr->member_count; i++) {
        const struct repr_member *member = &repr->members[i];
        const void *field = (const char *)data + member->offset;
        path_push(&reading->path, member->name);
        if (!is_present(member, field))
            r = is_required(member)
                    ? diag_fail(reading->diag, -EINVAL, "%s: this member is required",
                                path_text(&reading->path))
                    : 0;
        else if (member->is_array)
            r = check_array(member, field, reading);
        else
            r = check_value(member, value_of(member, field), reading);
        path_cut(&reading->path, length);
    }
    return r;
}

int repr_check(const struct repr *repr, const void *data, struct diag *diag)
{
    struct reading reading = {.diag = diag};
    return check_object(repr, data, &reading);
}

/* --- writing ---------------------------------------------------------------------------------- */
static int write_object(const struct repr *repr, const void *data, struct buf *out);

static int write_any(const cJSON *json, struct buf *out)
{
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    if (json != NULL && text == NULL)
        return -ENOMEM;
    buf_adds(out, text != NULL ? text : "null");
    cJSON_free(text);
    return 0;
}

static int write_value(const struct repr_member *member, const void *value, struct buf *out)
{
    char at[REPR_DATE_TIME_CHARS];
    switch (member->type) {
    case REPR_TYPE_STRING:
        if (*(const char *const *)value == NULL)
            return -EINVAL;
        buf_add_json_string(out, *(const char *const *)value);
        return 0;
    case REPR_TYPE_INT:
        buf_addf(out, "%" PRId64, *(const int64_t *)value);
        return 0;
    case REPR_TYPE_BOOL:
        buf_adds(out, *(const bool *)value ? "true" : "false");
        return 0;
    case REPR_TYPE_DATE_TIME:
        repr_date_time_format(*(const int64_t *)value, at);
        buf_add_json_string(out, at);
        return 0;
    case REPR_TYPE_ENUM:
        if (*(const int *)value < 1 || *(const int *)value > enum_count(member))
            return -EINVAL;
        buf_add_json_string(out, member->enum_names[*(const int *)value - 1]);
        return 0;
    case REPR_TYPE_OBJECT:
        return write_object(member->object, value, out);
    case REPR_TYPE_ANY:
        return write_any(*(const cJSON *const *)value, out);
    case REPR_TYPE_COUNT:
        break;
    }
    return -EINVAL;
}

static int write_items(const struct repr_member *member, const struct repr_array *array,
                       struct buf *out)
{
    size_t size = item_bytes(member);
    buf_adds(out, "[");
    for (size_t i = 0; i < array->count; i++) {
        if (i > 0)
            buf_adds(out, ",");
        int r = write_value(member, (const char *)array->items + i * size, out);
        if (r < 0)
            return r;
    }
    buf_adds(out, "]");
    return 0;
}

static int write_object(const struct repr *repr, const void *data, struct buf *out)
{
    bool first = true;
    buf_adds(out, "{");
    for (size_t i = 0; i < repr->member_count; i++) {
        const struct repr_member *member = &repr->members[i];
        const void *field = (const char *)data + member->offset;
        if (!is_present(member, field)) {
            if (is_required(member))
                return -EINVAL;
            continue;
        }
        if (!first)
            buf_adds(out, ",");
        first = false;
        buf_add_json_string(out, member->name);
        buf_adds(out, ":");
        int r = member->is_array ? write_items(member, field, out)
                                 : write_value(member, value_of(member, field), out);
        if (r < 0)
            return r;
    }
    buf_adds(out, "}");
    return 0;
}

int repr_write(const struct repr *repr, const void *data, struct buf *out)
{
    size_t before = out->len_bytes;
    int r = write_object(repr, data, out);
    if (r == 0 && out->failed)
        r = -ENOMEM;
    if (r < 0 && out->data != NULL && !out->failed) {
        out->len_bytes = before;
        out->data[before] = '\0';
    }
    return r;
}

int repr_write_array(const struct repr *repr, const void *items, size_t count, struct buf *out)
{
    buf_adds(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_adds(out, ",");
        int r = repr_write(repr, (const char *)items + i * repr->size_bytes, out);
        if (r < 0)
            return r;
    }
    buf_adds(out, "]");
    return out->failed ? -ENOMEM : 0;
}
