/* repr.h - representations: one table per JSON object of the interface. The same table reads a body
 * into a plain C struct, checks it, and writes a struct as JSON text; it also feeds the API
 * description. Tables are constant data:
 *
 *   struct account { int type; const char *id; };              enum: 0 absent, 1 first name, …
 *   struct opening { const char *application_name; struct account *supervised; };
 *
 *   static const char *const account_types[] = {"LOGIN_NAME", "PHONE_NUMBER", NULL};
 *   static const struct repr_member account_members[] = {
 *       REPR_ENUM(struct account, type, "type", REPR_REQUIRED, account_types),
 *       REPR_STRING(struct account, id, "id", REPR_REQUIRED, 1, 64),
 *   };
 *   static const struct repr account_repr = REPR("Account", struct account, account_members);
 *   static const struct repr_member opening_members[] = {
 *       REPR_STRING(struct opening, application_name, "applicationName", REPR_REQUIRED, 1, 1000),
 *       REPR_OBJECT(struct opening, supervised, "supervisedAccount", 0, &account_repr),
 *   };
 *
 * How a member lies in the struct (the macros check the size of the field at compile time):
 *   type               required                   optional (absent when)
 *   STRING             const char *               const char * (NULL)
 *   INT                int64_t                    struct repr_int (set == false)
 *   BOOL               bool                       struct repr_bool (set == false)
 *   DATE_TIME          int64_t, ms since 1970 UTC struct repr_int (set == false)
 *   ENUM               int, 1 = first name        int (0)
 *   OBJECT             struct x *                 struct x * (NULL)
 *   ANY                const cJSON *              const cJSON * (NULL)
 *   arrays of these    struct repr_array          struct repr_array (set == false and count == 0)
 * Array items lie side by side: const char *, int64_t, bool, int64_t, int, struct x, const cJSON *.
 *
 * Reading: unknown members are ignored; null counts as absent where REPR_NULLABLE says so; memory
 * comes from the arena; ANY values borrow from the parsed tree. Writing: members in table order,
 * absent optional members left out, an empty array that is `set` is written as []. */
#ifndef OG_HTTP_REPR_H
#define OG_HTTP_REPR_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"
#include "lib/http/arena.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPR_TYPES(X)                                                                              \
    X(STRING, "string")                                                                            \
    X(INT, "integer")                                                                              \
    X(BOOL, "boolean")                                                                             \
    X(DATE_TIME, "date-time")                                                                      \
    X(ENUM, "enumerated string")                                                                   \
    X(OBJECT, "object")                                                                            \
    X(ANY, "any value")
#define REPR_TYPE_ENUM(id, text) REPR_TYPE_##id,
enum repr_type { REPR_TYPES(REPR_TYPE_ENUM) REPR_TYPE_COUNT };
const char *repr_type_name(enum repr_type type); /* "?" out of range */

enum { REPR_REQUIRED = 1, REPR_NULLABLE = 2 }; /* flags of a member */

struct repr_int {
    int64_t value;
    bool set;
};
struct repr_bool {
    bool set, value;
};
struct repr_array {
    const void *items; /* count values side by side */
    size_t count;
    bool set; /* present though perhaps empty */
};

struct repr;
struct repr_member {
    const char *name;
    enum repr_type type;
    unsigned flags;
    bool is_array;
    size_t offset;
    int64_t min, max;              /* STRING: bytes; INT: value; both 0: no limit */
    size_t items_max;              /* arrays: most elements; 0: no limit */
    const struct repr *object;     /* OBJECT */
    const char *const *enum_names; /* ENUM: NULL-terminated */
};
struct repr {
    const char *name; /* of the type in the API description */
    size_t size_bytes;
    const struct repr_member *members;
    size_t member_count;
};

/* The offset of a field, refused by the compiler unless the field is as large as the type. */
#define REPR_AT(owner, field, type)                                                                \
    (offsetof(owner, field) +                                                                      \
     0 * sizeof(char[sizeof(((owner *)0)->field) == sizeof(type) ? 1 : -1]))
#define REPR(name_, owner, rows)                                                                   \
    {                                                                                              \
        .name = (name_), .size_bytes = sizeof(owner), .members = (rows),                           \
        .member_count = sizeof(rows) / sizeof((rows)[0])                                           \
    }
/* clang-format off */
#define REPR_STRING(owner, field, name_, flags_, min_bytes, max_bytes) \
    { .name = (name_), .type = REPR_TYPE_STRING, .flags = (flags_), .min = (min_bytes), .max = (max_bytes), \
      .offset = REPR_AT(owner, field, const char *) }
/* A required whole number: int64_t. */
#define REPR_INT(owner, field, name_, min_, max_) \
    { .name = (name_), .type = REPR_TYPE_INT, .flags = REPR_REQUIRED, .min = (min_), .max = (max_), \
      .offset = REPR_AT(owner, field, int64_t) }
#define REPR_INT_OPTIONAL(owner, field, name_, flags_, min_, max_) \
    { .name = (name_), .type = REPR_TYPE_INT, .flags = (flags_), .min = (min_), .max = (max_), \
      .offset = REPR_AT(owner, field, struct repr_int) }
/* A required truth value: bool. */
#define REPR_BOOL(owner, field, name_) \
    { .name = (name_), .type = REPR_TYPE_BOOL, .flags = REPR_REQUIRED, .offset = REPR_AT(owner, field, bool) }
#define REPR_BOOL_OPTIONAL(owner, field, name_, flags_) \
    { .name = (name_), .type = REPR_TYPE_BOOL, .flags = (flags_), .offset = REPR_AT(owner, field, struct repr_bool) }
/* A required instant: int64_t, ms since 1970. */
#define REPR_DATE_TIME(owner, field, name_) \
    { .name = (name_), .type = REPR_TYPE_DATE_TIME, .flags = REPR_REQUIRED, .offset = REPR_AT(owner, field, int64_t) }
#define REPR_DATE_TIME_OPTIONAL(owner, field, name_, flags_) \
    { .name = (name_), .type = REPR_TYPE_DATE_TIME, .flags = (flags_), .offset = REPR_AT(owner, field, struct repr_int) }
#define REPR_ENUM(owner, field, name_, flags_, names) \
    { .name = (name_), .type = REPR_TYPE_ENUM, .flags = (flags_), .enum_names = (names), \
      .offset = REPR_AT(owner, field, int) }
#define REPR_OBJECT(owner, field, name_, flags_, repr_) \
    { .name = (name_), .type = REPR_TYPE_OBJECT, .flags = (flags_), .object = (repr_), \
      .offset = REPR_AT(owner, field, void *) }
#define REPR_ANY(owner, field, name_, flags_) \
    { .name = (name_), .type = REPR_TYPE_ANY, .flags = (flags_), .offset = REPR_AT(owner, field, const cJSON *) }
/* Arrays. items_max 0: no limit. */
#define REPR_STRINGS(owner, field, name_, flags_, items_max_, max_bytes) \
    { .name = (name_), .type = REPR_TYPE_STRING, .flags = (flags_), .is_array = true, .items_max = (items_max_), \
      .max = (max_bytes), .offset = REPR_AT(owner, field, struct repr_array) }
#define REPR_INTS(owner, field, name_, flags_, items_max_, min_, max_) \
    { .name = (name_), .type = REPR_TYPE_INT, .flags = (flags_), .is_array = true, .items_max = (items_max_), \
      .min = (min_), .max = (max_), .offset = REPR_AT(owner, field, struct repr_array) }
#define REPR_ENUMS(owner, field, name_, flags_, items_max_, names) \
    { .name = (name_), .type = REPR_TYPE_ENUM, .flags = (flags_), .is_array = true, .items_max = (items_max_), \
      .enum_names = (names), .offset = REPR_AT(owner, field, struct repr_array) }
#define REPR_OBJECTS(owner, field, name_, flags_, items_max_, repr_) \
    { .name = (name_), .type = REPR_TYPE_OBJECT, .flags = (flags_), .is_array = true, .items_max = (items_max_), \
      .object = (repr_), .offset = REPR_AT(owner, field, struct repr_array) }
/* clang-format on */

/* Reads a JSON object into out (repr->size_bytes; cleared first). -EINVAL: the diag names the
 * member, "filter.selectors[0].ids[2]: string expected, got a number"; -ENOMEM. On an error out is
 * cleared. */
int repr_read(const struct repr *repr, const cJSON *json, struct arena *arena, void *out,
              struct diag *diag);
/* Checks a struct as reading would check its text: required members, limits, enum range. */
int repr_check(const struct repr *repr, const void *data, struct diag *diag);
/* Appends the JSON text. -EINVAL when a required member is absent (nothing useful was appended),
 * -ENOMEM. */
int repr_write(const struct repr *repr, const void *data, struct buf *out);
/* The same for a JSON array of count objects side by side. */
int repr_write_array(const struct repr *repr, const void *items, size_t count, struct buf *out);

/* ISO-8601 instants (RFC 3339 profile: "2025-03-04T07:58:12.000Z", offsets and missing fractions
 * accepted). -EINVAL when the text is no instant; the output is left alone then. */
int repr_date_time_parse(const char *text, int64_t *ret_at_ms);
enum { REPR_DATE_TIME_CHARS = 32 };
void repr_date_time_format(int64_t at_ms, char out[REPR_DATE_TIME_CHARS]); /* UTC with ms and Z */

#endif
