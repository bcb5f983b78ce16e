/* calls_bench.h - the call model on a bench: a node with four users (1001, 1002 with a second
 * device 1502, 1003, 1004), events told in one line each, and what comes out as text.
 *
 * A change is one line: "1001 created C1 DIALING; legs 1001:DIALING", see bench_trace(). */
#ifndef OG_TESTS_CALLS_BENCH_H
#define OG_TESTS_CALLS_BENCH_H

#include "gateway/model/calls.h"
#include "lib/common/buf.h"

struct bench {
    struct users *users;
    struct calls *calls;
    struct pbx pbx;
    struct buf trace;
};

/* Everybody is in service and read, without calls; the trace is empty. */
void bench_begin(struct bench *bench);
/* The same users, of whom the PBX has told nothing yet. */
void bench_begin_unread(struct bench *bench);
/* Everybody is read; changes go to this sink instead. */
void bench_begin_with(struct bench *bench, const struct calls_sink *sink);
void bench_end(struct bench *bench);

struct bench_event { /* names as in struct pbx_event; NULL numbers are not known */
    enum pbx_event_type type;
    const char *at;      /* the monitored device */
    const char *subject; /* "-": restricted */
    const char *call_id; /* NULL: "C1" */
    const char *calling, *called, *redirecting, *new_destination;
    enum pbx_local local;
    enum call_cause cause;
    const char *correlator;
};
bool bench_tell(struct bench *bench, const struct bench_event *event); /* what calls_event() says */
/* One row of a table: calling 1001, called 1002. */
bool bench_say(struct bench *bench, enum pbx_event_type type, const char *at, const char *subject);
bool bench_say_why(struct bench *bench, enum pbx_event_type type, const char *at,
                   const char *subject, enum call_cause cause);

/* What has come out since the last time; must be equal. */
void bench_expect(struct bench *bench, const char *lines);
struct user *bench_user(struct bench *bench, const char *number);
struct call *bench_call(struct bench *bench, const char *number, const char *call_id);

/* The events of a basic call 1001 -> 1002, as a PBX tells them to all monitors. */
void bench_dial(struct bench *bench);
void bench_ring(struct bench *bench);
void bench_answer(struct bench *bench);

#endif
