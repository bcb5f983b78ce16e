/* What follows when a user comes, changes or goes. */
#include "gateway/model/calls.h"
#include "gateway/pbx/pbxs.h"
#include "gateway/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct gateway gateway;
static struct session *session;
static struct subscription *listener;
static struct buf trace; /* what the calls have told */

static void on_created(void *context, const struct call *call, enum call_cause cause)
{
    (void)cause;
    buf_addf(context, "%s created\n", call->user->login);
}

static void on_modified(void *context, const struct call *call, const struct call_change *change)
{
    (void)change;
    buf_addf(context, "%s modified\n", call->user->login);
}

static void on_removed(void *context, const struct call *call, enum call_cause cause,
                       const char *new_destination)
{
    (void)cause;
    (void)new_destination;
    buf_addf(context, "%s removed\n", call->user->login);
}

static void on_state(void *context, const struct user *user)
{
    (void)context;
    assert_non_null(user);
}

static void listen_to_users(void)
{
    const char *const packages[] = {"user", "userManagement"};
    const struct filter_selector selector = {.names = {packages, 2, true}};
    const struct filter_request request = {.selectors = {&selector, 1, true}};
    struct filter *filter = NULL;
    struct digest digest;
    digest_of_text("listener", &digest);
    const struct subscription_birth birth = {.id = &digest, .session = session};
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
    assert_int_equal(subscriptions_add(&gateway.subscriptions, &birth, filter, 0), 0);
    listener = subscriptions_find(&gateway.subscriptions, &digest);
}

static int begin(void **unused)
{
    static const struct pbx_events nothing;
    const struct calls_sink sink = {on_created, on_modified, on_removed,
                                    on_state,   on_state,    &trace};
    struct digest digest;
    (void)unused;
    digest_of_text("credential", &digest);
    const struct session_birth birth = {
        .credential = &digest, .login = "admin", .administrator = true};
    gateway = (struct gateway){0};
    sessions_init(&gateway.sessions, 1800);
    subscriptions_init(&gateway.subscriptions);
    assert_int_equal(sessions_add(&gateway.sessions, &birth, 0, &session), 0);
    gateway.users = users_new();
    gateway.calls = calls_new(gateway.users, &sink);
    gateway.pbxs = pbxs_new(NULL, &nothing); /* no PBX is configured */
    listen_to_users();
    return gateway.users == NULL || gateway.calls == NULL || gateway.pbxs == NULL;
}

static int end(void **unused)
{
    (void)unused;
    pbxs_free(gateway.pbxs);
    calls_free(gateway.calls);
    users_free(gateway.users);
    subscriptions_remove(&gateway.subscriptions, listener);
    subscriptions_done(&gateway.subscriptions);
    sessions_done(&gateway.sessions);
    buf_done(&trace);
    return 0;
}

static struct user_record record_of(const char *number, const char *second)
{
    return (struct user_record){.node = "1",
                                .first_name = "Ida",
                                .last_name = "Berg",
                                .devices = {{.number = number}, {.number = second}},
                                .device_count = second == NULL ? 1 : 2};
}

static struct user *add(const char *number, const char *second)
{
    const struct user_record record = record_of(number, second);
    struct user *user = roster_add(&gateway, &record, NULL);
    assert_non_null(user);
    return user;
}

/* The next event has this name and says this of whom it concerns. */
static void expect(const char *name, const char *login)
{
    char begin_text[64], login_text[64];
    struct event_line *line = event_queue_pop(&listener->queue);
    assert_non_null(line);
    struct buf text = {0};
    buf_add(&text, line->text, line->len_bytes);
    (void)snprintf(begin_text, sizeof(begin_text), "{\"eventName\":\"%s\",", name);
    (void)snprintf(login_text, sizeof(login_text), "\"loginName\":\"%s\"", login);
    assert_memory_equal(text.data, begin_text, strlen(begin_text));
    assert_non_null(strstr(text.data, login_text));
    buf_done(&text);
    event_line_unref(line);
}

static void offhook(const char *number)
{
    const struct pbx pbx = {.node = "1", .up = true};
    const struct pbx_event event = {.type = PBX_EVENT_INITIATED,
                                    .monitored = number,
                                    .subject = {.number = number},
                                    .call_id = "C1"};
    assert_true(calls_event(gateway.calls, &pbx, &event));
}

static void who_comes_changes_and_goes_is_told(void **unused)
{
    struct user *user = add("1001", NULL);
    const struct user_record record = record_of("1001", "1501");
    (void)unused;
    roster_change(&gateway, user, &record);
    roster_remove(&gateway, user);
    expect("OnUserCreated", "oxe1001");
    expect("OnUserInfoChanged", "oxe1001");
    expect("OnUserDeleted", "oxe1001");
    assert_int_equal(listener->queue.count, 0);
    assert_int_equal(users_count(gateway.users), 0);
}

static void who_is_there_already_stays_as_he_is(void **unused)
{
    const struct user *user = add("1001", NULL);
    const struct user_record record = record_of("1001", NULL);
    (void)unused;
    assert_null(roster_add(&gateway, &record, NULL));
    assert_ptr_equal(users_first(gateway.users), user);
}

/* The former owner hears of it first, and his call at that device has ended. */
static void a_secondary_device_moves_to_the_user_who_names_it(void **unused)
{
    struct user *first = add("1001", "1501"), *second = add("1002", NULL);
    const struct user_record record = record_of("1002", "1501");
    (void)unused;
    offhook("1501");
    expect("OnUserCreated", "oxe1001");
    expect("OnUserCreated", "oxe1002");
    roster_change(&gateway, second, &record);
    expect("OnUserInfoChanged", "oxe1001");
    expect("OnUserInfoChanged", "oxe1002");
    assert_int_equal(first->device_count, 1);
    assert_ptr_equal(users_find_device(gateway.users, "1501")->user, second);
    assert_string_equal(trace.data, "oxe1001 created\noxe1001 removed\n");
}

static void a_secondary_device_becomes_a_user_of_its_own(void **unused)
{
    struct user *first = add("1001", "1501");
    (void)unused;
    offhook("1501");
    const struct user *second = add("1501", NULL);
    expect("OnUserCreated", "oxe1001");
    expect("OnUserInfoChanged", "oxe1001");
    expect("OnUserCreated", "oxe1501");
    assert_int_equal(first->device_count, 1);
    assert_ptr_equal(users_find_device(gateway.users, "1501")->user, second);
    assert_string_equal(trace.data, "oxe1001 created\noxe1001 removed\n");
}

static void a_main_device_is_nobody_elses(void **unused)
{
    const struct user *first = add("1001", NULL), *second = add("1002", "1001");
    (void)unused;
    assert_int_equal(second->device_count, 1);
    assert_ptr_equal(users_find_device(gateway.users, "1001")->user, first);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(who_comes_changes_and_goes_is_told),
        CASE(who_is_there_already_stays_as_he_is),
        CASE(a_secondary_device_moves_to_the_user_who_names_it),
        CASE(a_secondary_device_becomes_a_user_of_its_own),
        CASE(a_main_device_is_nobody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
