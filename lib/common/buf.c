#include "lib/common/buf.h"

#include "lib/common/common.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP_BYTES = 256 };

/* Room for `more` bytes and a NUL; false sets the failed mark. */
static bool reserve(struct buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more >= SIZE_MAX / 2 - buf->len_bytes) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len_bytes + more + 1;
    if (need <= buf->cap_bytes)
        return true;

    size_t cap = buf->cap_bytes > 0 ? buf->cap_bytes : FIRST_CAP_BYTES;
    while (cap < need)
        cap *= 2;
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap_bytes = cap;
    return true;
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->len_bytes = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void buf_add(struct buf *buf, const void *bytes, size_t len_bytes)
{
    if (!reserve(buf, len_bytes))
        return;
    if (len_bytes > 0)
        memcpy(buf->data + buf->len_bytes, bytes, len_bytes);
    buf->len_bytes += len_bytes;
    buf->data[buf->len_bytes] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);

    size_t room = buf->failed ? 0 : buf->cap_bytes - buf->len_bytes;
    int len = vsnprintf(room > 0 ? buf->data + buf->len_bytes : NULL, room, format, arguments);
    if (len < 0)
        buf->failed = true;
    else if ((size_t)len < room)
        buf->len_bytes += (size_t)len;
    else if (reserve(buf, (size_t)len)) {
        (void)vsnprintf(buf->data + buf->len_bytes, (size_t)len + 1, format, again);
        buf->len_bytes += (size_t)len;
    } else if (room > 0) {
        buf->data[buf->len_bytes] = '\0'; /* take the half-written tail back */
    }

    va_end(again);
    va_end(arguments);
}

static void add_json_escape(struct buf *buf, unsigned char byte)
{
    switch (byte) {
    case '"':
        buf_add(buf, "\\\"", 2);
        break;
    case '\\':
        buf_add(buf, "\\\\", 2);
        break;
    case '\n':
        buf_add(buf, "\\n", 2);
        break;
    case '\r':
        buf_add(buf, "\\r", 2);
        break;
    case '\t':
        buf_add(buf, "\\t", 2);
        break;
    default:
        buf_addf(buf, "\\u%04x", byte);
        break;
    }
}

void buf_add_json_string(struct buf *buf, const char *text)
{
    buf_add(buf, "\"", 1);
    while (*text != '\0') {
        size_t plain = 0;
        for (; text[plain] != '\0'; plain++) {
            unsigned char byte = (unsigned char)text[plain];
            if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f)
                break;
        }
        buf_add(buf, text, plain);
        text += plain;
        if (*text != '\0')
            add_json_escape(buf, (unsigned char)*text++);
    }
    buf_add(buf, "\"", 1);
}

char *buf_take(struct buf *buf)
{
    buf_add(buf, "", 0); /* an empty string is still a string */
    char *data = NULL;
    if (!buf->failed)
        data = TAKE(buf->data);
    buf_done(buf);
    return data;
}
