/* log_limit.h - lines that others can provoke must not fill the disk: at most one a second, and it
 * says how many were left out. Pure; the clock is a parameter. */
#ifndef OG_COMMON_LOG_LIMIT_H
#define OG_COMMON_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct log_limit { /* start it as {0} */
    uint64_t last_ms, skipped;
    bool used;
};

/* May a line be written now? *ret_skipped (set on true only): how many were not since the last. */
bool log_limit_passes(struct log_limit *limit, uint64_t now_ms, uint64_t *ret_skipped);

#endif
