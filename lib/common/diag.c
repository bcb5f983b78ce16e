#include "lib/common/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The text ends up on terminals and in the journal: a peer's bytes must not move the cursor. */
static void replace_control_bytes(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

int diag_fail(struct diag *diag, int code, const char *format, ...)
{
    if (diag == NULL)
        return code;

    /* by way of a copy, since an argument may be diag->text itself */
    char text[sizeof(diag->text)];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0)
        text[0] = '\0';

    replace_control_bytes(text);
    memcpy(diag->text, text, sizeof(text));
    return code;
}

int diag_within(struct diag *diag, int code, const char *format, ...)
{
    if (diag == NULL)
        return code;

    char where[sizeof(diag->text)];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(where, sizeof(where), format, arguments);
    va_end(arguments);
    if (len < 0)
        return code;

    char text[2 * sizeof(diag->text) + 2];
    (void)snprintf(text, sizeof(text), "%s: %s", where, diag->text);
    text[sizeof(diag->text) - 1] = '\0'; /* the place matters more than the sentence's end */
    replace_control_bytes(text);
    memcpy(diag->text, text, sizeof(diag->text));
    return code;
}
