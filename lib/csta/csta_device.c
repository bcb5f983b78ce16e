/* Device identifiers, plain and fully qualified. */
#include "lib/csta/csta.h"

#include "lib/common/common.h"
#include "lib/common/utf8.h"

#include <errno.h>
#include <string.h>

static const char display_number[] = "displayNumber=";

/* A long name is cut between two characters. */
static void copy_name(char *part, size_t size_chars, const char *text, size_t len)
{
    size_t used = 0;
    while (used < len) {
        size_t next = utf8_next(text + used, len - used, NULL);
        if (next == 0 || used + next >= size_chars)
            break;
        used += next;
    }
    memcpy(part, text, used);
    part[used] = '\0';
}

/* Copies len characters into a part of size_chars; false when they do not fit. */
static bool copy_part(char *part, size_t size_chars, const char *text, size_t len)
{
    if (len >= size_chars)
        return false;
    memcpy(part, text, len);
    part[len] = '\0';
    return true;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static const char *find_parameter(const char *parameters, const char *name)
{
    for (const char *at = strchr(parameters, ';'); at != NULL; at = strchr(at, ';')) {
        at++;
        if (strncmp(at, name, strlen(name)) == 0)
            return at + strlen(name);
    }
    return NULL;
}

int csta_device_parse(const char *id, struct csta_device_parts *ret_parts)
{
    struct csta_device_parts parts = {0};
    const char *number = id, *open = strchr(id, '<'), *close = NULL;
    const char *rest = "";
    size_t number_len = strcspn(id, ";");
    if (open != NULL && open < id + number_len) {
        number = open + 1;
        close = strchr(number, '>');
        if (close == NULL)
            return -EINVAL;
        number_len = (size_t)(close - number);
        rest = close + 1;
    } else {
        rest = id + number_len;
    }
    const char *shown = find_parameter(rest, display_number);
    if (number_len == 0 || has_control(id) ||
        !copy_part(parts.number, sizeof(parts.number), number, number_len) ||
        (shown != NULL && !copy_part(parts.display_number, sizeof(parts.display_number), shown,
                                     strcspn(shown, ";"))))
        return -EINVAL;
    copy_name(parts.name, sizeof(parts.name), rest, strcspn(rest, ";"));
    *ret_parts = parts;
    return 0;
}

static bool part_allowed(const char *text)
{
    return strpbrk(text, "<>;") == NULL && !has_control(text);
}

int csta_device_format(const struct csta_device_parts *parts, struct buf *out)
{
    if (parts->number[0] == '\0' || !part_allowed(parts->number) || !part_allowed(parts->name) ||
        !part_allowed(parts->display_number))
        return -EINVAL;
    buf_addf(out, "N<%s>%s", parts->number, parts->name);
    if (parts->display_number[0] != '\0')
        buf_addf(out, ";%s%s", display_number, parts->display_number);
    return out->failed ? -ENOMEM : 0;
}
