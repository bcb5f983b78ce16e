#include "tests/unit/model/calls_bench.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- what comes out, as text --------------------------------------------------------------------
 */

static const char *media_name(enum media_state state)
{
    return state == MEDIA_ABSENT ? "?" : media_state_names[state - 1];
}

static void add_cause(struct buf *out, enum call_cause cause)
{
    if (cause != CAUSE_ABSENT)
        buf_addf(out, " cause %s", call_cause_names[cause - 1]);
}

static void add_legs(struct buf *out, const char *what, const struct call_leg *legs, unsigned count)
{
    if (count > 0)
        buf_addf(out, "; %s", what);
    for (unsigned i = 0; i < count; i++)
        buf_addf(out, " %s:%s%s", legs[i].device->number, media_name(legs[i].state),
                 legs[i].ringing_remote ? "+remote" : "");
}

static void add_participants(struct buf *out, const char *what,
                             const struct call_participant *participants, unsigned count)
{
    if (count > 0)
        buf_addf(out, "; %s", what);
    for (unsigned i = 0; i < count; i++)
        buf_addf(out, " %s:%s", call_participant_id(&participants[i]),
                 media_name(participants[i].state));
}

static void add_head(struct buf *out, const struct call *call, const char *what)
{
    buf_addf(out, "%s %s %s", user_phone(call->user), what, call->pbx_call_id);
}

static void on_created(void *context, const struct call *call, enum call_cause cause)
{
    struct buf *out = context;
    add_head(out, call, "created");
    buf_addf(out, " %s", media_name(call->state));
    add_cause(out, cause);
    add_legs(out, "legs", call->legs, call->leg_count);
    add_participants(out, "with", call->participants, call->participant_count);
    buf_adds(out, "\n");
}

static void on_modified(void *context, const struct call *call, const struct call_change *change)
{
    struct buf *out = context;
    add_head(out, call, "modified");
    buf_addf(out, " %s", media_name(call->state));
    add_cause(out, change->cause);
    add_legs(out, "legs", change->modified_legs, change->modified_leg_count);
    add_legs(out, "+legs", change->added_legs, change->added_leg_count);
    add_legs(out, "-legs", change->removed_legs, change->removed_leg_count);
    add_participants(out, "with", change->modified_participants,
                     change->modified_participant_count);
    add_participants(out, "+with", change->added_participants, change->added_participant_count);
    if (change->removed_participant_count > 0)
        buf_adds(out, "; -with");
    for (unsigned i = 0; i < change->removed_participant_count; i++)
        buf_addf(out, " %s", change->removed_participant_ids[i]);
    buf_adds(out, "\n");
}

static void on_removed(void *context, const struct call *call, enum call_cause cause,
                       const char *new_destination)
{
    struct buf *out = context;
    add_head(out, call, "removed");
    add_cause(out, cause);
    if (new_destination != NULL)
        buf_addf(out, " to %s", new_destination);
    buf_adds(out, "\n");
}

static void on_user_state(void *context, const struct user *user)
{
    buf_addf(context, "%s is %s\n", user_phone(user), user_state_names[user->state - 1]);
}

static void on_device_state(void *context, const struct user *user)
{
    struct buf *out = context;
    buf_addf(out, "%s devices", user_phone(user));
    for (unsigned i = 0; i < user->device_count; i++)
        buf_addf(out, " %s:%s", user->devices[i]->number,
                 operational_state_names[user->devices[i]->state - 1]);
    buf_adds(out, "\n");
}

/* --- the bench ----------------------------------------------------------------------------------
 */

static const struct user_record people[] = {
    {"1", "Nora", "Lindqvist", {{"1001", DEVICE_TYPE_DESKPHONE, NULL}}, 1},
    {"1",
     "Teo",
     "Marchand",
     {{"1002", DEVICE_TYPE_DESKPHONE, NULL}, {"1502", DEVICE_TYPE_DECT, NULL}},
     2},
    {"1", "Ida", "Berg", {{"1003", DEVICE_TYPE_DESKPHONE, NULL}}, 1},
    {"1", "Jan", "Kos", {{"1004", DEVICE_TYPE_DESKPHONE, NULL}}, 1},
};

static void begin(struct bench *bench, const struct calls_sink *sink)
{
    bench->users = users_new();
    assert_non_null(bench->users);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        struct user *user = NULL;
        assert_int_equal(users_add(bench->users, &people[i], NULL, &user), 0);
    }
    bench->calls = calls_new(bench->users, sink);
    assert_non_null(bench->calls);
}

void bench_begin_unread(struct bench *bench)
{
    *bench = (struct bench){.pbx = {.node = "1", .up = true}};
    const struct calls_sink sink = {on_created,    on_modified,     on_removed,
                                    on_user_state, on_device_state, &bench->trace};
    begin(bench, &sink);
}

static void read_everybody(struct bench *bench)
{
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        for (unsigned j = 0; j < people[i].device_count; j++) {
            const char *number = people[i].devices[j].number;
            calls_device_state(bench->calls, number, DEVICE_IN_SERVICE);
            calls_snapshot(bench->calls, &bench->pbx, number, NULL, 0);
        }
    }
}

void bench_begin(struct bench *bench)
{
    bench_begin_unread(bench);
    read_everybody(bench);
    buf_clear(&bench->trace);
}

void bench_begin_with(struct bench *bench, const struct calls_sink *sink)
{
    *bench = (struct bench){.pbx = {.node = "1", .up = true}};
    begin(bench, sink);
    read_everybody(bench);
}

void bench_end(struct bench *bench)
{
    calls_free(bench->calls);
    users_free(bench->users);
    buf_done(&bench->trace);
}

static struct pbx_party party_of(const char *number)
{
    bool hidden = number != NULL && strcmp(number, "-") == 0;
    return (struct pbx_party){.number = hidden ? NULL : number, .restricted = hidden};
}

bool bench_tell(struct bench *bench, const struct bench_event *event)
{
    const struct pbx_event told = {
        .type = event->type,
        .monitored = event->at,
        .call_id = event->call_id != NULL ? event->call_id : "C1",
        .subject = party_of(event->subject),
        .calling = party_of(event->calling),
        .called = party_of(event->called),
        .redirecting = party_of(event->redirecting),
        .new_destination = event->new_destination,
        .local = event->local,
        .cause = event->cause,
        .correlator = event->correlator,
    };
    return calls_event(bench->calls, &bench->pbx, &told);
}

bool bench_say_why(struct bench *bench, enum pbx_event_type type, const char *at,
                   const char *subject, enum call_cause cause)
{
    return bench_tell(bench, &(struct bench_event){.type = type,
                                                   .at = at,
                                                   .subject = subject,
                                                   .calling = "1001",
                                                   .called = "1002",
                                                   .cause = cause});
}

bool bench_say(struct bench *bench, enum pbx_event_type type, const char *at, const char *subject)
{
    return bench_say_why(bench, type, at, subject, CAUSE_ABSENT);
}

void bench_expect(struct bench *bench, const char *lines)
{
    assert_false(bench->trace.failed);
    assert_string_equal(bench->trace.data == NULL ? "" : bench->trace.data, lines);
    buf_clear(&bench->trace);
}

struct user *bench_user(struct bench *bench, const char *number)
{
    struct user *user = users_find(bench->users, number);
    assert_non_null(user);
    return user;
}

struct call *bench_call(struct bench *bench, const char *number, const char *call_id)
{
    char ref[CALL_REF_CHARS];
    call_ref_of("1", call_id, ref);
    return calls_find(bench_user(bench, number), ref);
}

/* --- a basic call -------------------------------------------------------------------------------
 */

void bench_dial(struct bench *bench)
{
    bench_say(bench, PBX_EVENT_ORIGINATED, "1001", "1001");
}

void bench_ring(struct bench *bench)
{
    bench_say(bench, PBX_EVENT_DELIVERED, "1002", "1002");
    bench_say(bench, PBX_EVENT_DELIVERED, "1001", "1002");
}

void bench_answer(struct bench *bench)
{
    bench_say(bench, PBX_EVENT_ESTABLISHED, "1002", "1002");
    bench_say(bench, PBX_EVENT_ESTABLISHED, "1001", "1002");
}
