/* utf8.h - tells well-formed UTF-8 (RFC 3629) from other bytes. */
#ifndef OG_COMMON_UTF8_H
#define OG_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text (1..4), 0 when no well-formed character starts there (overlong
 * form, surrogate, above U+10FFFF, cut short). *ret_code gets its number; NULL is fine. */
size_t utf8_next(const char *text, size_t len_bytes, uint32_t *ret_code);
bool utf8_valid(const char *text, size_t len_bytes);

#endif
