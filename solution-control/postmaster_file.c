/* postmaster_file.c - reads postmaster.pid. Pure. */
#include "solution-control/postmaster_file.h"

#include <stdio.h>
#include <string.h>

enum { STATE_LINE = 8 };

/* Finds line `number`, counted from 1, with its newline. Returns its length without it, or -1. */
static int find_line(const char *text, size_t len_bytes, unsigned number, const char **ret_line)
{
    const char *end = text + len_bytes;
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL)
            return -1;
        if (--number == 0) {
            *ret_line = line;
            return (int)(newline - line);
        }
        line = newline + 1;
    }
    return -1;
}

static bool line_is(const char *text, size_t len_bytes, unsigned number, const char *wanted)
{
    const char *line = NULL;
    int len = find_line(text, len_bytes, number, &line);
    while (len > 0 && line[len - 1] == ' ')
        len--;
    return len >= 0 && (size_t)len == strlen(wanted) && memcmp(line, wanted, (size_t)len) == 0;
}

bool postmaster_is_ready(const char *text, size_t len_bytes, pid_t pid)
{
    char own[24];
    (void)snprintf(own, sizeof(own), "%ld", (long)pid);
    return pid > 0 && line_is(text, len_bytes, 1, own) &&
           line_is(text, len_bytes, STATE_LINE, "ready");
}
