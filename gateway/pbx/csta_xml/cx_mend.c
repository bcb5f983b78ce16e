#include "gateway/pbx/csta_xml/cx_mend.h"

#include "lib/common/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the allowed character at text; 0: there is none. */
static size_t allowed_bytes(const char *text, size_t len_bytes)
{
    uint32_t code = 0;
    size_t step = utf8_next(text, len_bytes, &code);
    bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
    return control || code == 0xfffe || code == 0xffff ? 0 : step;
}

static size_t first_bad(const char *xml, size_t from, size_t len_bytes)
{
    size_t step;
    while (from < len_bytes && (step = allowed_bytes(xml + from, len_bytes - from)) > 0)
        from += step;
    return from;
}

char *cx_mend_xml(const char *xml, size_t len_bytes)
{
    size_t at = first_bad(xml, 0, len_bytes);
    if (at == len_bytes)
        return NULL;
    char *copy = malloc(len_bytes);
    if (copy == NULL)
        return NULL;
    memcpy(copy, xml, len_bytes);
    for (; at < len_bytes; at = first_bad(copy, at, len_bytes))
        copy[at] = '?';
    return copy;
}
