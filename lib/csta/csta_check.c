/* The strict look at what we send ourselves: reading forgives, so a message that reads well may
 * still be one that a stricter peer refuses. */
#include "lib/csta/csta_private.h"

#include "lib/common/common.h"
#include "lib/common/xml.h"

#include <errno.h>
#include <string.h>

DEFINE_FREEP(xml_freep, struct xml *, xml_free)

static int check_table(const struct csta_table *table, const char *fallback,
                       const struct xml_node *node, struct diag *diag);

static int check_row(const struct csta_row *row, const struct xml_node *node, struct diag *diag)
{
    if (row->kind == CSTA_KIND_GROUP)
        return check_table(row->table, row->fallback, node, diag);
    if (row->kind == CSTA_KIND_LIST) {
        const struct csta_table items = {.rows = row->item, .count = 1};
        for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child))
            if (csta__row(&items, xml_name(child)) == NULL)
                return diag_fail(diag, -EPROTO, "<%s> does not belong into <%s>", xml_name(child),
                                 xml_name(node));
            else if (check_row(row->item, child, diag) < 0)
                return -EPROTO;
        return 0;
    }
    if (row->kind == CSTA_KIND_CAUSE && !csta_cause_known(xml_text(node)))
        return diag_fail(diag, -EPROTO, "<%s>: \"%s\" is no cause of the standard", row->name,
                         xml_text(node));
    return 0;
}

static int check_order(const struct csta_table *table, const char *fallback,
                       const struct xml_node *node, struct diag *diag)
{
    size_t next = 0; /* the first row that may still come */
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child)) {
        if (fallback != NULL && strcmp(xml_name(child), fallback) == 0)
            continue;
        const struct csta_row *row = csta__row(table, xml_name(child));
        if (row == NULL || row < table->rows + next)
            return diag_fail(diag, -EPROTO, "<%s> in <%s>: %s", xml_name(child), xml_name(node),
                             row == NULL ? "does not belong there"
                                         : "stands too late or a second time");
        next = (size_t)(row - table->rows) + 1;
        int r = check_row(row, child, diag);
        if (r < 0)
            return r;
    }
    return 0;
}

static unsigned count_children(const struct xml_node *node, const char *name)
{
    unsigned count = 0;
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child))
        count += name == NULL || strcmp(xml_name(child), name) == 0;
    return count;
}

static int check_table(const struct csta_table *table, const char *fallback,
                       const struct xml_node *node, struct diag *diag)
{
    int r = check_order(table, fallback, node, diag);
    if (r < 0)
        return r;
    if (table->choice)
        return count_children(node, NULL) == 1
                   ? 0
                   : diag_fail(diag, -EPROTO, "<%s> holds not exactly one element", xml_name(node));
    for (size_t i = 0; i < table->count; i++) {
        const struct csta_row *row = &table->rows[i];
        if (row->need != CSTA_MAY && row->kind != CSTA_KIND_ERROR &&
            count_children(node, row->name) == 0)
            return diag_fail(diag, -EPROTO, "<%s> without its <%s>", xml_name(node), row->name);
    }
    return 0;
}

/* In which edition it is the same again: tried, since reading has dropped the name space. */
static int check_same_again(const struct csta_message *message, const char *xml, size_t len_bytes,
                            struct diag *diag)
{
    AUTO(buf_done) struct buf again = {0};
    for (int version = CSTA_ED3; version < CSTA_VERSION_COUNT; version++) {
        buf_clear(&again);
        int r = csta_write(message, (enum csta_version)version, &again, diag);
        if (r < 0)
            return r;
        if (again.len_bytes == len_bytes && memcmp(again.data, xml, len_bytes) == 0)
            return 0;
    }
    return diag_fail(diag, -EPROTO, "%s: not as it would be written: %.200s",
                     csta_type_name(message->type), again.data);
}

static int check_known(const struct csta_message *message, const char *xml, size_t len_bytes,
                       struct diag *diag)
{
    if (message->type == CSTA_UNKNOWN && csta__type(message->name) != CSTA_UNKNOWN)
        return -EPROTO; /* reading has said why */
    if (message->type == CSTA_UNKNOWN)
        return diag_fail(diag, -EPROTO, "<%s> is no known message", message->name);
    AUTO(xml_freep) struct xml *tree = NULL;
    int r = xml_parse_message(xml, len_bytes, &tree, diag);
    if (r == 0)
        r = check_table(csta__table(message->type), NULL, xml_root(tree), diag);
    if (r == 0)
        r = check_same_again(message, xml, len_bytes, diag);
    return r < 0 ? diag_within(diag, -EPROTO, "%s", message->name) : 0;
}

int csta_check(const char *xml, size_t len_bytes, struct diag *diag)
{
    struct csta_message message = {0};
    int r = csta_read(xml, len_bytes, &message, diag);
    if (r < 0)
        return r;
    r = check_known(&message, xml, len_bytes, diag);
    csta_message_done(&message);
    return r;
}
