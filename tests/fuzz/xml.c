/* xml.c - any bytes as an XML file. What is taken must be a tree whose every part can be read. */
#include "lib/common/xml.h"

#include "lib/common/common.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct xml_node *node, int depth)
{
    const char *value = NULL;
    require(depth <= 32 && xml_name(node)[0] != '\0' && xml_line(node) > 0);
    require((xml_text(node) == NULL) == (xml_child(node) != NULL));
    for (unsigned i = 0; xml_attribute_at(node, i, &value) != NULL; i++)
        require(xml_attribute(node, xml_attribute_at(node, i, &value)) == value);
    for (const struct xml_node *child = xml_child(node); child != NULL; child = xml_next(child))
        check(child, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct xml *xml = NULL;
    struct diag diag = {0};
    if (xml_parse((const char *)data, size_bytes, &xml, &diag) < 0) {
        require(xml == NULL && diag.text[0] != '\0');
        return 0;
    }
    check(xml_root(xml), 1);
    xml_free(xml);
    return 0;
}
