/* exchange.h - the switch: phones, their calls, and what happens when somebody presses a key. Pure:
 * no I/O, no clock, no log. The owner brings the time (exchange_advance) and, after each action,
 * takes the events that it led to (exchange_next_event) and passes them to whoever watches.
 *
 * It plays the basic call of ECMA-269: off hook, dialling, ringing, busy, no answer, unknown and
 * broken destinations, answer, release by either side. A call is a list of connections, a phone
 * has a list of connections, and each change of a connection is told by one function to every phone
 * in the call, so that further features add transitions and nothing else.
 *
 * Order of events: a change is told to the phone whose connection changed first, to the others in
 * the call after it. When one of the last two leaves, the other is released by the switch at once.
 * A caller whose call fails stays in it with a tone until he hangs up or tone_ms is over.
 *
 * Every action costs the same however many phones there are. */
#ifndef OG_SIMULATOR_EXCHANGE_H
#define OG_SIMULATOR_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
    EXCHANGE_NUMBER_CHARS = 64,
    EXCHANGE_NAME_CHARS = 96,
    EXCHANGE_MODEL_CHARS = 32,
    EXCHANGE_CALL_ID_CHARS = 17,
    EXCHANGE_CORRELATOR_CHARS = 65,
    EXCHANGE_PHONES_MAX = 100000,
};

/* State of a connection (ECMA-269 6.1.5). NONE: it has ended. */
#define EXCHANGE_STATES(X)                                                                         \
    X(NONE, "null")                                                                                \
    X(INITIATED, "initiated")                                                                      \
    X(ALERTING, "alerting")                                                                        \
    X(CONNECTED, "connected")                                                                      \
    X(FAIL, "fail")
#define EXCHANGE_STATE_ENUM(id, text) EXCHANGE_##id,
enum exchange_state { EXCHANGE_STATES(EXCHANGE_STATE_ENUM) EXCHANGE_STATE_COUNT };
const char *exchange_state_name(enum exchange_state state); /* "?" out of range */

/* What an action came to; the text says to a person why it was not done. */
#define EXCHANGE_RESULTS(X)                                                                        \
    X(DONE, "done")                                                                                \
    X(NO_PHONE, "there is no such phone")                                                          \
    X(OUT_OF_SERVICE, "the phone is out of service")                                               \
    X(IN_USE, "the phone has a call already")                                                      \
    X(NO_CALL, "the phone has no such call")                                                       \
    X(NOT_RINGING, "nothing to answer: the phone does not ring")                                   \
    X(NOT_DIALLING, "the phone is not waiting for a number: lift the handset first")               \
    X(NO_NUMBER, "a number of 1 to 63 characters is needed")                                       \
    X(EXISTS, "a phone with this number exists already")                                           \
    X(BAD_PHONE, "a phone needs a number of 1 to 32 digits, a name of at most 95 bytes without "   \
                 "control characters and any of ; < >, and a model of at most 31")                 \
    X(FULL, "no room for more phones")                                                             \
    X(NO_MEMORY, "out of memory")
#define EXCHANGE_RESULT_ENUM(id, text) EXCHANGE_##id,
enum exchange_result { EXCHANGE_RESULTS(EXCHANGE_RESULT_ENUM) EXCHANGE_RESULT_COUNT };
const char *exchange_result_text(enum exchange_result result); /* "?" out of range */

struct exchange_call;
struct exchange_phone;

/* One phone's part in one call. */
struct exchange_connection {
    TAILQ_ENTRY(exchange_connection) of_phone, of_call;
    struct exchange_call *call;
    struct exchange_phone *phone; /* NULL: a destination that the call could not reach */
    char number[EXCHANGE_NUMBER_CHARS];
    enum exchange_state state;
};
TAILQ_HEAD(exchange_connections, exchange_connection);

struct exchange_phone {
    TAILQ_ENTRY(exchange_phone) next;
    char number[EXCHANGE_NUMBER_CHARS];
    char main_number[EXCHANGE_NUMBER_CHARS]; /* of the user it belongs to; perhaps its own */
    char name[EXCHANGE_NAME_CHARS], model[EXCHANGE_MODEL_CHARS];
    bool in_service;
    struct exchange_connections connections;
};

enum exchange_wait { EXCHANGE_WAIT_NONE, EXCHANGE_WAIT_ANSWER, EXCHANGE_WAIT_TONE };
struct exchange_call {
    TAILQ_ENTRY(exchange_call) next, waiting;
    char id[EXCHANGE_CALL_ID_CHARS]; /* 16 hexadecimal digits, never used twice */
    char calling[EXCHANGE_NUMBER_CHARS];
    char called[EXCHANGE_NUMBER_CHARS];         /* as dialled; "" so far */
    char correlator[EXCHANGE_CORRELATOR_CHARS]; /* hexadecimal digits, "": none */
    bool prompted; /* the caller's phone rings: the call goes out when he lifts the handset */
    enum exchange_wait wait;
    uint64_t deadline_ms;
    struct exchange_connections connections;
};

#define EXCHANGE_EVENTS(X)                                                                         \
    X(INITIATED, "serviceInitiated")                                                               \
    X(ORIGINATED, "originated")                                                                    \
    X(DELIVERED, "delivered")                                                                      \
    X(ESTABLISHED, "established")                                                                  \
    X(FAILED, "failed")                                                                            \
    X(CLEARED, "connectionCleared")                                                                \
    X(BACK_IN_SERVICE, "backInService")                                                            \
    X(WENT_OUT_OF_SERVICE, "outOfService")
#define EXCHANGE_EVENT_ENUM(id, text) EXCHANGE_EVENT_##id,
enum exchange_event_type { EXCHANGE_EVENTS(EXCHANGE_EVENT_ENUM) EXCHANGE_EVENT_TYPE_COUNT };
const char *exchange_event_name(enum exchange_event_type type); /* "?" out of range */

struct exchange_event {
    enum exchange_event_type type;
    char phone[EXCHANGE_NUMBER_CHARS];   /* whose watchers are told */
    char subject[EXCHANGE_NUMBER_CHARS]; /* whose connection or state changed */
    char call_id[EXCHANGE_CALL_ID_CHARS];
    char calling[EXCHANGE_NUMBER_CHARS], called[EXCHANGE_NUMBER_CHARS];
    char correlator[EXCHANGE_CORRELATOR_CHARS];
    enum exchange_state local; /* of `phone`'s own connection after the event */
    const char *cause;         /* EventCause of ECMA-269; constant text */
};

struct exchange_options {
    uint64_t no_answer_ms; /* a phone rings so long */
    uint64_t tone_ms;      /* a failed call stays so long */
    uint64_t first_id;     /* call identifiers count from here: larger than in every earlier run */
};

struct exchange;
struct exchange *exchange_new(const struct exchange_options *options); /* NULL: no memory */
void exchange_free(struct exchange *exchange);                         /* NULL is fine */

/* --- time and events -------------------------------------------------------------------------- */
/* It is now_ms (never less than before): what is due happens, later actions count from here. */
void exchange_advance(struct exchange *exchange, uint64_t now_ms);
/* When exchange_advance() is needed next; UINT64_MAX: nothing waits. */
uint64_t exchange_deadline_ms(const struct exchange *exchange);
/* The oldest event not taken yet; false: none. */
bool exchange_next_event(struct exchange *exchange, struct exchange_event *ret_event);
/* Events that were lost for lack of memory. */
uint64_t exchange_lost_events(const struct exchange *exchange);

/* --- phones ----------------------------------------------------------------------------------- */
struct exchange_phone_options {
    const char *number;
    const char *name;        /* NULL: none */
    const char *model;       /* NULL: none */
    const char *main_number; /* NULL: its own */
};
enum exchange_result exchange_phone_add(struct exchange *exchange,
                                        const struct exchange_phone_options *options);
/* Its calls are cleared first, and it goes out of service. */
enum exchange_result exchange_phone_remove(struct exchange *exchange, const char *number);
enum exchange_result exchange_phone_rename(struct exchange *exchange, const char *number,
                                           const char *name);
/* Out of service: its calls are cleared, it can neither call nor be called. Twice is fine. */
enum exchange_result exchange_phone_set_service(struct exchange *exchange, const char *number,
                                                bool in_service);
const struct exchange_phone *exchange_phone_find(const struct exchange *exchange,
                                                 const char *number); /* NULL: none */
/* Walks phones in the order of adding: phone NULL gives the first; NULL: no more. */
const struct exchange_phone *exchange_phone_next(const struct exchange *exchange,
                                                 const struct exchange_phone *phone);
size_t exchange_phone_count(const struct exchange *exchange);

/* --- calls ------------------------------------------------------------------------------------ */
struct exchange_make_call {
    const char *caller, *callee;
    const char *correlator; /* NULL: none */
    bool prompt;            /* the caller's phone rings first */
};
/* On success ret_call_id (may be NULL) gets the new call's identifier, whatever becomes of it. */
enum exchange_result exchange_make_call(struct exchange *exchange,
                                        const struct exchange_make_call *call,
                                        char ret_call_id[EXCHANGE_CALL_ID_CHARS]);
/* Lifts the handset: answers when the phone rings, lets a prompted call go out, else dial tone. */
enum exchange_result exchange_off_hook(struct exchange *exchange, const char *number);
enum exchange_result exchange_dial(struct exchange *exchange, const char *number,
                                   const char *callee);
/* call_id NULL: the call that rings. A prompted call is answered by its caller. */
enum exchange_result exchange_answer(struct exchange *exchange, const char *number,
                                     const char *call_id);
/* The phone leaves the call, whatever its part in it. call_id NULL: its newest call. */
enum exchange_result exchange_clear(struct exchange *exchange, const char *number,
                                    const char *call_id);
const struct exchange_call *exchange_call_find(const struct exchange *exchange, const char *id);
/* Walks calls, oldest first, as exchange_phone_next(). */
const struct exchange_call *exchange_call_next(const struct exchange *exchange,
                                               const struct exchange_call *call);
size_t exchange_call_count(const struct exchange *exchange);
/* The phone's connection in the call; NULL: none. */
const struct exchange_connection *exchange_connection_find(const struct exchange_phone *phone,
                                                           const char *call_id);

#endif
