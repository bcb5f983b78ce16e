/* exchange_private.h - shared by exchange.c (phones, time, events) and exchange_calls.c only. */
#ifndef OG_SIMULATOR_EXCHANGE_PRIVATE_H
#define OG_SIMULATOR_EXCHANGE_PRIVATE_H

#include "lib/common/map.h"
#include "simulator/exchange.h"

TAILQ_HEAD(exchange__phones, exchange_phone);
TAILQ_HEAD(exchange__calls, exchange_call);

struct exchange {
    struct exchange_options options;
    uint64_t now_ms, next_id;
    struct map *phones_by_number, *calls_by_id;
    struct exchange__phones phones;
    struct exchange__calls calls;
    /* Waiting times are the same for all calls of a list, so the first is due first. */
    struct exchange__calls ringing, toning;
    struct exchange_event *events; /* ring: event_first is the oldest */
    size_t event_first, event_count, event_cap;
    uint64_t lost_events;
};

/* Queues an event for the phone; *event holds all but the phone and its local state. */
void exchange__tell(struct exchange *exchange, struct exchange_event *event,
                    const struct exchange_phone *phone, enum exchange_state local);
void exchange__copy(char *out, size_t cap_bytes, const char *text);

/* exchange_calls.c */
/* All calls of the phone end for it. */
void exchange__clear_phone(struct exchange *exchange, struct exchange_phone *phone,
                           const char *cause);
void exchange__call_due(struct exchange *exchange, struct exchange_call *call);
void exchange__call_free(struct exchange *exchange, struct exchange_call *call);

#endif
