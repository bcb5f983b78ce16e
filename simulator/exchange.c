/* exchange.c - phones, time and the queue of events. */
#include "simulator/exchange_private.h"

#include "lib/common/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_EVENTS = 64, PHONE_NUMBER_DIGITS_MAX = 32 };

#define NAME_ROW(id, text)  [EXCHANGE_##id] = (text),
#define EVENT_ROW(id, text) [EXCHANGE_EVENT_##id] = (text),
static const char *const state_names[] = {EXCHANGE_STATES(NAME_ROW)};
static const char *const result_texts[] = {EXCHANGE_RESULTS(NAME_ROW)};
static const char *const event_names[] = {EXCHANGE_EVENTS(EVENT_ROW)};

const char *exchange_state_name(enum exchange_state state)
{
    return (unsigned)state < EXCHANGE_STATE_COUNT ? state_names[state] : "?";
}

const char *exchange_result_text(enum exchange_result result)
{
    return (unsigned)result < EXCHANGE_RESULT_COUNT ? result_texts[result] : "?";
}

const char *exchange_event_name(enum exchange_event_type type)
{
    return (unsigned)type < EXCHANGE_EVENT_TYPE_COUNT ? event_names[type] : "?";
}

void exchange__copy(char *out, size_t cap_bytes, const char *text)
{
    size_t len_bytes = strnlen(text, cap_bytes - 1);
    memcpy(out, text, len_bytes);
    out[len_bytes] = '\0';
}

/* --- life ------------------------------------------------------------------------------------- */
struct exchange *exchange_new(const struct exchange_options *options)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->options = *options;
    exchange->next_id = options->first_id;
    TAILQ_INIT(&exchange->phones);
    TAILQ_INIT(&exchange->calls);
    TAILQ_INIT(&exchange->ringing);
    TAILQ_INIT(&exchange->toning);
    exchange->phones_by_number = map_new();
    exchange->calls_by_id = map_new();
    if (exchange->phones_by_number == NULL || exchange->calls_by_id == NULL) {
        exchange_free(exchange);
        return NULL;
    }
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    struct exchange_call *call;
    while ((call = TAILQ_FIRST(&exchange->calls)) != NULL)
        exchange__call_free(exchange, call);
    map_free(exchange->calls_by_id, NULL);
    map_free(exchange->phones_by_number, free);
    free(exchange->events);
    free(exchange);
}

/* --- time ------------------------------------------------------------------------------------- */
static struct exchange_call *first_due(const struct exchange *exchange)
{
    struct exchange_call *ringing = TAILQ_FIRST(&exchange->ringing);
    struct exchange_call *toning = TAILQ_FIRST(&exchange->toning);
    if (ringing == NULL || (toning != NULL && toning->deadline_ms < ringing->deadline_ms))
        return toning;
    return ringing;
}

uint64_t exchange_deadline_ms(const struct exchange *exchange)
{
    const struct exchange_call *call = first_due(exchange);
    return call != NULL ? call->deadline_ms : UINT64_MAX;
}

void exchange_advance(struct exchange *exchange, uint64_t now_ms)
{
    struct exchange_call *call;
    while ((call = first_due(exchange)) != NULL && call->deadline_ms <= now_ms) {
        exchange->now_ms = call->deadline_ms; /* what follows counts from then, not from now */
        exchange__call_due(exchange, call);
    }
    exchange->now_ms = now_ms;
}

/* --- events ----------------------------------------------------------------------------------- */
static bool grow_events(struct exchange *exchange)
{
    size_t cap = exchange->event_cap > 0 ? exchange->event_cap * 2 : FIRST_EVENTS;
    struct exchange_event *events = calloc(cap, sizeof(*events));
    if (events == NULL)
        return false;
    for (size_t i = 0; i < exchange->event_count; i++)
        events[i] = exchange->events[(exchange->event_first + i) % exchange->event_cap];
    free(exchange->events);
    exchange->events = events;
    exchange->event_first = 0;
    exchange->event_cap = cap;
    return true;
}

void exchange__tell(struct exchange *exchange, struct exchange_event *event,
                    const struct exchange_phone *phone, enum exchange_state local)
{
    if (exchange->event_count == exchange->event_cap && !grow_events(exchange)) {
        exchange->lost_events++;
        return;
    }
    exchange__copy(event->phone, sizeof(event->phone), phone->number);
    event->local = local;
    size_t at = (exchange->event_first + exchange->event_count) % exchange->event_cap;
    exchange->events[at] = *event;
    exchange->event_count++;
}

bool exchange_next_event(struct exchange *exchange, struct exchange_event *ret_event)
{
    if (exchange->event_count == 0)
        return false;
    *ret_event = exchange->events[exchange->event_first];
    exchange->event_first = (exchange->event_first + 1) % exchange->event_cap;
    exchange->event_count--;
    return true;
}

uint64_t exchange_lost_events(const struct exchange *exchange)
{
    return exchange->lost_events;
}

/* --- phones ----------------------------------------------------------------------------------- */
static bool is_phone_number(const char *number)
{
    size_t len = strspn(number, "0123456789");
    return len > 0 && len <= PHONE_NUMBER_DIGITS_MAX && number[len] == '\0';
}

/* Names end up within device identifiers, where these signs part one thing from the next. */
static bool is_label(const char *text, size_t cap_bytes)
{
    if (strlen(text) >= cap_bytes || !utf8_valid(text, strlen(text)))
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || strchr(";<>", *at) != NULL)
            return false;
    return true;
}

enum exchange_result exchange_phone_add(struct exchange *exchange,
                                        const struct exchange_phone_options *options)
{
    const char *name = options->name != NULL ? options->name : "";
    const char *model = options->model != NULL ? options->model : "";
    const char *main_number = options->main_number != NULL ? options->main_number : options->number;
    if (!is_phone_number(options->number) || !is_phone_number(main_number) ||
        !is_label(name, EXCHANGE_NAME_CHARS) || !is_label(model, EXCHANGE_MODEL_CHARS))
        return EXCHANGE_BAD_PHONE;
    if (map_get(exchange->phones_by_number, options->number) != NULL)
        return EXCHANGE_EXISTS;
    if (map_count(exchange->phones_by_number) >= EXCHANGE_PHONES_MAX)
        return EXCHANGE_FULL;
    struct exchange_phone *phone = calloc(1, sizeof(*phone));
    if (phone == NULL || map_put(exchange->phones_by_number, options->number, phone, NULL) < 0) {
        free(phone);
        return EXCHANGE_NO_MEMORY;
    }
    exchange__copy(phone->number, sizeof(phone->number), options->number);
    exchange__copy(phone->main_number, sizeof(phone->main_number), main_number);
    exchange__copy(phone->name, sizeof(phone->name), name);
    exchange__copy(phone->model, sizeof(phone->model), model);
    phone->in_service = true;
    TAILQ_INIT(&phone->connections);
    TAILQ_INSERT_TAIL(&exchange->phones, phone, next);
    return EXCHANGE_DONE;
}

enum exchange_result exchange_phone_set_service(struct exchange *exchange, const char *number,
                                                bool in_service)
{
    struct exchange_phone *phone = map_get(exchange->phones_by_number, number);
    if (phone == NULL)
        return EXCHANGE_NO_PHONE;
    if (phone->in_service == in_service)
        return EXCHANGE_DONE;
    if (!in_service)
        exchange__clear_phone(exchange, phone, "destOutOfOrder");
    phone->in_service = in_service;
    struct exchange_event event = {
        .type = in_service ? EXCHANGE_EVENT_BACK_IN_SERVICE : EXCHANGE_EVENT_WENT_OUT_OF_SERVICE,
        .cause = "normal",
    };
    exchange__copy(event.subject, sizeof(event.subject), phone->number);
    exchange__tell(exchange, &event, phone, EXCHANGE_NONE);
    return EXCHANGE_DONE;
}

enum exchange_result exchange_phone_remove(struct exchange *exchange, const char *number)
{
    enum exchange_result result = exchange_phone_set_service(exchange, number, false);
    if (result != EXCHANGE_DONE)
        return result;
    struct exchange_phone *phone = map_remove(exchange->phones_by_number, number);
    TAILQ_REMOVE(&exchange->phones, phone, next);
    free(phone);
    return EXCHANGE_DONE;
}

enum exchange_result exchange_phone_rename(struct exchange *exchange, const char *number,
                                           const char *name)
{
    struct exchange_phone *phone = map_get(exchange->phones_by_number, number);
    if (phone == NULL)
        return EXCHANGE_NO_PHONE;
    if (!is_label(name, sizeof(phone->name)))
        return EXCHANGE_BAD_PHONE;
    exchange__copy(phone->name, sizeof(phone->name), name);
    return EXCHANGE_DONE;
}

const struct exchange_phone *exchange_phone_find(const struct exchange *exchange,
                                                 const char *number)
{
    return map_get(exchange->phones_by_number, number);
}

const struct exchange_phone *exchange_phone_next(const struct exchange *exchange,
                                                 const struct exchange_phone *phone)
{
    return phone == NULL ? TAILQ_FIRST(&exchange->phones) : TAILQ_NEXT(phone, next);
}

size_t exchange_phone_count(const struct exchange *exchange)
{
    return map_count(exchange->phones_by_number);
}
