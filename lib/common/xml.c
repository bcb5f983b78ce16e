/* libxml2 reads the text, with the doors shut; what comes out is copied into a small tree of our
 * own, so that no caller meets name spaces, entity nodes or half a dozen kinds of text. */
#include "lib/common/xml.h"

#include "lib/common/common.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 20, DEPTH_MAX = 32, ATTRIBUTES_MAX = 64 };

struct attribute {
    char *name, *value;
};

struct xml_node {
    char *name;
    char *text; /* NULL when there are child elements */
    struct attribute *attributes;
    unsigned attribute_count;
    unsigned line;
    struct xml_node *child, *next;
};

struct xml {
    struct xml_node *root;
};

struct copying {
    bool foreign; /* xml_parse_message() */
    struct diag *diag;
};

static void free_nodes(struct xml_node *node)
{
    while (node != NULL) {
        struct xml_node *next = node->next;
        free_nodes(node->child); /* not deeper than DEPTH_MAX */
        for (unsigned i = 0; i < node->attribute_count; i++) {
            free(node->attributes[i].name);
            free(node->attributes[i].value);
        }
        free(node->attributes);
        free(node->name);
        free(node->text);
        free(node);
        node = next;
    }
}

void xml_free(struct xml *xml)
{
    if (xml != NULL)
        free_nodes(xml->root);
    free(xml);
}

DEFINE_FREEP(xml_freep, struct xml *, xml_free)
DEFINE_FREEP(doc_freep, xmlDocPtr, xmlFreeDoc)
DEFINE_FREEP(context_freep, xmlParserCtxtPtr, xmlFreeParserCtxt)

static char *copy_trimmed(const xmlChar *text)
{
    static const char blanks[] = " \t\r\n";
    const char *start = (const char *)text;
    start += strspn(start, blanks);
    size_t len = strlen(start);
    while (len > 0 && strchr(blanks, start[len - 1]) != NULL)
        len--;
    return strndup(start, len);
}

static bool has_child_element(const xmlNode *from)
{
    for (const xmlNode *each = from->children; each != NULL; each = each->next)
        if (each->type == XML_ELEMENT_NODE)
            return true;
    return false;
}

static bool has_loose_text(const xmlNode *from)
{
    for (const xmlNode *each = from->children; each != NULL; each = each->next)
        if (each->type == XML_CDATA_SECTION_NODE ||
            (each->type == XML_TEXT_NODE && xmlIsBlankNode(each) == 0))
            return true;
    return false;
}

/* A prefix that nobody has declared is left in the name by libxml2. */
static char *copy_name(const struct copying *copying, const xmlChar *name)
{
    const char *colon = copying->foreign ? strrchr((const char *)name, ':') : NULL;
    return strdup(colon != NULL && colon[1] != '\0' ? colon + 1 : (const char *)name);
}

static int copy_attributes(const struct copying *copying, struct xml_node *node, xmlNode *from)
{
    unsigned count = 0;
    for (const xmlAttr *each = from->properties; each != NULL; each = each->next)
        count++;
    node->attributes = calloc(count > 0 ? count : 1, sizeof(*node->attributes));
    if (node->attributes == NULL)
        return diag_fail(copying->diag, -ENOMEM, "not enough memory");
    for (const xmlAttr *each = from->properties; each != NULL; each = each->next) {
        if (each->ns != NULL && copying->foreign)
            continue;
        if (each->ns != NULL)
            return diag_fail(copying->diag, -EINVAL, "line %u: name spaces are not used here",
                             node->line);
        struct attribute *attribute = &node->attributes[node->attribute_count++];
        AUTO(common_freep) xmlChar *value = xmlNodeListGetString(from->doc, each->children, 1);
        attribute->name = copy_name(copying, each->name);
        attribute->value = strdup(value != NULL ? (const char *)value : "");
        if (attribute->name == NULL || attribute->value == NULL)
            return diag_fail(copying->diag, -ENOMEM, "not enough memory");
    }
    return 0;
}

/* Comments between pieces of text are left out of it. */
static int copy_text(const struct copying *copying, struct xml_node *node, xmlNode *from)
{
    xmlBufferPtr all = xmlBufferCreate();
    int r = all != NULL ? 0 : -1;
    for (const xmlNode *each = from->children; each != NULL && r == 0; each = each->next)
        if (each->type == XML_TEXT_NODE || each->type == XML_CDATA_SECTION_NODE)
            r = xmlBufferCat(all, each->content);
    if (r == 0)
        node->text = copy_trimmed(xmlBufferContent(all));
    xmlBufferFree(all);
    return node->text != NULL ? 0 : diag_fail(copying->diag, -ENOMEM, "not enough memory");
}

static int copy_element(const struct copying *copying, xmlNode *from, int depth,
                        struct xml_node **ret_node);

static int copy_children(const struct copying *copying, struct xml_node *node, xmlNode *from,
                         int depth)
{
    if (!has_child_element(from))
        return copy_text(copying, node, from);
    if (!copying->foreign && has_loose_text(from))
        return diag_fail(copying->diag, -EINVAL,
                         "line %u: text stands between the elements of <%s>", node->line,
                         node->name);
    struct xml_node **end = &node->child;
    for (xmlNode *each = from->children; each != NULL; each = each->next) {
        if (each->type != XML_ELEMENT_NODE)
            continue;
        int r = copy_element(copying, each, depth + 1, end);
        if (r < 0)
            return r;
        end = &(*end)->next;
    }
    return 0;
}

/* *ret_node is linked in at once, so that a half-built tree is freed as a whole. */
static int copy_element(const struct copying *copying, xmlNode *from, int depth,
                        struct xml_node **ret_node)
{
    struct xml_node *node = calloc(1, sizeof(*node));
    if (node == NULL)
        return diag_fail(copying->diag, -ENOMEM, "not enough memory");
    *ret_node = node;
    node->line = (unsigned)xmlGetLineNo(from);
    node->name = copy_name(copying, from->name);
    if (node->name == NULL)
        return diag_fail(copying->diag, -ENOMEM, "not enough memory");
    if (depth > DEPTH_MAX)
        return diag_fail(copying->diag, -EINVAL, "line %u: elements are nested too deeply",
                         node->line);
    if (!copying->foreign && (from->ns != NULL || from->nsDef != NULL))
        return diag_fail(copying->diag, -EINVAL, "line %u: name spaces are not used here",
                         node->line);

    int r = copy_attributes(copying, node, from);
    return r < 0 ? r : copy_children(copying, node, from, depth);
}

/* The rest of a piece that is no element: comment, CDATA, processing instruction. NULL: this is an
 * element. */
static const char *skip_other(const char *at, const char *end)
{
    static const struct {
        const char *begin, *end;
    } others[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        size_t begin_chars = strlen(others[i].begin), left = (size_t)(end - at);
        if (left < begin_chars || memcmp(at, others[i].begin, begin_chars) != 0)
            continue;
        const char *stop =
            memmem(at + begin_chars, left - begin_chars, others[i].end, strlen(others[i].end));
        return stop != NULL ? stop : end;
    }
    return NULL;
}

/* Counts the attributes of the tag that begins here; *ret_end is behind it. */
static unsigned count_attributes(const char *at, const char *end, const char **ret_end)
{
    unsigned count = 0;
    char quote = '\0';
    for (; at < end && (quote != '\0' || *at != '>'); at++) {
        if (quote == '\0' && (*at == '"' || *at == '\'')) {
            quote = *at;
            count++;
        } else if (*at == quote) {
            quote = '\0';
        }
    }
    *ret_end = at;
    return count;
}

/* libxml2 compares each attribute with each other one of its element: ten thousand of them in one
 * tag would hold everything up. So they are counted before it sees them. */
static bool has_crowded_tag(const char *text, size_t len_bytes)
{
    const char *end = text + len_bytes;
    for (const char *at = text; at < end;) {
        at = memchr(at, '<', (size_t)(end - at));
        if (at == NULL)
            return false;
        const char *other = skip_other(at, end);
        if (other != NULL)
            at = other;
        else if (count_attributes(at + 1, end, &at) > ATTRIBUTES_MAX)
            return true;
    }
    return false;
}

/* A document type can declare entities: files to be read, texts that grow without end. Stopping at
 * its first word leaves none of that to libxml2's own limits. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *id, const xmlChar *system)
{
    xmlParserCtxtPtr parser = context;
    (void)name;
    (void)id;
    (void)system;
    *(bool *)parser->_private = true;
    xmlStopParser(parser);
}

static int parse_error(xmlParserCtxtPtr parser, struct diag *diag)
{
    const xmlError *error = xmlCtxtGetLastError(parser);
    if (error == NULL || error->message == NULL)
        return diag_fail(diag, -EINVAL, "this is no XML");
    if (error->code == XML_ERR_NO_MEMORY)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    return diag_fail(diag, -EINVAL, "line %d: %.*s", error->line,
                     (int)strcspn(error->message, "\n"), error->message);
}

static int parse(const char *text, size_t len_bytes, const struct copying *copying,
                 struct xml **ret_xml)
{
    struct diag *diag = copying->diag;
    if (len_bytes > TEXT_BYTES_MAX)
        return diag_fail(diag, -EINVAL, "larger than %d bytes", TEXT_BYTES_MAX);
    if (len_bytes == 0)
        return diag_fail(diag, -EINVAL, "empty");
    if (memchr(text, '\0', len_bytes) != NULL)
        return diag_fail(diag, -EINVAL, "a NUL byte: this is no text");
    if (has_crowded_tag(text, len_bytes))
        return diag_fail(diag, -EINVAL, "an element has more than %d attributes", ATTRIBUTES_MAX);

    AUTO(context_freep) xmlParserCtxtPtr parser = xmlNewParserCtxt();
    AUTO(xml_freep) struct xml *xml = calloc(1, sizeof(*xml));
    if (parser == NULL || xml == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    bool doctype = false;
    parser->_private = &doctype;
    parser->sax->internalSubset = on_doctype;

    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES;
    AUTO(doc_freep)
    xmlDocPtr doc = xmlCtxtReadMemory(parser, text, (int)len_bytes, NULL, "UTF-8", options);
    if (doctype)
        return diag_fail(diag, -EINVAL, "a document type (<!DOCTYPE) is not allowed");
    xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    if (root == NULL || (parser->nsWellFormed == 0 && !copying->foreign))
        return parse_error(parser, diag);

    int r = copy_element(copying, root, 1, &xml->root);
    if (r < 0)
        return r;
    *ret_xml = TAKE(xml);
    return 0;
}

int xml_parse(const char *text, size_t len_bytes, struct xml **ret_xml, struct diag *diag)
{
    const struct copying copying = {.foreign = false, .diag = diag};
    return parse(text, len_bytes, &copying, ret_xml);
}

int xml_parse_message(const char *text, size_t len_bytes, struct xml **ret_xml, struct diag *diag)
{
    const struct copying copying = {.foreign = true, .diag = diag};
    return parse(text, len_bytes, &copying, ret_xml);
}

const struct xml_node *xml_root(const struct xml *xml)
{
    return xml->root;
}

const struct xml_node *xml_child(const struct xml_node *node)
{
    return node->child;
}

const struct xml_node *xml_next(const struct xml_node *node)
{
    return node->next;
}

const char *xml_name(const struct xml_node *node)
{
    return node->name;
}

unsigned xml_line(const struct xml_node *node)
{
    return node->line;
}

const char *xml_attribute(const struct xml_node *node, const char *name)
{
    for (unsigned i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return node->attributes[i].value;
    return NULL;
}

const char *xml_text(const struct xml_node *node)
{
    return node->text;
}

const char *xml_attribute_at(const struct xml_node *node, unsigned index, const char **ret_value)
{
    if (index >= node->attribute_count)
        return NULL;
    *ret_value = node->attributes[index].value;
    return node->attributes[index].name;
}
