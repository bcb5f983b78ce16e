/* Whatever a PBX says in whatever order: a client that only follows the changes has at any time
 * what the model shows, and no rule of the interface is broken. */
#include "tests/unit/model/calls_bench.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the client ---------------------------------------------------------------------------------
 */

enum { CLIENT_CALLS = 64, CLIENT_PARTIES = 80 };

struct client_call {
    char ref[CALL_REF_CHARS];
    const struct user *user; /* NULL: free entry */
    struct call_leg legs[CALL_LEGS_MAX];
    unsigned leg_count;
    char parties[CLIENT_PARTIES][PBX_NUMBER_CHARS];
    enum media_state states[CLIENT_PARTIES];
    unsigned party_count;
};

static struct bench bench;
static struct client_call client[CLIENT_CALLS];
static unsigned changes;

static struct client_call *find(const struct call *call)
{
    for (size_t i = 0; i < CLIENT_CALLS; i++) {
        if (client[i].user == call->user && strcmp(client[i].ref, call->ref) == 0)
            return &client[i];
    }
    return NULL;
}

static struct call_leg *find_leg(struct client_call *mine, const struct device *device)
{
    for (unsigned i = 0; i < mine->leg_count; i++) {
        if (mine->legs[i].device == device)
            return &mine->legs[i];
    }
    return NULL;
}

static unsigned find_party(const struct client_call *mine, const char *id)
{
    unsigned i = 0;
    while (i < mine->party_count && strcmp(mine->parties[i], id) != 0)
        i++;
    return i;
}

static void add_leg(struct client_call *mine, const struct call_leg *leg)
{
    assert_null(find_leg(mine, leg->device));
    mine->legs[mine->leg_count++] = *leg;
}

static void add_party(struct client_call *mine, const struct call_participant *party)
{
    const char *id = call_participant_id(party);
    assert_int_equal(find_party(mine, id), mine->party_count);
    assert_true(mine->party_count < CLIENT_PARTIES);
    memcpy(mine->parties[mine->party_count], id, strlen(id) + 1);
    mine->states[mine->party_count++] = party->state;
}

static void on_created(void *context, const struct call *call, enum call_cause cause)
{
    size_t i = 0;
    (void)context;
    (void)cause;
    changes++;
    assert_null(find(call));
    while (client[i].user != NULL)
        assert_true(++i < CLIENT_CALLS);
    memset(&client[i], 0, sizeof(client[i]));
    client[i].user = call->user;
    memcpy(client[i].ref, call->ref, CALL_REF_CHARS);
    for (unsigned j = 0; j < call->leg_count; j++)
        add_leg(&client[i], &call->legs[j]);
    for (unsigned j = 0; j < call->participant_count; j++)
        add_party(&client[i], &call->participants[j]);
}

static void follow_legs(struct client_call *mine, const struct call_change *change)
{
    for (unsigned i = 0; i < change->removed_leg_count; i++) {
        struct call_leg *leg = find_leg(mine, change->removed_legs[i].device);
        assert_non_null(leg);
        *leg = mine->legs[--mine->leg_count];
    }
    for (unsigned i = 0; i < change->modified_leg_count; i++) {
        struct call_leg *leg = find_leg(mine, change->modified_legs[i].device);
        assert_non_null(leg);
        /* a modified leg differs in what clients see */
        assert_true(leg->state != change->modified_legs[i].state ||
                    leg->ringing_remote != change->modified_legs[i].ringing_remote);
        *leg = change->modified_legs[i];
    }
    for (unsigned i = 0; i < change->added_leg_count; i++)
        add_leg(mine, &change->added_legs[i]);
}

static void follow_participants(struct client_call *mine, const struct call_change *change)
{
    for (unsigned i = 0; i < change->removed_participant_count; i++) {
        unsigned at = find_party(mine, change->removed_participant_ids[i]);
        assert_true(at < mine->party_count);
        unsigned last = --mine->party_count;
        memmove(mine->parties[at], mine->parties[last], PBX_NUMBER_CHARS);
        mine->states[at] = mine->states[last];
    }
    for (unsigned i = 0; i < change->modified_participant_count; i++) {
        const struct call_participant *party = &change->modified_participants[i];
        unsigned at = find_party(mine, call_participant_id(party));
        assert_true(at < mine->party_count);
        assert_int_not_equal(mine->states[at], party->state);
        mine->states[at] = party->state;
    }
    for (unsigned i = 0; i < change->added_participant_count; i++)
        add_party(mine, &change->added_participants[i]);
}

static void on_modified(void *context, const struct call *call, const struct call_change *change)
{
    struct client_call *mine = find(call);
    (void)context;
    changes++;
    assert_non_null(mine);
    follow_legs(mine, change);
    follow_participants(mine, change);
}

static void on_removed(void *context, const struct call *call, enum call_cause cause,
                       const char *new_destination)
{
    struct client_call *mine = find(call);
    (void)context;
    (void)new_destination;
    changes++;
    assert_non_null(mine);
    assert_int_not_equal(cause, CAUSE_ABSENT);
    mine->user = NULL;
}

static enum user_state told_states[4];

static unsigned index_of(const struct user *user)
{
    return (unsigned)(user->login[strlen(user->login) - 1] - '1');
}

static void on_user_state(void *context, const struct user *user)
{
    (void)context;
    changes++;
    assert_int_not_equal(told_states[index_of(user)], user->state);
    told_states[index_of(user)] = user->state;
}

static void on_device_state(void *context, const struct user *user)
{
    (void)context;
    (void)user;
    changes++;
}

/* --- the rules ----------------------------------------------------------------------------------
 */

static void check_call(const struct call *call)
{
    struct client_call *mine = find(call);
    assert_non_null(mine);
    assert_true(call->leg_count > 0);
    assert_int_equal(mine->leg_count, call->leg_count);
    assert_int_equal(mine->party_count, call->participant_count);
    bool state_of_a_leg = false;
    for (unsigned i = 0; i < call->leg_count; i++) {
        const struct call_leg *leg = find_leg(mine, call->legs[i].device);
        assert_non_null(leg);
        assert_ptr_equal(leg->device->user, call->user);
        assert_int_equal(leg->state, call->legs[i].state);
        assert_int_equal(leg->ringing_remote, call->legs[i].ringing_remote);
        assert_true(!leg->ringing_remote || leg->state == MEDIA_RINGING_OUTGOING);
        assert_int_equal(call->legs[i].mark, CALL_MARK_NONE);
        state_of_a_leg = state_of_a_leg || leg->state == call->state;
    }
    assert_true(state_of_a_leg);
    for (unsigned i = 0; i < call->participant_count; i++) {
        unsigned at = find_party(mine, call_participant_id(&call->participants[i]));
        assert_true(at < mine->party_count);
        assert_int_equal(mine->states[at], call->participants[i].state);
    }
}

static bool keeps_busy(enum media_state state)
{
    return state == MEDIA_DIALING || state == MEDIA_RINGING_OUTGOING || state == MEDIA_ACTIVE ||
           state == MEDIA_HELD;
}

static unsigned check_user(const struct user *user)
{
    const struct call *call;
    unsigned count = 0;
    TAILQ_FOREACH(call, &user->calls, of_user)
    {
        check_call(call);
        if (keeps_busy(call->state))
            assert_int_not_equal(user->state, USER_STATE_FREE);
        count++;
    }
    if (count == 0)
        assert_int_not_equal(user->state, USER_STATE_BUSY);
    assert_int_equal(told_states[index_of(user)], user->state);
    return count;
}

static void check_everything(void)
{
    unsigned in_model = 0, at_client = 0;
    const struct user *user;
    for (user = users_first(bench.users); user != NULL; user = TAILQ_NEXT(user, of_all))
        in_model += check_user(user);
    for (size_t i = 0; i < CLIENT_CALLS; i++)
        at_client += client[i].user != NULL;
    assert_int_equal(in_model, at_client);
}

static int begin(void **unused)
{
    const struct calls_sink sink = {on_created,    on_modified,     on_removed,
                                    on_user_state, on_device_state, NULL};
    (void)unused;
    memset(client, 0, sizeof(client));
    for (size_t i = 0; i < COUNT_OF(told_states); i++)
        told_states[i] = USER_STATE_UNKNOWN;
    bench_begin_with(&bench, &sink);
    check_everything();
    return 0;
}

/* --- anything in any order ----------------------------------------------------------------------
 */

static uint64_t seed;

static unsigned any(unsigned count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % count;
}

static const char *const monitors[] = {"1001", "1002", "1502", "1003", "1004", "7777"};
static const char *const numbers[] = {"1001", "1002",       "1502", "1003",
                                      "1004", "0390671234", "-",    NULL};
static const char *const call_ids[] = {"C1", "C2", "C3"};

static void tell_anything(void)
{
    bench_tell(&bench, &(struct bench_event){
                           .type = (enum pbx_event_type)any(PBX_EVENT_COUNT),
                           .at = monitors[any(COUNT_OF(monitors))],
                           .subject = numbers[any(COUNT_OF(numbers))],
                           .call_id = call_ids[any(COUNT_OF(call_ids))],
                           .calling = numbers[any(COUNT_OF(numbers))],
                           .called = numbers[any(COUNT_OF(numbers))],
                           .redirecting = numbers[any(COUNT_OF(numbers))],
                           .local = (enum pbx_local)any(PBX_LOCAL_COUNT),
                           .cause = (enum call_cause)any(CALL_CAUSE_COUNT),
                       });
}

/* Events that concern the monitored device itself: without them few calls would come about. */
static void tell_likely(void)
{
    const char *at = monitors[any(COUNT_OF(monitors))];
    bench_tell(&bench, &(struct bench_event){
                           .type = (enum pbx_event_type)any(PBX_EVENT_COUNT),
                           .at = at,
                           .subject = any(2) ? at : numbers[any(COUNT_OF(numbers))],
                           .call_id = call_ids[any(COUNT_OF(call_ids))],
                           .calling = "1001",
                           .called = "1002",
                           .local = PBX_LOCAL_CONNECTED,
                       });
}

static void show_anything(void)
{
    static struct pbx_snapshot_call list[3];
    unsigned count = any(COUNT_OF(list) + 1);
    memset(list, 0, sizeof(list));
    for (unsigned i = 0; i < count; i++) {
        list[i].call_id = call_ids[any(COUNT_OF(call_ids))]; /* perhaps twice the same */
        list[i].local = (enum pbx_local)any(PBX_LOCAL_COUNT);
        list[i].calling.restricted = any(4) == 0;
        list[i].calling.number = list[i].calling.restricted ? NULL : "1001";
        list[i].party_count = any(4);
        for (unsigned j = 0; j < list[i].party_count; j++) {
            const char *number = numbers[any(COUNT_OF(numbers) - 2)];
            list[i].parties[j].party.number = any(5) == 0 ? NULL : number;
            list[i].parties[j].local = (enum pbx_local)any(PBX_LOCAL_COUNT);
        }
    }
    calls_snapshot(bench.calls, &bench.pbx, monitors[any(COUNT_OF(monitors))], list, count);
}

static void step(void)
{
    unsigned dice = any(100);
    if (dice < 50)
        tell_likely();
    else if (dice < 90)
        tell_anything();
    else if (dice < 97)
        show_anything();
    else if (dice < 99)
        calls_device_state(bench.calls, monitors[any(COUNT_OF(monitors))],
                           (enum operational_state)(1 + any(OPERATIONAL_STATE_COUNT - 1)));
    else
        calls_link_down(bench.calls, &bench.pbx);
}

enum { RUNS = 300, STEPS = 2000 };
static unsigned run, at_step; /* both 0 when nothing is under way */

static void no_sequence_of_events_breaks_a_rule(void **unused)
{
    (void)unused;
    for (run = 1; run <= RUNS; run++) {
        seed = run * 0x9e3779b97f4a7c15U;
        for (at_step = 0; at_step < STEPS; at_step++) {
            step();
            check_everything();
        }
    }
    run = 0;
    assert_true(changes > RUNS * STEPS / 10); /* the dice do make calls */
}

/* --- all orders of a small set ------------------------------------------------------------------
 */

struct told {
    enum pbx_event_type type;
    const char *at, *subject;
};
static const struct told story[] = {
    {PBX_EVENT_ORIGINATED, "1001", "1001"},  {PBX_EVENT_DELIVERED, "1002", "1002"},
    {PBX_EVENT_DELIVERED, "1001", "1002"},   {PBX_EVENT_ESTABLISHED, "1002", "1002"},
    {PBX_EVENT_ESTABLISHED, "1001", "1002"}, {PBX_EVENT_CLEARED, "1001", "1001"},
    {PBX_EVENT_CLEARED, "1002", "1001"},
};
static unsigned orders;

/* Whatever came before: when the PBX says that there is nothing, everybody is free. */
static void end_order(void)
{
    for (size_t i = 0; i + 1 < COUNT_OF(monitors); i++)
        calls_snapshot(bench.calls, &bench.pbx, monitors[i], NULL, 0);
    check_everything();
    for (size_t i = 0; i < COUNT_OF(told_states); i++)
        assert_int_equal(told_states[i], USER_STATE_FREE);
    for (size_t i = 0; i < CLIENT_CALLS; i++)
        assert_null(client[i].user);
    calls_link_down(bench.calls, &bench.pbx); /* late events of this order are forgotten */
    for (size_t i = 0; i + 1 < COUNT_OF(monitors); i++)
        calls_snapshot(bench.calls, &bench.pbx, monitors[i], NULL, 0);
    orders++;
}

static void permute(unsigned *order, unsigned count)
{
    if (count == COUNT_OF(story)) {
        for (unsigned i = 0; i < count; i++) {
            bench_say(&bench, story[order[i]].type, story[order[i]].at, story[order[i]].subject);
            check_everything();
        }
        end_order();
        return;
    }
    for (unsigned next = 0; next < COUNT_OF(story); next++) {
        bool used = false;
        for (unsigned i = 0; i < count; i++)
            used = used || order[i] == next;
        order[count] = next;
        if (!used)
            permute(order, count + 1);
    }
}

static void each_order_of_a_call_s_events_ends_well(void **unused)
{
    unsigned order[COUNT_OF(story)];
    (void)unused;
    permute(order, 0);
    assert_int_equal(orders, 5040);
}

/* --- both monitors in any interleaving ----------------------------------------------------------
 */

static const struct told at_caller[] = {
    {PBX_EVENT_ORIGINATED, "1001", "1001"},
    {PBX_EVENT_DELIVERED, "1001", "1002"},
    {PBX_EVENT_ESTABLISHED, "1001", "1002"},
    {PBX_EVENT_CLEARED, "1001", "1001"},
};
static const struct told at_called[] = {
    {PBX_EVENT_DELIVERED, "1002", "1002"},
    {PBX_EVENT_ESTABLISHED, "1002", "1002"},
    {PBX_EVENT_CLEARED, "1002", "1001"},
    {PBX_EVENT_CLEARED, "1002", "1002"},
};

static void say(const struct told *told)
{
    bench_say(&bench, told->type, told->at, told->subject);
}

/* The lines of one user, in their order. */
static void add_lines_of(struct buf *out, const char *number)
{
    const char *line = bench.trace.data;
    while (line != NULL && *line != '\0') {
        const char *line_end = strchr(line, '\n') + 1;
        if (strncmp(line, number, strlen(number)) == 0)
            buf_add(out, line, (size_t)(line_end - line));
        line = line_end;
    }
}

/* Which of the eight events come from the called side: the bits of a number. */
static bool play_interleaved(unsigned bits)
{
    unsigned caller = 0, called = 0;
    for (unsigned i = 0; i < 8; i++)
        called += bits >> i & 1;
    if (called != COUNT_OF(at_called))
        return false;
    called = 0;
    bench_begin(&bench);
    for (unsigned i = 0; i < 8; i++)
        say(bits >> i & 1 ? &at_called[called++] : &at_caller[caller++]);
    assert_int_equal(calls_odd_events(bench.calls), 0);
    return true;
}

static void each_user_sees_the_same_however_the_monitors_interleave(void **unused)
{
    struct buf expected = {0};
    unsigned played = 0;
    (void)unused;
    for (unsigned bits = 0; bits < 256; bits++) {
        struct buf seen = {0};
        if (!play_interleaved(bits))
            continue;
        add_lines_of(&seen, "1001");
        add_lines_of(&seen, "1002");
        if (played++ == 0)
            buf_add(&expected, seen.data, seen.len_bytes);
        assert_string_equal(seen.data, expected.data);
        buf_done(&seen);
        bench_end(&bench);
    }
    buf_done(&expected);
    assert_int_equal(played, 70);
}

/* Says where a random run broke off, so that it can be run again alone. */
static int end(void **unused)
{
    (void)unused;
    if (run != 0)
        print_message("broke in run %u, step %u\n", run, at_step);
    run = 0;
    bench_end(&bench);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_sequence_of_events_breaks_a_rule),
        CASE(each_order_of_a_call_s_events_ends_well),
        cmocka_unit_test(each_user_sees_the_same_however_the_monitors_interleave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
