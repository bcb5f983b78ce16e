/* settings_table.h - reads a JSON object into a plain struct as a table says, and lists every
 * mistake with its place ("https_port: must be …", "pbx[1].port: must be …"). Pure. */
#ifndef OG_GATEWAY_SETTINGS_TABLE_H
#define OG_GATEWAY_SETTINGS_TABLE_H

#include "lib/common/buf.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

enum settings_kind {                     /* the member in the struct */
                     SETTINGS_TEXT,      /* char[chars]: printable ASCII */
                     SETTINGS_SECRET,    /* char[chars]: any text; never shown */
                     SETTINGS_PATH,      /* char[chars]: absolute */
                     SETTINGS_URL,       /* char[chars]: https://host or https://host:port */
                     SETTINGS_LEVEL,     /* char[chars]: a log level */
                     SETTINGS_ADDRESS,   /* char[chars]: numeric IPv4 or IPv6 */
                     SETTINGS_CHOICE,    /* char[chars]: one of choices */
                     SETTINGS_BOOL,      /* bool */
                     SETTINGS_INT,       /* int64_t */
                     SETTINGS_TEXTS,     /* char[max][chars], unsigned at count_offset */
                     SETTINGS_ADDRESSES, /* the same, numeric addresses */
                     SETTINGS_CHOICES,   /* the same, each one of choices */
                     SETTINGS_OBJECTS,   /* item->item_bytes × max, unsigned at count_offset */
};

struct settings_list;
struct settings_row {
    const char *key;
    enum settings_kind kind;
    size_t offset, count_offset; /* count_offset: of the number of entries of a list */
    size_t chars;                /* room for one text with its NUL */
    int64_t min, max;            /* of a number, or of the number of entries */
    const char *otherwise;       /* default, a list's separated by spaces; NULL: must be given */
    const char *meaning;
    const char *choices; /* "ecma354 none" */
    const struct settings_list *item;
};
struct settings_list {
    const struct settings_row *rows;
    size_t row_count, item_bytes;
};

#define SETTINGS_AT(type, member)                                                                  \
    .offset = offsetof(type, member), .chars = sizeof(((type *)0)->member)
#define SETTINGS_LIST(type, member, count)                                                         \
    .offset = offsetof(type, member), .count_offset = offsetof(type, count),                       \
    .chars = sizeof(((type *)0)->member[0])

/* base: the struct, zeroed. Mistakes are appended to problems, one line each. */
void settings_table_read(const struct settings_list *table, const cJSON *json, void *base,
                         struct buf *problems);
/* Appends one line per key: name, meaning, default; an object's keys are indented below it. */
void settings_table_describe(const struct settings_list *table, struct buf *out);

#endif
