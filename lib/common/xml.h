/* xml.h - a small read-only view on XML (libxml2 with limits: no network, no entities, no DTD,
 * 1 MiB, depth 32, 64 attributes), for configuration files and for messages. Every element knows its line. */
#ifndef OG_COMMON_XML_H
#define OG_COMMON_XML_H

#include "lib/common/diag.h"

#include <stddef.h>

struct xml; /* a whole document */
struct xml_node;

/* A file of our own: name spaces and text between elements are errors. */
int xml_parse(const char *text, size_t len_bytes, struct xml **ret_xml, struct diag *diag);
/* A message of a foreign program: names are local names, whatever their prefix or name space;
 * attributes with a prefix and text between elements are left out. */
int xml_parse_message(const char *text, size_t len_bytes, struct xml **ret_xml, struct diag *diag);
void xml_free(struct xml *xml);
const struct xml_node *xml_root(const struct xml *xml);
const struct xml_node *xml_child(const struct xml_node *node); /* first child element or NULL */
const struct xml_node *xml_next(const struct xml_node *node);  /* next sibling element or NULL */
const char *xml_name(const struct xml_node *node);
unsigned xml_line(const struct xml_node *node);
/* Attribute's value or NULL. Borrowed from the document. */
const char *xml_attribute(const struct xml_node *node, const char *name);
/* Text of an element without child elements, surrounding white space removed; "" when empty, NULL
 * when it has child elements. Borrowed from the document. */
const char *xml_text(const struct xml_node *node);
/* Walks attributes: index from 0; NULL name at the end. */
const char *xml_attribute_at(const struct xml_node *node, unsigned index, const char **ret_value);

#endif
