/* csta_private.h - what the tables of messages are made of. One row stands for one child element;
 * reader, writer and check walk the same rows. */
#ifndef OG_CSTA_PRIVATE_H
#define OG_CSTA_PRIVATE_H

#include "lib/csta/csta.h"

/* Kinds of content, and the type of the field behind them. */
enum csta_kind {
    CSTA_KIND_TEXT,        /* const char * */
    CSTA_KIND_HEX,         /* const char *: hexadecimal digits, an even number of them */
    CSTA_KIND_CAUSE,       /* const char *: EventCause */
    CSTA_KIND_NUMBER,      /* struct csta_number */
    CSTA_KIND_BOOL,        /* struct csta_bool */
    CSTA_KIND_LOCAL,       /* enum csta_local */
    CSTA_KIND_ORIGINATE,   /* enum csta_originate */
    CSTA_KIND_DEVICE,      /* struct csta_device: DeviceID */
    CSTA_KIND_CONNECTION,  /* struct csta_connection: ConnectionID */
    CSTA_KIND_PARTY,       /* struct csta_party: Subject-, Calling-, CalledDeviceID */
    CSTA_KIND_REDIRECTION, /* struct csta_party: RedirectionDeviceID */
    CSTA_KIND_ERROR, /* enum csta_error; its value's text at more_offset. Any category's name */
    CSTA_KIND_GROUP, /* no field: `table` says what stands inside */
    CSTA_KIND_LIST,  /* const items *, size_t count at more_offset; `item` is repeated inside */
};

/* The schema's mandatory children: without a MUST the message means nothing, reading and writing
 * fail; a SHOULD that products leave out, or that has a neutral word (`fallback`), is let pass in
 * reading and written as the fallback. csta_check() demands both. */
enum csta_need { CSTA_MAY, CSTA_SHOULD, CSTA_MUST };

struct csta_table;
struct csta_row {
    const char *name;
    enum csta_kind kind;
    enum csta_need need;
    size_t offset;
    size_t more_offset;             /* ERROR, LIST */
    size_t set_offset;              /* LIST: bool "there is one, perhaps empty"; 0: none */
    size_t item_bytes;              /* LIST */
    const struct csta_row *item;    /* LIST: one element of it, relative to the item */
    const struct csta_table *table; /* GROUP */
    const char *fallback;           /* text; for parties and groups the name of an empty element */
};

struct csta_table {
    const struct csta_row *rows;
    size_t count;
    bool choice; /* exactly one of the rows */
};

const struct csta_table *csta__table(enum csta_type type); /* empty for UNKNOWN */
/* The row for an element of that name; NULL: none. */
const struct csta_row *csta__row(const struct csta_table *table, const char *name);
bool csta__is_session(enum csta_type type);
enum csta_type csta__type(const char *name);

/* Is the row's field set in its owner? */
bool csta__is_set(const struct csta_row *row, const void *owner);

/* Values by name; ABSENT: none of them. */
enum csta_error csta__error(const char *name);
enum csta_local csta__local(const char *name);
enum csta_originate csta__originate(const char *name);
const char *csta__originate_name(enum csta_originate originate); /* NULL for ABSENT */
/* The element of a kind of party inside the element of that kind; NULL where it cannot stand. */
const char *csta__party_name(enum csta_kind kind, enum csta_party_kind party);
bool csta__is_hex(const char *text);

#endif
