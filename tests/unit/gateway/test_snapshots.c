/* Telephonic states on request: who is told, how fast, and what may happen meanwhile. */
#include "gateway/api/telephony/snapshots.h"
#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 1500 };

static uv_loop_t loop;
static struct gateway gateway;
static struct session *session, *other;

static struct session *add_session(const char *credential)
{
    struct session *added = NULL;
    struct digest digest;
    digest_of_text(credential, &digest);
    const struct session_birth birth = {
        .credential = &digest, .login = "admin", .administrator = true};
    assert_int_equal(sessions_add(&gateway.sessions, &birth, 0, &added), 0);
    return added;
}

static struct subscription *subscribe(struct session *owner, const char *name, const char *package,
                                      const char *id)
{
    const struct filter_selector selector = {.names = {&package, 1, true},
                                             .ids = {&id, id == NULL ? 0 : 1, true}};
    const struct filter_request request = {.selectors = {&selector, 1, true}};
    struct filter *filter = NULL;
    struct digest digest;
    digest_of_text(name, &digest);
    const struct subscription_birth birth = {.id = &digest, .session = owner, .timeout_min = 10};
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
    assert_int_equal(subscriptions_add(&gateway.subscriptions, &birth, filter, 1000), 0);
    return subscriptions_find(&gateway.subscriptions, &digest);
}

static void add_users(unsigned count)
{
    char number[16];
    for (unsigned i = 0; i < count; i++) {
        struct user *user = NULL;
        (void)snprintf(number, sizeof(number), "%zu", 10000 + users_count(gateway.users));
        const struct user_record record = {
            .node = "1",
            .first_name = "Nora",
            .last_name = "Lindqvist",
            .devices = {{.number = number, .type = DEVICE_TYPE_DESKPHONE}},
            .device_count = 1};
        assert_int_equal(users_add(gateway.users, &record, NULL, &user), 0);
    }
}

static int begin(void **unused)
{
    (void)unused;
    gateway = (struct gateway){.loop = &loop};
    assert_int_equal(uv_loop_init(&loop), 0);
    sessions_init(&gateway.sessions, 1800);
    subscriptions_init(&gateway.subscriptions);
    gateway.users = users_new();
    gateway.snapshots = snapshots_new(&gateway);
    session = add_session("one");
    other = add_session("two");
    return gateway.users == NULL || gateway.snapshots == NULL;
}

static int end(void **unused)
{
    (void)unused;
    snapshots_free(gateway.snapshots);
    while (!TAILQ_EMPTY(&gateway.subscriptions.all))
        subscriptions_remove(&gateway.subscriptions, TAILQ_FIRST(&gateway.subscriptions.all));
    subscriptions_done(&gateway.subscriptions);
    sessions_done(&gateway.sessions);
    users_free(gateway.users);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void turn(unsigned times)
{
    while (times-- > 0)
        (void)uv_run(&loop, UV_RUN_ONCE);
}

/* Takes what waits, as a listener does; the login in each event is the next one from *next on. */
static unsigned listen_to(struct subscription *subscription, unsigned *next)
{
    unsigned heard = 0;
    char begin_text[80];
    struct event_line *line;
    while ((line = event_queue_pop(&subscription->queue)) != NULL) {
        (void)snprintf(begin_text, sizeof(begin_text),
                       "{\"eventName\":\"OnTelephonyState\",\"loginName\":\"oxe%u\",\"state\":{",
                       10000 + *next);
        assert_memory_equal(line->text, begin_text, strlen(begin_text));
        event_line_unref(line);
        (*next)++;
        heard++;
    }
    return heard;
}

static void one_users_state_goes_to_the_session_that_asked(void **unused)
{
    struct subscription *all, *his, *another, *system, *foreign;
    unsigned next = 1;
    (void)unused;
    add_users(3);
    all = subscribe(session, "1", "telephony", NULL);
    his = subscribe(session, "2", "telephony", "oxe10001");
    another = subscribe(session, "3", "telephony", "oxe10002");
    system = subscribe(session, "4", "system", NULL);
    foreign = subscribe(other, "5", "telephony", NULL);
    assert_int_equal(snapshots_tell(gateway.snapshots, session, users_find(gateway.users, "10001")),
                     0);
    assert_int_equal(listen_to(all, &next), 1);
    assert_int_equal(his->queue.count, 1);
    assert_int_equal(another->queue.count, 0);
    assert_int_equal(system->queue.count, 0);
    assert_int_equal(foreign->queue.count, 0);
}

static void everybody_is_told_once_as_fast_as_the_listener_takes_it(void **unused)
{
    struct subscription *listener;
    unsigned next = 0, steps = 0;
    (void)unused;
    add_users(USERS);
    listener = subscribe(session, "1", "telephony", NULL);
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(10); /* nobody takes anything: half of the queue stays free */
    assert_in_range(listener->queue.count, EVENT_QUEUE_MAX / 2 - SNAPSHOTS_STEP_USERS,
                    EVENT_QUEUE_MAX / 2 + 1);
    while (next < USERS && steps++ < 100) {
        (void)listen_to(listener, &next);
        turn(1);
    }
    assert_int_equal(next, USERS);
    assert_int_equal(listener->queue.lost, 0);
    assert_true(steps >= (USERS - EVENT_QUEUE_MAX / 2) / SNAPSHOTS_STEP_USERS);
    assert_int_equal(uv_loop_alive(&loop), 0); /* nothing goes on */
}

static void asking_again_during_a_walk_has_no_effect(void **unused)
{
    struct subscription *listener;
    unsigned next = 0;
    (void)unused;
    add_users(SNAPSHOTS_STEP_USERS + 10);
    listener = subscribe(session, "1", "telephony", NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(5);
    assert_int_equal(listen_to(listener, &next), SNAPSHOTS_STEP_USERS + 10);
    next = 0;
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(5);
    assert_int_equal(listen_to(listener, &next), SNAPSHOTS_STEP_USERS + 10);
}

static void users_who_go_during_a_walk_are_left_out(void **unused)
{
    struct subscription *listener;
    unsigned next = 0;
    (void)unused;
    add_users(SNAPSHOTS_STEP_USERS + 2);
    listener = subscribe(session, "1", "telephony", NULL);
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(1);
    assert_int_equal(listen_to(listener, &next), SNAPSHOTS_STEP_USERS);
    users_remove(gateway.users, users_find(gateway.users, "10200"));
    next++;
    turn(3);
    assert_int_equal(listen_to(listener, &next), 1);
}

static void users_who_come_during_a_walk_are_told_too(void **unused)
{
    struct subscription *listener;
    unsigned next = 0;
    (void)unused;
    add_users(SNAPSHOTS_STEP_USERS + 2);
    listener = subscribe(session, "1", "telephony", NULL);
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(1);
    add_users(1);
    turn(3);
    assert_int_equal(listen_to(listener, &next), SNAPSHOTS_STEP_USERS + 3);
}

static void a_walk_ends_with_its_session(void **unused)
{
    struct subscription *listener;
    (void)unused;
    add_users(USERS);
    listener = subscribe(session, "1", "telephony", NULL);
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(1);
    subscriptions_remove(&gateway.subscriptions, listener);
    sessions_remove(&gateway.sessions, session);
    turn(2);
    assert_int_equal(uv_loop_alive(&loop), 0);
}

static void without_a_subscription_nothing_is_begun(void **unused)
{
    (void)unused;
    add_users(1);
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    assert_int_equal(uv_loop_alive(&loop), 0);
}

/* A full queue of another package holds nobody up. */
static void only_queues_of_telephony_slow_a_walk_down(void **unused)
{
    struct subscription *listener, *system;
    struct event_line *line = event_line_new("{}", 2);
    unsigned next = 0;
    (void)unused;
    add_users(10);
    listener = subscribe(session, "1", "telephony", NULL);
    system = subscribe(session, "2", "system", NULL);
    for (unsigned i = 0; i < EVENT_QUEUE_MAX; i++)
        event_queue_push(&system->queue, line);
    event_line_unref(line);
    assert_int_equal(snapshots_tell_everybody(gateway.snapshots, session), 0);
    turn(2);
    assert_int_equal(listen_to(listener, &next), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_users_state_goes_to_the_session_that_asked, begin, end),
        cmocka_unit_test_setup_teardown(everybody_is_told_once_as_fast_as_the_listener_takes_it,
                                        begin, end),
        cmocka_unit_test_setup_teardown(asking_again_during_a_walk_has_no_effect, begin, end),
        cmocka_unit_test_setup_teardown(users_who_go_during_a_walk_are_left_out, begin, end),
        cmocka_unit_test_setup_teardown(users_who_come_during_a_walk_are_told_too, begin, end),
        cmocka_unit_test_setup_teardown(a_walk_ends_with_its_session, begin, end),
        cmocka_unit_test_setup_teardown(without_a_subscription_nothing_is_begun, begin, end),
        cmocka_unit_test_setup_teardown(only_queues_of_telephony_slow_a_walk_down, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
