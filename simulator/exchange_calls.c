/* exchange_calls.c - what becomes of a call: the transitions of its connections, each with its
 * event. */
#include "simulator/exchange_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- calls and connections -------------------------------------------------------------------- */
static struct exchange_call *call_new(struct exchange *exchange, const char *calling)
{
    struct exchange_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    (void)snprintf(call->id, sizeof(call->id), "%016" PRIX64, exchange->next_id++);
    if (map_put(exchange->calls_by_id, call->id, call, NULL) < 0) {
        free(call);
        return NULL;
    }
    exchange__copy(call->calling, sizeof(call->calling), calling);
    TAILQ_INIT(&call->connections);
    TAILQ_INSERT_TAIL(&exchange->calls, call, next);
    return call;
}

/* Who waits in which list. */
static struct exchange__calls *waiting_list(struct exchange *exchange, enum exchange_wait wait)
{
    switch (wait) {
    case EXCHANGE_WAIT_ANSWER:
        return &exchange->ringing;
    case EXCHANGE_WAIT_TONE:
        return &exchange->toning;
    case EXCHANGE_WAIT_NONE:
    default:
        return NULL;
    }
}

static void set_wait(struct exchange *exchange, struct exchange_call *call, enum exchange_wait wait)
{
    struct exchange__calls *list = waiting_list(exchange, call->wait);
    if (list != NULL)
        TAILQ_REMOVE(list, call, waiting);
    call->wait = wait;
    list = waiting_list(exchange, wait);
    if (list == NULL)
        return;
    call->deadline_ms =
        exchange->now_ms +
        (wait == EXCHANGE_WAIT_ANSWER ? exchange->options.no_answer_ms : exchange->options.tone_ms);
    TAILQ_INSERT_TAIL(list, call, waiting);
}

/* phone NULL: nobody's, for a destination that cannot be reached. */
static struct exchange_connection *connect_phone(struct exchange_call *call,
                                                 struct exchange_phone *phone, const char *number,
                                                 enum exchange_state state)
{
    struct exchange_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return NULL;
    connection->call = call;
    connection->phone = phone;
    connection->state = state;
    exchange__copy(connection->number, sizeof(connection->number), number);
    TAILQ_INSERT_TAIL(&call->connections, connection, of_call);
    if (phone != NULL)
        TAILQ_INSERT_TAIL(&phone->connections, connection, of_phone);
    return connection;
}

static void leave_phone(struct exchange_connection *connection)
{
    if (connection->phone != NULL)
        TAILQ_REMOVE(&connection->phone->connections, connection, of_phone);
    connection->phone = NULL;
}

static void disconnect(struct exchange_connection *connection)
{
    leave_phone(connection);
    TAILQ_REMOVE(&connection->call->connections, connection, of_call);
    free(connection);
}

void exchange__call_free(struct exchange *exchange, struct exchange_call *call)
{
    struct exchange_connection *connection;
    while ((connection = TAILQ_FIRST(&call->connections)) != NULL)
        disconnect(connection);
    set_wait(exchange, call, EXCHANGE_WAIT_NONE);
    TAILQ_REMOVE(&exchange->calls, call, next);
    (void)map_remove(exchange->calls_by_id, call->id);
    free(call);
}

static struct exchange_connection *first_at_phone(const struct exchange_call *call)
{
    struct exchange_connection *connection = TAILQ_FIRST(&call->connections);
    while (connection != NULL && connection->phone == NULL)
        connection = TAILQ_NEXT(connection, of_call);
    return connection;
}

/* --- telling ---------------------------------------------------------------------------------- */
static struct exchange_event event_of(enum exchange_event_type type,
                                      const struct exchange_connection *subject, const char *cause)
{
    const struct exchange_call *call = subject->call;
    struct exchange_event event = {.type = type, .cause = cause};
    exchange__copy(event.subject, sizeof(event.subject), subject->number);
    exchange__copy(event.call_id, sizeof(event.call_id), call->id);
    exchange__copy(event.calling, sizeof(event.calling), call->calling);
    exchange__copy(event.called, sizeof(event.called), call->called);
    exchange__copy(event.correlator, sizeof(event.correlator), call->correlator);
    return event;
}

/* The subject's own phone first, then everybody else in the call. */
static void tell_all(struct exchange *exchange, enum exchange_event_type type,
                     const struct exchange_connection *subject, const char *cause)
{
    struct exchange_event event = event_of(type, subject, cause);
    if (subject->phone != NULL)
        exchange__tell(exchange, &event, subject->phone, subject->state);
    const struct exchange_connection *other;
    TAILQ_FOREACH(other, &subject->call->connections, of_call)
    {
        if (other != subject && other->phone != NULL)
            exchange__tell(exchange, &event, other->phone, other->state);
    }
}

/* --- transitions ------------------------------------------------------------------------------ */
/* The connection ends; when nobody is left to talk to, so does the call. */
static void release(struct exchange *exchange, struct exchange_connection *connection,
                    const char *cause)
{
    struct exchange_call *call = connection->call;
    connection->state = EXCHANGE_NONE;
    tell_all(exchange, EXCHANGE_EVENT_CLEARED, connection, cause);
    disconnect(connection);

    struct exchange_connection *rest = first_at_phone(call);
    if (rest == NULL) {
        exchange__call_free(exchange, call);
        return;
    }
    for (struct exchange_connection *other = TAILQ_NEXT(rest, of_call); other != NULL;
         other = TAILQ_NEXT(other, of_call))
        if (other->phone != NULL)
            return; /* two are left */
    release(exchange, rest, cause);
}

/* The call cannot reach the subject, or no longer: its caller hears a tone. */
static void fail(struct exchange *exchange, struct exchange_connection *subject, const char *cause)
{
    struct exchange_call *call = subject->call;
    if (subject->phone != NULL) { /* it rang: it stops */
        struct exchange_event event = event_of(EXCHANGE_EVENT_CLEARED, subject, cause);
        exchange__tell(exchange, &event, subject->phone, EXCHANGE_NONE);
        leave_phone(subject);
    }
    subject->state = EXCHANGE_FAIL;
    struct exchange_connection *caller = first_at_phone(call);
    if (caller != NULL)
        caller->state = EXCHANGE_FAIL;
    tell_all(exchange, EXCHANGE_EVENT_FAILED, subject, cause);
    set_wait(exchange, call, EXCHANGE_WAIT_TONE);
}

/* Why a number cannot ring; NULL: it can, and *ret_phone is the one. */
static const char *obstacle(const struct exchange *exchange, const char *number,
                            struct exchange_phone **ret_phone)
{
    if (number[strspn(number, "+0123456789*#ABCDabcd")] != '\0')
        return "invalidNumberFormat";
    struct exchange_phone *phone = map_get(exchange->phones_by_number, number);
    if (phone == NULL)
        return "numberUnallocated";
    if (!phone->in_service)
        return "destOutOfOrder";
    if (!TAILQ_EMPTY(&phone->connections))
        return "busy";
    *ret_phone = phone;
    return NULL;
}

/* The caller has the handset in his hand and call->called is dialled. */
static enum exchange_result place(struct exchange *exchange, struct exchange_connection *caller)
{
    struct exchange_call *call = caller->call;
    struct exchange_phone *phone = NULL;
    const char *cause = obstacle(exchange, call->called, &phone);
    struct exchange_connection *callee =
        connect_phone(call, phone, call->called, cause == NULL ? EXCHANGE_ALERTING : EXCHANGE_FAIL);
    if (callee == NULL)
        return EXCHANGE_NO_MEMORY;

    call->prompted = false;
    caller->state = EXCHANGE_CONNECTED;
    /* the callee takes no part in it yet */
    struct exchange_event event = event_of(EXCHANGE_EVENT_ORIGINATED, caller, "newCall");
    exchange__tell(exchange, &event, caller->phone, caller->state);
    if (cause != NULL) {
        fail(exchange, callee, cause);
        return EXCHANGE_DONE;
    }
    set_wait(exchange, call, EXCHANGE_WAIT_ANSWER);
    tell_all(exchange, EXCHANGE_EVENT_DELIVERED, callee, "newCall");
    return EXCHANGE_DONE;
}

static enum exchange_result establish(struct exchange *exchange,
                                      struct exchange_connection *connection)
{
    set_wait(exchange, connection->call, EXCHANGE_WAIT_NONE);
    connection->state = EXCHANGE_CONNECTED;
    tell_all(exchange, EXCHANGE_EVENT_ESTABLISHED, connection, "normal");
    return EXCHANGE_DONE;
}

void exchange__call_due(struct exchange *exchange, struct exchange_call *call)
{
    if (call->wait == EXCHANGE_WAIT_TONE || call->prompted) {
        release(exchange, first_at_phone(call),
                call->prompted ? "callNotAnswered" : "normalClearing");
        return;
    }
    struct exchange_connection *connection = TAILQ_FIRST(&call->connections);
    while (connection->state != EXCHANGE_ALERTING)
        connection = TAILQ_NEXT(connection, of_call);
    fail(exchange, connection, "callNotAnswered");
}

void exchange__clear_phone(struct exchange *exchange, struct exchange_phone *phone,
                           const char *cause)
{
    struct exchange_connection *connection;
    while ((connection = TAILQ_FIRST(&phone->connections)) != NULL)
        release(exchange, connection, cause);
}

/* --- actions ---------------------------------------------------------------------------------- */
static enum exchange_result usable(const struct exchange *exchange, const char *number,
                                   struct exchange_phone **ret_phone)
{
    *ret_phone = map_get(exchange->phones_by_number, number);
    if (*ret_phone == NULL)
        return EXCHANGE_NO_PHONE;
    return (*ret_phone)->in_service ? EXCHANGE_DONE : EXCHANGE_OUT_OF_SERVICE;
}

static bool is_number(const char *number)
{
    size_t len = strlen(number);
    return len > 0 && len < EXCHANGE_NUMBER_CHARS;
}

/* A call that so far is its caller's alone. */
static struct exchange_connection *begin(struct exchange *exchange, struct exchange_phone *phone)
{
    struct exchange_call *call = call_new(exchange, phone->number);
    if (call == NULL)
        return NULL;
    struct exchange_connection *caller =
        connect_phone(call, phone, phone->number, EXCHANGE_INITIATED);
    if (caller == NULL)
        exchange__call_free(exchange, call);
    return caller;
}

/* Begun calls that cannot go on for lack of memory were never told of. */
static enum exchange_result place_or_drop(struct exchange *exchange,
                                          struct exchange_connection *caller)
{
    struct exchange_call *call = caller->call;
    enum exchange_result result = place(exchange, caller);
    if (result != EXCHANGE_DONE)
        exchange__call_free(exchange, call);
    return result;
}

enum exchange_result exchange_make_call(struct exchange *exchange,
                                        const struct exchange_make_call *call,
                                        char ret_call_id[EXCHANGE_CALL_ID_CHARS])
{
    struct exchange_phone *phone;
    enum exchange_result result = usable(exchange, call->caller, &phone);
    if (result != EXCHANGE_DONE)
        return result;
    if (!is_number(call->callee))
        return EXCHANGE_NO_NUMBER;
    if (!TAILQ_EMPTY(&phone->connections))
        return EXCHANGE_IN_USE;
    struct exchange_connection *caller = begin(exchange, phone);
    if (caller == NULL)
        return EXCHANGE_NO_MEMORY;

    struct exchange_call *made = caller->call;
    exchange__copy(made->called, sizeof(made->called), call->callee);
    if (call->correlator != NULL)
        exchange__copy(made->correlator, sizeof(made->correlator), call->correlator);
    if (ret_call_id != NULL)
        exchange__copy(ret_call_id, EXCHANGE_CALL_ID_CHARS, made->id);
    if (!call->prompt)
        return place_or_drop(exchange, caller);
    made->prompted = true;
    set_wait(exchange, made, EXCHANGE_WAIT_ANSWER);
    tell_all(exchange, EXCHANGE_EVENT_INITIATED, caller, "makeCall");
    return EXCHANGE_DONE;
}

static struct exchange_connection *find_connection(const struct exchange_phone *phone,
                                                   const char *call_id)
{
    struct exchange_connection *connection;
    TAILQ_FOREACH(connection, &phone->connections, of_phone)
    {
        if (strcmp(connection->call->id, call_id) == 0)
            return connection;
    }
    return NULL;
}

const struct exchange_connection *exchange_connection_find(const struct exchange_phone *phone,
                                                           const char *call_id)
{
    return find_connection(phone, call_id);
}

/* Rings, either because it is called or because its own call waits for the handset. */
static bool rings(const struct exchange_connection *connection)
{
    return connection->state == EXCHANGE_ALERTING ||
           (connection->state == EXCHANGE_INITIATED && connection->call->prompted);
}

static struct exchange_connection *ringing_connection(const struct exchange_phone *phone)
{
    struct exchange_connection *connection;
    TAILQ_FOREACH(connection, &phone->connections, of_phone)
    {
        if (rings(connection))
            return connection;
    }
    return NULL;
}

enum exchange_result exchange_answer(struct exchange *exchange, const char *number,
                                     const char *call_id)
{
    struct exchange_phone *phone;
    enum exchange_result result = usable(exchange, number, &phone);
    if (result != EXCHANGE_DONE)
        return result;
    struct exchange_connection *connection =
        call_id != NULL ? find_connection(phone, call_id) : ringing_connection(phone);
    if (connection == NULL)
        return call_id != NULL ? EXCHANGE_NO_CALL : EXCHANGE_NOT_RINGING;
    if (!rings(connection))
        return EXCHANGE_NOT_RINGING;
    if (connection->state == EXCHANGE_ALERTING)
        return establish(exchange, connection);
    return place(exchange, connection);
}

enum exchange_result exchange_off_hook(struct exchange *exchange, const char *number)
{
    struct exchange_phone *phone;
    enum exchange_result result = usable(exchange, number, &phone);
    if (result != EXCHANGE_DONE)
        return result;
    if (ringing_connection(phone) != NULL)
        return exchange_answer(exchange, number, NULL);
    if (!TAILQ_EMPTY(&phone->connections))
        return EXCHANGE_IN_USE;
    struct exchange_connection *caller = begin(exchange, phone);
    if (caller == NULL)
        return EXCHANGE_NO_MEMORY;
    tell_all(exchange, EXCHANGE_EVENT_INITIATED, caller, "newCall");
    return EXCHANGE_DONE;
}

enum exchange_result exchange_dial(struct exchange *exchange, const char *number,
                                   const char *callee)
{
    struct exchange_phone *phone;
    enum exchange_result result = usable(exchange, number, &phone);
    if (result != EXCHANGE_DONE)
        return result;
    struct exchange_connection *caller = TAILQ_FIRST(&phone->connections);
    if (caller == NULL || caller->state != EXCHANGE_INITIATED || caller->call->prompted)
        return EXCHANGE_NOT_DIALLING;
    if (!is_number(callee))
        return EXCHANGE_NO_NUMBER;
    exchange__copy(caller->call->called, sizeof(caller->call->called), callee);
    return place(exchange, caller);
}

enum exchange_result exchange_clear(struct exchange *exchange, const char *number,
                                    const char *call_id)
{
    struct exchange_phone *phone = map_get(exchange->phones_by_number, number);
    if (phone == NULL)
        return EXCHANGE_NO_PHONE;
    struct exchange_connection *connection =
        call_id != NULL ? find_connection(phone, call_id)
                        : TAILQ_LAST(&phone->connections, exchange_connections);
    if (connection == NULL)
        return EXCHANGE_NO_CALL;
    release(exchange, connection, "normalClearing");
    return EXCHANGE_DONE;
}

const struct exchange_call *exchange_call_find(const struct exchange *exchange, const char *id)
{
    return map_get(exchange->calls_by_id, id);
}

const struct exchange_call *exchange_call_next(const struct exchange *exchange,
                                               const struct exchange_call *call)
{
    return call == NULL ? TAILQ_FIRST(&exchange->calls) : TAILQ_NEXT(call, next);
}

size_t exchange_call_count(const struct exchange *exchange)
{
    return map_count(exchange->calls_by_id);
}
