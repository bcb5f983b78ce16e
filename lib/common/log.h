/* log.h - structured log: to the journal under systemd, coloured lines on a terminal, plain lines
 * elsewhere. One process-wide set of levels, one per module, changeable while running (this is
 * the one mutable state at file scope, kept in log.c).
 *
 * Code that decides also logs; library-like code returns errors instead. NOTICE is what an
 * operator wants to see at 3 a.m. Secrets are never passed here. Thread safe. */
#ifndef OG_COMMON_LOG_H
#define OG_COMMON_LOG_H

#include <stdbool.h>

#define LOG_LEVELS(X)                                                                              \
    X(ERROR, "error")                                                                              \
    X(WARNING, "warning") X(NOTICE, "notice") X(INFO, "info") X(DEBUG, "debug") X(TRACE, "trace")
#define LOG_LEVEL_ENUM(id, text) LOG_LEVEL_##id,
enum log_level { LOG_LEVELS(LOG_LEVEL_ENUM) LOG_LEVEL_COUNT };

/* One key=value beside the message (journal field OG_KEY, "key=value" elsewhere). */
struct log_field {
    const char *key; /* lower case letters and '_' */
    const char *value;
};

/* program: name shown in each line. Chooses the target: $JOURNAL_STREAM matches stderr -> journal,
 * a terminal -> colours, else plain. */
void log_init(const char *program);
const char *log_level_name(enum log_level level); /* "?" out of range */
bool log_level_parse(const char *text, enum log_level *ret_level);
void log_set_level(const char *module, enum log_level level); /* module NULL: all modules */
bool log_wanted(const char *module, enum log_level level);

void log_write(const char *module, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* fields end with {NULL, NULL} */
void log_write_fields(const char *module, enum log_level level, const struct log_field *fields,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

#define log_error(module, ...)   log_write(module, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(module, ...) log_write(module, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(module, ...)  log_write(module, LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(module, ...)    log_write(module, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(module, ...)                                                                     \
    do {                                                                                           \
        if (log_wanted(module, LOG_LEVEL_DEBUG))                                                   \
            log_write(module, LOG_LEVEL_DEBUG, __VA_ARGS__);                                       \
    } while (0)
#define log_trace(module, ...)                                                                     \
    do {                                                                                           \
        if (log_wanted(module, LOG_LEVEL_TRACE))                                                   \
            log_write(module, LOG_LEVEL_TRACE, __VA_ARGS__);                                       \
    } while (0)

#endif
