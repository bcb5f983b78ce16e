#include "lib/csta/csta_private.h"

#include "lib/common/common.h"
#include "lib/common/utf8.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char session_uri[] =
    "http://www.ecma-international.org/standards/ecma-354/appl_session";

struct writing {
    struct buf *out;
    const char *message; /* name of the message, for errors */
    struct diag *diag;
};

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool is_connection(const struct csta_connection *connection)
{
    return has_text(connection->call_id) || has_text(connection->device.id);
}

static bool group_set(const struct csta_table *table, const void *owner)
{
    for (size_t i = 0; i < table->count; i++)
        if (csta__is_set(&table->rows[i], owner))
            return true;
    return false;
}

static size_t list_count(const struct csta_row *row, const void *owner)
{
    return *(const size_t *)(const void *)((const char *)owner + row->more_offset);
}

static bool list_set(const struct csta_row *row, const void *owner)
{
    return list_count(row, owner) > 0 ||
           (row->set_offset != 0 &&
            *(const bool *)(const void *)((const char *)owner + row->set_offset));
}

bool csta__is_set(const struct csta_row *row, const void *owner)
{
    const void *field = (const char *)owner + row->offset;
    switch (row->kind) {
    case CSTA_KIND_TEXT:
    case CSTA_KIND_CAUSE:
    case CSTA_KIND_HEX:
        return has_text(*(const char *const *)field);
    case CSTA_KIND_NUMBER:
        return ((const struct csta_number *)field)->set;
    case CSTA_KIND_BOOL:
        return ((const struct csta_bool *)field)->set;
    case CSTA_KIND_LOCAL:
        return *(const enum csta_local *)field != CSTA_LOCAL_ABSENT;
    case CSTA_KIND_ORIGINATE:
        return *(const enum csta_originate *)field != CSTA_ORIGINATE_ABSENT;
    case CSTA_KIND_DEVICE:
        return has_text(((const struct csta_device *)field)->id);
    case CSTA_KIND_CONNECTION:
        return is_connection(field);
    case CSTA_KIND_PARTY:
    case CSTA_KIND_REDIRECTION:
        return ((const struct csta_party *)field)->kind != CSTA_PARTY_ABSENT;
    case CSTA_KIND_ERROR:
        return *(const enum csta_error *)field != CSTA_ERROR_ABSENT;
    case CSTA_KIND_GROUP:
        return group_set(row->table, owner);
    case CSTA_KIND_LIST:
        return list_set(row, owner);
    }
    return false;
}

/* XML 1.0 has no other control characters, and not the two last code points of its first plane. */
static bool is_character(uint32_t code)
{
    return code >= 0x20 ? code != 0xfffe && code != 0xffff
                        : code == '\t' || code == '\n' || code == '\r';
}

static void add_character(struct buf *out, uint32_t code)
{
    static const char *const names[] = {
        ['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;"};
    if (code < 0x20 || code >= 0x7f)
        buf_addf(out, "&#%" PRIu32 ";", code);
    else if (code < COUNT_OF(names) && names[code] != NULL)
        buf_adds(out, names[code]);
    else
        buf_add(out, &(const char){(char)code}, 1);
}

static int add_text(const struct writing *writing, const char *name, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        uint32_t code = 0;
        size_t used = utf8_next(text, left, &code);
        if (used == 0 || !is_character(code))
            return diag_fail(writing->diag, -EINVAL, "%s: <%s> holds what is no text in XML",
                             writing->message, name);
        add_character(writing->out, code);
        text += used;
        left -= used;
    }
    return 0;
}

static void add_open(const struct writing *writing, const char *name)
{
    buf_addf(writing->out, "<%s>", name);
}

static void add_close(const struct writing *writing, const char *name)
{
    buf_addf(writing->out, "</%s>", name);
}

static void add_empty(const struct writing *writing, const char *name)
{
    buf_addf(writing->out, "<%s/>", name);
}

static int write_text(const struct writing *writing, const char *name, const char *text)
{
    if (text[0] == '\0') {
        add_empty(writing, name);
        return 0;
    }
    add_open(writing, name);
    int r = add_text(writing, name, text);
    add_close(writing, name);
    return r;
}

static int write_hex(const struct writing *writing, const char *name, const char *text)
{
    if (!csta__is_hex(text))
        return diag_fail(writing->diag, -EINVAL, "%s: <%s> must be hexadecimal digits",
                         writing->message, name);
    return write_text(writing, name, text);
}

static int write_device(const struct writing *writing, const char *name,
                        const struct csta_device *device)
{
    buf_addf(writing->out, "<%s", name);
    int r = 0;
    if (device->type_of_number != NULL) {
        buf_adds(writing->out, " typeOfNumber=\"");
        r = add_text(writing, name, device->type_of_number);
        buf_adds(writing->out, "\"");
    }
    buf_adds(writing->out, ">");
    if (r == 0)
        r = add_text(writing, name, device->id);
    add_close(writing, name);
    return r;
}

static int write_connection(const struct writing *writing, const char *name,
                            const struct csta_connection *connection)
{
    add_open(writing, name);
    int r = has_text(connection->call_id) ? write_text(writing, "callID", connection->call_id) : 0;
    if (r == 0 && has_text(connection->device.id))
        r = write_device(writing, "deviceID", &connection->device);
    add_close(writing, name);
    return r;
}

static int write_party(const struct writing *writing, const struct csta_row *row,
                       const struct csta_party *party)
{
    const char *name = csta__party_name(row->kind, party->kind);
    if (name == NULL || (party->kind == CSTA_PARTY_DEVICE && !has_text(party->device.id)))
        return diag_fail(writing->diag, -EINVAL, "%s: <%s> cannot be of this kind",
                         writing->message, row->name);
    add_open(writing, row->name);
    int r = 0;
    if (party->kind == CSTA_PARTY_DEVICE)
        r = write_device(writing, name, &party->device);
    else
        add_empty(writing, name);
    add_close(writing, row->name);
    return r;
}

static int write_error(const struct writing *writing, const struct csta_row *row, const char *owner)
{
    enum csta_error error = *(const enum csta_error *)(const void *)(owner + row->offset);
    const char *value = *(const char *const *)(const void *)(owner + row->more_offset);
    if (error >= CSTA_ERROR_COUNT)
        return diag_fail(writing->diag, -EINVAL, "%s: no such category", writing->message);
    return write_text(writing, csta_error_name(error), value != NULL ? value : "");
}

static int write_table(const struct writing *writing, const struct csta_table *table,
                       const char *owner);
static int write_row(const struct writing *writing, const struct csta_row *row, const char *owner);

static int write_list(const struct writing *writing, const struct csta_row *row, const char *owner)
{
    size_t count = list_count(row, owner);
    if (count == 0) {
        add_empty(writing, row->name);
        return 0;
    }
    const char *items = *(const char *const *)(const void *)(owner + row->offset);
    add_open(writing, row->name);
    for (size_t i = 0; i < count; i++) {
        const char *item = items + i * row->item_bytes;
        if (!csta__is_set(row->item, item))
            return diag_fail(writing->diag, -EINVAL, "%s: <%s> number %zu is empty",
                             writing->message, row->item->name, i + 1);
        int r = write_row(writing, row->item, item);
        if (r < 0)
            return r;
    }
    add_close(writing, row->name);
    return 0;
}

static int write_group(const struct writing *writing, const struct csta_row *row, const char *owner)
{
    add_open(writing, row->name);
    int r = write_table(writing, row->table, owner);
    add_close(writing, row->name);
    return r;
}

static int write_local(const struct writing *writing, const char *name, enum csta_local local)
{
    if (local >= CSTA_LOCAL_COUNT)
        return diag_fail(writing->diag, -EINVAL, "%s: <%s> is no connection state",
                         writing->message, name);
    return write_text(writing, name, csta_local_name(local));
}

static int write_originate(const struct writing *writing, const char *name,
                           enum csta_originate originate)
{
    const char *text = csta__originate_name(originate);
    if (text == NULL)
        return diag_fail(writing->diag, -EINVAL, "%s: <%s> has no such word", writing->message,
                         name);
    return write_text(writing, name, text);
}

static int write_row(const struct writing *writing, const struct csta_row *row, const char *owner)
{
    const void *field = owner + row->offset;
    switch (row->kind) {
    case CSTA_KIND_TEXT:
    case CSTA_KIND_CAUSE:
        return write_text(writing, row->name, *(const char *const *)field);
    case CSTA_KIND_HEX:
        return write_hex(writing, row->name, *(const char *const *)field);
    case CSTA_KIND_NUMBER:
        buf_addf(writing->out, "<%s>%" PRId64 "</%s>", row->name,
                 ((const struct csta_number *)field)->value, row->name);
        return 0;
    case CSTA_KIND_BOOL:
        return write_text(writing, row->name,
                          ((const struct csta_bool *)field)->value ? "true" : "false");
    case CSTA_KIND_LOCAL:
        return write_local(writing, row->name, *(const enum csta_local *)field);
    case CSTA_KIND_ORIGINATE:
        return write_originate(writing, row->name, *(const enum csta_originate *)field);
    case CSTA_KIND_DEVICE:
        return write_device(writing, row->name, field);
    case CSTA_KIND_CONNECTION:
        return write_connection(writing, row->name, field);
    case CSTA_KIND_PARTY:
    case CSTA_KIND_REDIRECTION:
        return write_party(writing, row, field);
    case CSTA_KIND_ERROR:
        return write_error(writing, row, owner);
    case CSTA_KIND_GROUP:
        return write_group(writing, row, owner);
    case CSTA_KIND_LIST:
        return write_list(writing, row, owner);
    }
    return -EINVAL;
}

/* What is to be said where nothing is set. */
static int write_absent(const struct writing *writing, const struct csta_row *row)
{
    if (row->need == CSTA_MUST && row->kind == CSTA_KIND_LIST && row->set_offset != 0) {
        add_empty(writing, row->name);
        return 0;
    }
    if (row->need == CSTA_MUST)
        return diag_fail(writing->diag, -EINVAL, "%s: <%s> is not set", writing->message,
                         row->name);
    if (row->need == CSTA_MAY || row->fallback == NULL)
        return 0;
    if (row->kind == CSTA_KIND_ERROR)
        add_empty(writing, row->fallback);
    else if (row->kind == CSTA_KIND_TEXT || row->kind == CSTA_KIND_CAUSE)
        return write_text(writing, row->name, row->fallback);
    else
        buf_addf(writing->out, "<%s><%s/></%s>", row->name, row->fallback, row->name);
    return 0;
}

static int write_table(const struct writing *writing, const struct csta_table *table,
                       const char *owner)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct csta_row *row = &table->rows[i];
        bool set = csta__is_set(row, owner);
        int r = set ? write_row(writing, row, owner) : write_absent(writing, row);
        if (r < 0)
            return r;
        if (set && table->choice)
            break;
    }
    return 0;
}

static int write_message(const struct csta_message *message, enum csta_version version,
                         const struct writing *writing)
{
    const char *uri = csta__is_session(message->type) ? session_uri : csta_version_uri(version);
    if (message->type <= CSTA_UNKNOWN || message->type >= CSTA_TYPE_COUNT || uri[0] == '\0')
        return diag_fail(writing->diag, -EINVAL, "a CSTA message of no known type or edition");
    buf_addf(writing->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><%s xmlns=\"%s\"",
             writing->message, uri);
    size_t head_bytes = writing->out->len_bytes;
    buf_adds(writing->out, ">");
    int r = write_table(writing, csta__table(message->type), (const char *)message);
    if (r < 0)
        return r;
    if (writing->out->len_bytes > head_bytes + 1)
        add_close(writing, writing->message);
    else {
        writing->out->len_bytes = head_bytes;
        buf_adds(writing->out, "/>");
    }
    return 0;
}

int csta_write(const struct csta_message *message, enum csta_version version, struct buf *out,
               struct diag *diag)
{
    size_t before_bytes = out->len_bytes;
    const struct writing writing = {
        .out = out, .message = csta_type_name(message->type), .diag = diag};
    int r = write_message(message, version, &writing);
    if (r == 0 && out->failed)
        r = diag_fail(diag, -ENOMEM, "%s: not enough memory", writing.message);
    if (r == 0 && out->len_bytes - before_bytes > CSTA_XML_BYTES_MAX)
        r = diag_fail(diag, -EMSGSIZE, "%s: larger than a frame takes", writing.message);
    if (r < 0)
        out->len_bytes = before_bytes;
    return r;
}

int csta_write_frame(const struct csta_message *message, enum csta_version version, unsigned invoke,
                     struct buf *out, struct diag *diag)
{
    AUTO(buf_done) struct buf xml = {0};
    int r = csta_write(message, version, &xml, diag);
    if (r < 0)
        return r;
    r = csta_frame_write(out, invoke, xml.data, xml.len_bytes);
    return r == 0 ? 0 : diag_fail(diag, r, "%s: no frame for it", csta_type_name(message->type));
}
