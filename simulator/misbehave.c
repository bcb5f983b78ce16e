#include "simulator/misbehave.h"

void misbehave_set(struct misbehave *misbehave, const struct misbehave_wishes *wishes)
{
    *misbehave = (struct misbehave){.wishes = *wishes};
}

static bool is_due(uint64_t *count, int64_t every)
{
    if (every <= 0)
        return false;
    *count += 1;
    return *count % (uint64_t)every == 0;
}

struct misbehave_plan misbehave_next(struct misbehave *misbehave, enum misbehave_kind kind)
{
    const struct misbehave_wishes *wishes = &misbehave->wishes;
    struct misbehave_plan plan = {.copies = 1};
    if (wishes->silent) {
        plan.copies = 0;
    } else if (kind == MISBEHAVE_RESPONSE) {
        if (is_due(&misbehave->drop_response_count, wishes->drop_responses))
            plan.copies = 0;
    } else if (kind == MISBEHAVE_EVENT) {
        if (is_due(&misbehave->duplicate_count, wishes->duplicate_events))
            plan.copies = 2;
        if (is_due(&misbehave->drop_event_count, wishes->drop_events))
            plan.copies = 0;
        plan.hold = is_due(&misbehave->swap_count, wishes->swap_events) && plan.copies > 0;
    }
    return plan;
}
