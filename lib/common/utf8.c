#include "lib/common/utf8.h"

/* Length by first byte, and the range that the second byte must be in (RFC 3629, section 4): this
 * one row test refuses overlong forms, surrogates and numbers above U+10FFFF. */
struct lead {
    uint8_t first, last, length, second_min, second_max;
};
static const struct lead leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *find_lead(uint8_t byte)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return NULL;
}

size_t utf8_next(const char *text, size_t len_bytes, uint32_t *ret_code)
{
    const uint8_t *bytes = (const uint8_t *)text;
    if (len_bytes == 0)
        return 0;
    if (bytes[0] < 0x80) {
        if (ret_code != NULL)
            *ret_code = bytes[0];
        return 1;
    }
    const struct lead *lead = find_lead(bytes[0]);
    if (lead == NULL || len_bytes < lead->length || bytes[1] < lead->second_min ||
        bytes[1] > lead->second_max)
        return 0;

    uint32_t code = bytes[0] & (0x7fU >> lead->length);
    for (size_t i = 1; i < lead->length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (ret_code != NULL)
        *ret_code = code;
    return lead->length;
}

bool utf8_valid(const char *text, size_t len_bytes)
{
    while (len_bytes > 0) {
        size_t step = utf8_next(text, len_bytes, NULL);
        if (step == 0)
            return false;
        text += step;
        len_bytes -= step;
    }
    return true;
}
