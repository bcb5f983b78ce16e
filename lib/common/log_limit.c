#include "lib/common/log_limit.h"

enum { EVERY_MS = 1000 };

bool log_limit_passes(struct log_limit *limit, uint64_t now_ms, uint64_t *ret_skipped)
{
    if (limit->used && now_ms - limit->last_ms < EVERY_MS) {
        limit->skipped++;
        return false;
    }
    *ret_skipped = limit->skipped;
    *limit = (struct log_limit){.last_ms = now_ms, .used = true};
    return true;
}
