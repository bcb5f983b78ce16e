/* log_private.h - for log.c and its test only. */
#ifndef OG_COMMON_LOG_PRIVATE_H
#define OG_COMMON_LOG_PRIVATE_H

/* Where journald listens instead of its fixed place. Before log_init() and other threads. */
void log__set_journal_socket(const char *path);

#endif
