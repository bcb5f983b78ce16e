#include "lib/csta/csta_private.h"

#include "lib/common/common.h"
#include "lib/common/xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block { /* a list's items stand behind it */
    struct block *next;
    max_align_t items[];
};

struct csta_memory {
    struct xml *xml; /* texts of the message point into it */
    struct block *blocks;
};

struct reading {
    struct csta_memory *memory;
    const char *message; /* name of the message, for errors */
    struct diag *diag;
};

static void memory_free(struct csta_memory *memory)
{
    if (memory == NULL)
        return;
    while (memory->blocks != NULL) {
        struct block *block = memory->blocks;
        memory->blocks = block->next;
        free(block);
    }
    xml_free(memory->xml);
    free(memory);
}

DEFINE_FREEP(memory_freep, struct csta_memory *, memory_free)

static int bad_value(const struct reading *reading, const struct xml_node *node, const char *wanted)
{
    const char *text = xml_text(node);
    return diag_fail(reading->diag, -EPROTO, "%s: <%s> is \"%.40s\", but must be %s",
                     reading->message, xml_name(node), text != NULL ? text : "(elements)", wanted);
}

static int read_text(const struct reading *reading, const struct xml_node *node, const char **field)
{
    const char *text = xml_text(node);
    if (text == NULL)
        return bad_value(reading, node, "a text");
    *field = text;
    return 0;
}

static int read_hex(const struct reading *reading, const struct xml_node *node, const char **field)
{
    const char *text = xml_text(node);
    if (text == NULL || !csta__is_hex(text))
        return bad_value(reading, node, "hexadecimal digits");
    *field = text;
    return 0;
}

static int read_number(const struct reading *reading, const struct xml_node *node,
                       struct csta_number *field)
{
    const char *text = xml_text(node);
    char *end = NULL;
    errno = 0;
    long long value = text != NULL ? strtoll(text, &end, 10) : 0;
    if (text == NULL || end == text || *end != '\0' || errno != 0)
        return bad_value(reading, node, "a whole number");
    *field = (struct csta_number){.value = value, .set = true};
    return 0;
}

static int read_bool(const struct reading *reading, const struct xml_node *node,
                     struct csta_bool *field)
{
    const char *text = xml_text(node);
    bool yes = text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
    bool no = text != NULL && (strcmp(text, "false") == 0 || strcmp(text, "0") == 0);
    if (!yes && !no)
        return bad_value(reading, node, "true or false");
    *field = (struct csta_bool){.set = true, .value = yes};
    return 0;
}

static int read_local(const struct reading *reading, const struct xml_node *node,
                      enum csta_local *field)
{
    const char *text = xml_text(node);
    *field = text != NULL ? csta__local(text) : CSTA_LOCAL_ABSENT;
    return *field != CSTA_LOCAL_ABSENT ? 0 : bad_value(reading, node, "a connection state");
}

static int read_originate(const struct reading *reading, const struct xml_node *node,
                          enum csta_originate *field)
{
    const char *text = xml_text(node);
    *field = text != NULL ? csta__originate(text) : CSTA_ORIGINATE_ABSENT;
    return *field != CSTA_ORIGINATE_ABSENT ? 0 : bad_value(reading, node, "prompt or doNotPrompt");
}

/* An empty identifier is none. */
static int read_device(const struct reading *reading, const struct xml_node *node,
                       struct csta_device *field)
{
    const char *text = xml_text(node);
    if (text == NULL)
        return bad_value(reading, node, "a device identifier");
    if (text[0] != '\0')
        *field = (struct csta_device){
            .id = text,
            .type_of_number = xml_attribute(node, "typeOfNumber"),
        };
    return 0;
}

static const struct xml_node *find_child(const struct xml_node *node, const char *name)
{
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child))
        if (strcmp(xml_name(child), name) == 0)
            return child;
    return NULL;
}

static int read_connection(const struct reading *reading, const struct xml_node *node,
                           struct csta_connection *field)
{
    const struct xml_node *call = find_child(node, "callID"),
                          *device = find_child(node, "deviceID");
    int r = call != NULL ? read_text(reading, call, &field->call_id) : 0;
    if (field->call_id != NULL && field->call_id[0] == '\0')
        field->call_id = NULL;
    return r == 0 && device != NULL ? read_device(reading, device, &field->device) : r;
}

/* What names nobody in any way we know is somebody not known. */
static int read_party(const struct reading *reading, const struct csta_row *row,
                      const struct xml_node *node, struct csta_party *field)
{
    field->kind = CSTA_PARTY_NOT_KNOWN;
    for (int kind = CSTA_PARTY_NOT_KNOWN; kind < CSTA_PARTY_COUNT; kind++) {
        const char *name = csta__party_name(row->kind, (enum csta_party_kind)kind);
        const struct xml_node *child = name != NULL ? find_child(node, name) : NULL;
        if (child == NULL)
            continue;
        int r = kind == CSTA_PARTY_DEVICE ? read_device(reading, child, &field->device) : 0;
        if (kind != CSTA_PARTY_DEVICE || field->device.id != NULL)
            field->kind = (enum csta_party_kind)kind;
        return r;
    }
    return 0;
}

static int read_error(const struct reading *reading, const struct csta_row *row,
                      const struct xml_node *node, char *owner)
{
    enum csta_error error = csta__error(xml_name(node));
    const char *value = NULL;
    int r = read_text(reading, node, &value);
    if (r < 0)
        return r;
    memcpy(owner + row->offset, &error, sizeof(error));
    if (value[0] != '\0')
        memcpy(owner + row->more_offset, &value, sizeof(value));
    return 0;
}

static int read_row(const struct reading *reading, const struct csta_row *row,
                    const struct xml_node *node, char *owner);

static void *new_items(const struct reading *reading, size_t count, size_t item_bytes)
{
    struct block *block = calloc(1, sizeof(*block) + count * item_bytes); /* bounded by the XML */
    if (block == NULL)
        return NULL;
    block->next = reading->memory->blocks;
    reading->memory->blocks = block;
    return block->items;
}

static int read_list(const struct reading *reading, const struct csta_row *row,
                     const struct xml_node *node, char *owner)
{
    size_t count = 0;
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child))
        count += strcmp(xml_name(child), row->item->name) == 0;
    char *items = new_items(reading, count, row->item_bytes);
    if (items == NULL)
        return diag_fail(reading->diag, -ENOMEM, "%s: not enough memory", reading->message);

    char *item = items;
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child)) {
        if (strcmp(xml_name(child), row->item->name) != 0)
            continue;
        int r = read_row(reading, row->item, child, item);
        if (r < 0)
            return r;
        if (!csta__is_set(row->item, item))
            return bad_value(reading, child, "not empty");
        item += row->item_bytes;
    }
    const void *first = items;
    memcpy(owner + row->offset, &first, sizeof(first));
    memcpy(owner + row->more_offset, &count, sizeof(count));
    if (row->set_offset != 0)
        *(bool *)(void *)(owner + row->set_offset) = true;
    return 0;
}

static int read_table(const struct reading *reading, const struct csta_table *table,
                      const struct xml_node *node, char *owner);

static int read_row(const struct reading *reading, const struct csta_row *row,
                    const struct xml_node *node, char *owner)
{
    void *field = owner + row->offset;
    switch (row->kind) {
    case CSTA_KIND_TEXT:
    case CSTA_KIND_CAUSE:
        return read_text(reading, node, field);
    case CSTA_KIND_HEX:
        return read_hex(reading, node, field);
    case CSTA_KIND_NUMBER:
        return read_number(reading, node, field);
    case CSTA_KIND_BOOL:
        return read_bool(reading, node, field);
    case CSTA_KIND_LOCAL:
        return read_local(reading, node, field);
    case CSTA_KIND_ORIGINATE:
        return read_originate(reading, node, field);
    case CSTA_KIND_DEVICE:
        return read_device(reading, node, field);
    case CSTA_KIND_CONNECTION:
        return read_connection(reading, node, field);
    case CSTA_KIND_PARTY:
    case CSTA_KIND_REDIRECTION:
        return read_party(reading, row, node, field);
    case CSTA_KIND_ERROR:
        return read_error(reading, row, node, owner);
    case CSTA_KIND_GROUP:
        return read_table(reading, row->table, node, owner);
    case CSTA_KIND_LIST:
        return read_list(reading, row, node, owner);
    }
    return -EPROTO;
}

/* Of an element that stands there twice the first counts, of a choice the first that is known. */
static int read_table(const struct reading *reading, const struct csta_table *table,
                      const struct xml_node *node, char *owner)
{
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child)) {
        const struct csta_row *row = csta__row(table, xml_name(child));
        if (row == NULL || csta__is_set(row, owner))
            continue;
        int r = read_row(reading, row, child, owner);
        if (r < 0)
            return r;
        if (table->choice)
            break;
    }
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].need == CSTA_MUST && !csta__is_set(&table->rows[i], owner))
            return diag_fail(reading->diag, -EPROTO, "%s: <%s> without a usable <%s>",
                             reading->message, xml_name(node), table->rows[i].name);
    return 0;
}

static void skip_wrapping(const char **xml, size_t *len_bytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (*len_bytes >= 3 && memcmp(*xml, mark, 3) == 0) {
        *xml += 3;
        *len_bytes -= 3;
    }
    while (*len_bytes > 0 && strchr("\r\n\t ", (*xml)[*len_bytes - 1]) != NULL) /* and NUL */
        (*len_bytes)--;
}

/* Of an event that cannot be understood only whose it is: something has changed there. */
static bool read_unknown(const struct xml_node *root, struct csta_message *ret_message)
{
    const struct xml_node *monitor = find_child(root, "monitorCrossRefID");
    *ret_message = (struct csta_message){
        .type = CSTA_UNKNOWN,
        .name = xml_name(root),
        .monitor_id = monitor != NULL ? xml_text(monitor) : NULL,
    };
    return ret_message->monitor_id != NULL;
}

static int read_message(const struct reading *reading, const struct xml_node *root,
                        struct csta_message *ret_message)
{
    struct csta_message message = {.type = csta__type(reading->message), .name = reading->message};
    int r = read_table(reading, csta__table(message.type), root, (char *)&message);
    bool is_event = csta_class(message.type) == CSTA_CLASS_EVENT;
    if (message.type == CSTA_UNKNOWN || (r == -EPROTO && is_event))
        r = read_unknown(root, &message) || r == 0 ? 0 : r;
    if (r == 0)
        *ret_message = message;
    return r;
}

int csta_read(const char *xml, size_t len_bytes, struct csta_message *ret_message,
              struct diag *diag)
{
    AUTO(memory_freep) struct csta_memory *memory = calloc(1, sizeof(*memory));
    if (memory == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    skip_wrapping(&xml, &len_bytes);
    int r = xml_parse_message(xml, len_bytes, &memory->xml, diag);
    if (r < 0)
        return diag_within(diag, r == -ENOMEM ? r : -EPROTO, "CSTA message");

    const struct xml_node *root = xml_root(memory->xml);
    const struct reading reading = {.memory = memory, .message = xml_name(root), .diag = diag};
    struct csta_message message;
    r = read_message(&reading, root, &message);
    if (r < 0)
        return r;
    message.memory = TAKE(memory);
    *ret_message = message;
    return 0;
}

void csta_message_done(struct csta_message *message)
{
    memory_free(message->memory);
    *message = (struct csta_message){0};
}
