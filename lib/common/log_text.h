/* log_text.h - how a log line is put together in a caller's fixed buffer: no allocation, bytes that
 * do not fit are left out, and nothing a peer sent can start a new line, a terminal sequence or a
 * journal field. Used by log.c; apart so that it can be tested as plain text. */
#ifndef OG_COMMON_LOG_TEXT_H
#define OG_COMMON_LOG_TEXT_H

#include <stddef.h>

struct log_text {
    char *data; /* not NUL-terminated */
    size_t len_bytes, cap_bytes;
};

void log_text_addf(struct log_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Control characters become \n, \t or \xNN; so does each byte that is no UTF-8. */
void log_text_add_safe(struct log_text *text, const char *value);
/* " key=value"; the value is quoted when it is empty or has a blank, '=' or '"'. NULL: "-". */
void log_text_add_pair(struct log_text *text, const char *key, const char *value);
/* Appends a tail even when the buffer is full, by giving up the last bytes before it. */
void log_text_close(struct log_text *text, const char *tail);
/* The fixed fields of a journal entry, then one OG_KEY=value each; whole fields or none. */
void log_text_add_journal(struct log_text *text, const char *program, int priority,
                          const char *module, const char *level, const char *message);
void log_text_add_journal_field(struct log_text *text, const char *key, const char *value);

#endif
