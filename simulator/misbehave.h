/* misbehave.h - what a PBX does wrong on purpose. Pure: decides, PDU by PDU, what becomes of it. */
#ifndef OG_SIMULATOR_MISBEHAVE_H
#define OG_SIMULATOR_MISBEHAVE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeros: nothing is wrong. "Every k-th" counts from when it was set. */
struct misbehave_wishes {
    int64_t split_bytes;      /* each PDU goes out in pieces of so many bytes */
    int64_t delay_ms;         /* each PDU waits so long, their order stays */
    int64_t duplicate_events; /* every k-th event comes twice */
    int64_t drop_events;      /* every k-th event gets lost */
    int64_t drop_responses;   /* every k-th answer gets lost */
    int64_t swap_events;      /* every k-th event comes after the next one */
    bool silent;              /* the connection stays, nothing is read or sent any more */
    bool refuse_sessions;
};

struct misbehave { /* start it as {0} */
    struct misbehave_wishes wishes;
    uint64_t duplicate_count, drop_event_count, drop_response_count, swap_count;
};

/* New wishes; counting starts again. */
void misbehave_set(struct misbehave *misbehave, const struct misbehave_wishes *wishes);

enum misbehave_kind { MISBEHAVE_EVENT, MISBEHAVE_RESPONSE, MISBEHAVE_REQUEST };
struct misbehave_plan {
    unsigned copies; /* 0: lost, 1: as it should be, 2: twice */
    bool hold;       /* it comes after the next event */
};
/* What becomes of the next PDU. */
struct misbehave_plan misbehave_next(struct misbehave *misbehave, enum misbehave_kind kind);

#endif
