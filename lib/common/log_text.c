#include "lib/common/log_text.h"

#include "lib/common/utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void add(struct log_text *text, const char *bytes, size_t len_bytes)
{
    if (len_bytes > text->cap_bytes - text->len_bytes)
        return;
    memcpy(text->data + text->len_bytes, bytes, len_bytes);
    text->len_bytes += len_bytes;
}

void log_text_addf(struct log_text *text, const char *format, ...)
{
    char piece[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    if (len > 0)
        add(text, piece, (size_t)len < sizeof(piece) ? (size_t)len : sizeof(piece) - 1);
}

/* C0, DEL and C1: a terminal obeys all of them. U+2028 and U+2029 end a line in some viewers. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static void add_escaped(struct log_text *text, const char *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        if (bytes[i] == '\n')
            add(text, "\\n", 2);
        else if (bytes[i] == '\t')
            add(text, "\\t", 2);
        else
            log_text_addf(text, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
    }
}

static void add_safe(struct log_text *text, const char *value, bool in_quotes)
{
    size_t left = strlen(value);
    while (left > 0 && text->len_bytes < text->cap_bytes) {
        uint32_t code = 0;
        size_t step = utf8_next(value, left, &code);
        if (step == 0)
            add_escaped(text, value, step = 1);
        else if (is_control(code))
            add_escaped(text, value, step);
        else if (in_quotes && (code == '"' || code == '\\'))
            log_text_addf(text, "\\%c", (int)code);
        else
            add(text, value, step);
        value += step;
        left -= step;
    }
}

void log_text_add_safe(struct log_text *text, const char *value)
{
    add_safe(text, value, false);
}

void log_text_add_pair(struct log_text *text, const char *key, const char *value)
{
    if (value == NULL)
        value = "-";
    bool quote = value[0] == '\0' || strpbrk(value, " =\"") != NULL;
    log_text_addf(text, quote ? " %s=\"" : " %s=", key);
    add_safe(text, value, quote);
    if (quote)
        add(text, "\"", 1);
}

void log_text_close(struct log_text *text, const char *tail)
{
    size_t len = strlen(tail);
    if (text->cap_bytes - text->len_bytes < len)
        text->len_bytes = text->cap_bytes - len;
    add(text, tail, len);
}

/* A field is "NAME=value\n"; the value cannot hold a newline once it is made safe. The last byte
 * is kept for that newline, so a value that is too long is cut, never merged with the next. */
static void add_field(struct log_text *text, const char *name, const char *value)
{
    size_t name_len = strlen(name);
    if (text->cap_bytes - text->len_bytes < name_len + 2)
        return;
    add(text, name, name_len);
    add(text, "=", 1);
    text->cap_bytes--;
    log_text_add_safe(text, value);
    text->cap_bytes++;
    add(text, "\n", 1);
}

void log_text_add_journal(struct log_text *text, const char *program, int priority,
                          const char *module, const char *level, const char *message)
{
    char digits[16];
    (void)snprintf(digits, sizeof(digits), "%d", priority);
    add_field(text, "PRIORITY", digits);
    add_field(text, "SYSLOG_IDENTIFIER", program);
    add_field(text, "OG_MODULE", module);
    add_field(text, "OG_LEVEL", level);
    add_field(text, "MESSAGE", message);
}

void log_text_add_journal_field(struct log_text *text, const char *key, const char *value)
{
    char name[64] = "OG_";
    size_t len = 3;
    for (; *key != '\0' && len < sizeof(name) - 1; key++, len++)
        name[len] = isalnum((unsigned char)*key) ? (char)toupper((unsigned char)*key) : '_';
    name[len] = '\0';
    add_field(text, name, value != NULL ? value : "-");
}
