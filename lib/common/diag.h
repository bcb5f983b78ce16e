/* diag.h - the text that explains an error to a person.
 *
 * Functions return 0 or a negative errno; where the detail is known, and only there, they write
 * one sentence into the caller's `struct diag`: what went wrong, where, and what to do.
 * Start it as {0}; a NULL diag is allowed everywhere and drops the text. */
#ifndef OG_COMMON_DIAG_H
#define OG_COMMON_DIAG_H

#include <stddef.h>

struct diag {
    char text[512]; /* NUL-terminated; empty while nothing went wrong */
};

/* Writes the sentence (replacing an earlier one) and returns code, so that callers can say
 * `return diag_fail(diag, -EINVAL, "…")`. Control bytes are replaced by '?'. */
int diag_fail(struct diag *diag, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "where: " in front of the present text; returns code. */
int diag_within(struct diag *diag, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
