/* Directories of PBXs, users in memory and in a real PostgreSQL, and the events about them. */
#include "gateway/directory.h"
#include "gateway/intake.h"

#include "gateway/api/telephony/events.h"
#include "gateway/events/bus.h"
#include "gateway/housekeeping.h"
#include "gateway/model/calls.h"
#include "gateway/model/users.h"
#include "gateway/pbx/pbxs.h"
#include "gateway/store/migrations.h"
#include "lib/common/common.h"
#include "lib/common/timer.h"
#include "tests/support/pg_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 15000, MANY = 20000 };

static struct pg_server *pg;
static uv_loop_t loop;
static struct gateway_settings settings;
static struct gateway *gateway;
static struct subscription *watcher;

static const struct pbx_device three[] = {
    {.number = "1001", .name = "Nora Lindqvist", .type = DEVICE_TYPE_DESKPHONE, .model = "NOE"},
    {.number = "1501", .main_number = "1001", .type = DEVICE_TYPE_MOBILE},
    {.number = "1002", .name = "Olof \"Olle\" Ek", .type = DEVICE_TYPE_DECT},
    {.number = "1003", .name = "T\xc3\xa9o"},
};

/* --- a gateway without network ------------------------------------------------------------------
 */

static void on_load_end(void *context)
{
    housekeeping_load_end(context);
}

static void on_down(void *context)
{
    (void)context;
}

static bool wait_until(bool (*holds)(void))
{
    uint64_t deadline_ms = common_boot_ms() + WAIT_MS;
    while (!holds() && common_boot_ms() < deadline_ms)
        (void)uv_run(&loop, UV_RUN_ONCE);
    return holds();
}

static bool is_ready(void)
{
    return store_is_ready(gateway->store);
}

static void watch(void)
{
    static const char *const names[] = {"user", "userManagement"};
    const struct filter_selector selector = {
        .names = {.items = names, .count = COUNT_OF(names), .set = true}};
    const struct filter_request request = {
        .selectors = {.items = &selector, .count = 1, .set = true}};
    struct digest digest;
    struct session *session;
    struct filter *filter;
    digest_of_text("watcher", &digest);
    const struct session_birth birth = {
        .credential = &digest, .login = "admin", .administrator = true};
    assert_int_equal(sessions_add(&gateway->sessions, &birth, common_boot_ms(), &session), 0);
    assert_int_equal(filter_new(&request, NULL, &filter, NULL), 0);
    const struct subscription_birth subscription = {.id = &digest, .session = session};
    assert_int_equal(subscriptions_add(&gateway->subscriptions, &subscription, filter, 0), 0);
    watcher = subscriptions_find(&gateway->subscriptions, &digest);
}

static void close_gateway(void)
{
    store_close(gateway->store);
    directory_free(gateway->directory);
    while (!TAILQ_EMPTY(&gateway->sessions.all))
        gateway_drop_session(gateway, TAILQ_FIRST(&gateway->sessions.all));
    pbxs_free(gateway->pbxs);
    calls_free(gateway->calls);
    users_free(gateway->users);
    subscriptions_done(&gateway->subscriptions);
    sessions_done(&gateway->sessions);
    free(gateway);
    gateway = NULL;
    (void)uv_run(&loop, UV_RUN_DEFAULT);
}

/* As after a start: everything comes from the database. */
static void open_gateway(void)
{
    struct calls_sink sink;
    struct pbx_events events;
    struct diag diag = {0};
    gateway = calloc(1, sizeof(*gateway));
    assert_non_null(gateway);
    gateway->loop = &loop;
    gateway->settings = &settings;
    sessions_init(&gateway->sessions, 1800);
    subscriptions_init(&gateway->subscriptions);
    gateway->users = users_new();
    gateway->directory = directory_new(gateway);
    telephony_events_sink(gateway, &sink);
    intake_events(gateway, &events);
    gateway->pbxs = pbxs_new(gateway->loop, &events);
    gateway->calls = calls_new(gateway->users, &sink);
    const struct store_options options = {
        .host = pg_server_folder(pg),
        .port = pg_server_port(pg),
        .database = "postgres",
        .user = "postgres",
        .events = {.load_begin = housekeeping_load_begin,
                   .load_user = directory_load_user,
                   .load_session = housekeeping_load_session,
                   .load_subscription = housekeeping_load_subscription,
                   .load_end = on_load_end,
                   .down = on_down,
                   .context = gateway},
    };
    assert_int_equal(store_open(&loop, &options, &gateway->store, &diag), 0);
    assert_true(wait_until(is_ready));
    watch();
}

static int begin(void **unused)
{
    (void)unused;
    open_gateway();
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    close_gateway();
    return pg_server_run(pg, "TRUNCATE subscriber, credential CASCADE", NULL, 0);
}

/* --- questions ---------------------------------------------------------------------------------
 */

static size_t wanted_count;

static bool has_count(void)
{
    return users_count(gateway->users) == wanted_count;
}

static void apply(const struct pbx_device *devices, size_t count)
{
    directory_apply(gateway, "1", devices, count);
}

static void expect_users(size_t count)
{
    wanted_count = count;
    assert_true(wait_until(has_count));
}

static void expect_event(const char *text)
{
    struct event_line *line = event_queue_pop(&watcher->queue);
    assert_non_null(line);
    line->text[line->len_bytes - 1] = '\0';
    assert_string_equal(line->text, text);
    event_line_unref(line);
}

static void forget_events(void)
{
    struct event_line *line;
    while ((line = event_queue_pop(&watcher->queue)) != NULL)
        event_line_unref(line);
}

static void expect_no_event(void)
{
    assert_int_equal(watcher->queue.count, 0);
}

static void turn_for(uint64_t ms)
{
    uint64_t deadline_ms = common_boot_ms() + ms;
    while (common_boot_ms() < deadline_ms) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        (void)usleep(1000);
    }
}

static void ask_database(const char *sql, const char *expected)
{
    char value[256];
    assert_int_equal(pg_server_run(pg, sql, value, sizeof(value)), 0);
    assert_string_equal(value, expected);
}

static int outcome;
static char named[256];
static bool came;

static bool has_come(void)
{
    return came;
}

static void on_done(void *context, int error)
{
    (void)context;
    outcome = error;
    came = true;
}

static void on_back(void *context, int error, const char *const *logins, size_t count)
{
    size_t used = 0;
    named[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(named + used, sizeof(named) - used, "%s ", logins[i]);
    on_done(context, error);
}

static char unknown[64];

static struct directory_wish wish_for(const char *const *numbers, size_t count)
{
    return (struct directory_wish){.node = "1",
                                   .numbers = numbers,
                                   .count = count,
                                   .ret_unknown = unknown,
                                   .unknown_cap_bytes = sizeof(unknown)};
}

static void bring_back(const struct directory_wish *wish, const char *expected)
{
    came = false;
    assert_int_equal(directory_bring_back(gateway, wish, on_back, NULL), 0);
    assert_true(wait_until(has_come));
    assert_int_equal(outcome, 0);
    assert_string_equal(named, expected);
}

static void leave_out(const char *login)
{
    came = false;
    assert_int_equal(directory_leave_out(gateway, login, on_done, NULL), 0);
    assert_true(wait_until(has_come));
    assert_int_equal(outcome, 0);
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void a_first_reading_makes_users_and_tells(void **unused)
{
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    expect_event("{\"eventName\":\"OnUserCreated\",\"user\":{\"companyPhone\":\"1001\","
                 "\"firstName\":\"Nora\",\"lastName\":\"Lindqvist\",\"loginName\":\"oxe1001\","
                 "\"devices\":[{\"type\":\"DESKPHONE\",\"id\":\"1001\",\"subType\":\"NOE\"},"
                 "{\"type\":\"MOBILE\",\"id\":\"1501\"}],\"nodeId\":\"1\"}}");
    expect_event(
        "{\"eventName\":\"OnUserCreated\",\"user\":{\"companyPhone\":\"1002\","
        "\"firstName\":\"Olof\",\"lastName\":\"\\\"Olle\\\" Ek\",\"loginName\":"
        "\"oxe1002\",\"devices\":[{\"type\":\"DECT\",\"id\":\"1002\"}],\"nodeId\":\"1\"}}");
    forget_events();
    apply(three, COUNT_OF(three));
    turn_for(50);
    expect_no_event();

    close_gateway(); /* and everything is there again */
    open_gateway();
    expect_users(3);
    const struct user *nora = users_find(gateway->users, "1001");
    assert_string_equal(nora->last_name, "Lindqvist");
    assert_string_equal(nora->devices[0]->model, "NOE");
    assert_int_equal(nora->devices[1]->type, DEVICE_TYPE_MOBILE);
    assert_string_equal(users_find(gateway->users, "1002")->last_name, "\"Olle\" Ek");
    expect_no_event();
}

static bool olof_is_lund(void)
{
    return strcmp(users_find(gateway->users, "1002")->last_name, "Lund") == 0;
}

static void changes_and_deletions_are_told_after_the_commit(void **unused)
{
    static const struct pbx_device later[] = {{.number = "1002", .name = "Olof Lund"}};
    struct digest digest;
    struct session *session;
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    forget_events();
    digest_of_text("his", &digest);
    const struct session_birth birth = {.credential = &digest, .login = "oxe1001"};
    assert_int_equal(sessions_add(&gateway->sessions, &birth, common_boot_ms(), &session), 0);
    apply(later, 1);
    expect_users(1);
    expect_event("{\"eventName\":\"OnUserDeleted\",\"loginName\":\"oxe1001\"}");
    expect_event("{\"eventName\":\"OnUserDeleted\",\"loginName\":\"oxe1003\"}");
    assert_null(sessions_find_any(&gateway->sessions, &digest));
    assert_true(wait_until(olof_is_lund));
    expect_event("{\"eventName\":\"OnUserInfoChanged\",\"loginName\":\"oxe1002\",\"user\":{"
                 "\"companyPhone\":\"1002\",\"firstName\":\"Olof\",\"lastName\":\"Lund\","
                 "\"loginName\":\"oxe1002\",\"devices\":[{\"id\":\"1002\"}],\"nodeId\":\"1\"}}");
    ask_database("SELECT string_agg(login || last_name, ',') FROM subscriber", "oxe1002Lund");
}

static void a_device_that_moves_is_told_of_at_both_users(void **unused)
{
    static const struct pbx_device before[] = {
        {.number = "1001"}, {.number = "1002"}, {.number = "1502", .main_number = "1002"}};
    static const struct pbx_device after[] = {
        {.number = "1001"}, {.number = "1002"}, {.number = "1502", .main_number = "1001"}};
    static const struct pbx_device alone[] = {
        {.number = "1001"}, {.number = "1002"}, {.number = "1502"}};
    (void)unused;
    apply(before, COUNT_OF(before));
    expect_users(2);
    forget_events();
    apply(after, COUNT_OF(after));
    turn_for(100);
    expect_event("{\"eventName\":\"OnUserInfoChanged\",\"loginName\":\"oxe1002\",\"user\":{"
                 "\"companyPhone\":\"1002\",\"firstName\":\"\",\"lastName\":\"\",\"loginName\":"
                 "\"oxe1002\",\"devices\":[{\"id\":\"1002\"}],\"nodeId\":\"1\"}}");
    expect_event(
        "{\"eventName\":\"OnUserInfoChanged\",\"loginName\":\"oxe1001\",\"user\":{"
        "\"companyPhone\":\"1001\",\"firstName\":\"\",\"lastName\":\"\",\"loginName\":"
        "\"oxe1001\",\"devices\":[{\"id\":\"1001\"},{\"id\":\"1502\"}],\"nodeId\":\"1\"}}");
    expect_no_event();
    ask_database("SELECT string_agg(login || devices::text, ' ' ORDER BY login) FROM subscriber",
                 "oxe1001[{\"id\":\"1001\"},{\"id\":\"1502\"}] oxe1002[{\"id\":\"1002\"}]");
    apply(alone, COUNT_OF(alone));
    expect_users(3);
    assert_string_equal(users_find_device(gateway->users, "1502")->user->login, "oxe1502");
    assert_int_equal(users_find(gateway->users, "1001")->device_count, 1);
}

static void a_number_that_two_nodes_list_belongs_to_one_of_them_everywhere(void **unused)
{
    static const struct pbx_device at_one[] = {{.number = "1001"}, {.number = "1002"}};
    static const struct pbx_device at_two[] = {{.number = "1002"}, {.number = "1003"}};
    (void)unused;
    apply(at_one, COUNT_OF(at_one)); /* both are on their way together */
    directory_apply(gateway, "2", at_two, COUNT_OF(at_two));
    expect_users(3);
    turn_for(100);
    assert_string_equal(users_find(gateway->users, "1002")->node, "1");
    ask_database("SELECT string_agg(login || ' ' || node, ', ' ORDER BY login) FROM subscriber",
                 "oxe1001 1, oxe1002 1, oxe1003 2");
    apply(at_one, 1); /* when the one gives it up, the other has it */
    expect_users(2);
    directory_apply(gateway, "2", at_two, COUNT_OF(at_two));
    expect_users(3);
    assert_string_equal(users_find(gateway->users, "1002")->node, "2");
}

static void a_drastic_loss_is_believed_the_second_time(void **unused)
{
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    apply(three, 0);
    turn_for(100);
    assert_int_equal(users_count(gateway->users), 3);
    apply(three, COUNT_OF(three)); /* it was a mistake */
    apply(three, 0);
    turn_for(100);
    assert_int_equal(users_count(gateway->users), 3);
    apply(three, 0);
    expect_users(0);
}

static void a_reading_waits_for_the_database(void **unused)
{
    (void)unused;
    pg_server_crash(pg);
    turn_for(50);
    apply(three, 2);
    apply(three, COUNT_OF(three)); /* replaces the one that waits */
    turn_for(50);
    assert_int_equal(users_count(gateway->users), 0);
    assert_int_equal(pg_server_start(pg), 0);
    expect_users(3);
    ask_database("SELECT count(*) FROM subscriber", "3");
}

static void a_list_that_comes_again_is_believed_only_while_the_database_says_so(void **unused)
{
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    apply(three, COUNT_OF(three)); /* nothing to do: from here on the list is known */
    apply(three, COUNT_OF(three));
    turn_for(50);
    assert_int_equal(users_count(gateway->users), 3);
    assert_int_equal(pg_server_run(pg, "DELETE FROM subscriber WHERE login = 'oxe1002'", NULL, 0),
                     0);
    pg_server_crash(pg);
    turn_for(50);
    assert_int_equal(pg_server_start(pg), 0);
    expect_users(2);
    apply(three, COUNT_OF(three));
    expect_users(3);
}

static void who_was_removed_stays_away_until_he_is_brought_back(void **unused)
{
    static const char *const numbers[] = {"1002", "1001", "1002"};
    const struct directory_wish wish = wish_for(numbers, COUNT_OF(numbers));
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    forget_events();
    leave_out("oxe1001");
    expect_event("{\"eventName\":\"OnUserDeleted\",\"loginName\":\"oxe1001\"}");
    apply(three, COUNT_OF(three));
    turn_for(100);
    assert_int_equal(users_count(gateway->users), 2);

    close_gateway();
    open_gateway();
    assert_int_equal(directory_bring_back(gateway, &wish, on_back, NULL), -EAGAIN);
    apply(three, COUNT_OF(three));
    turn_for(100);
    assert_int_equal(users_count(gateway->users), 2);
    bring_back(&wish, "oxe1002 oxe1001 ");
    assert_int_equal(users_count(gateway->users), 3);
    ask_database("SELECT count(*) FROM subscriber WHERE left_out", "0");
}

static void numbers_that_the_pbx_lacks_are_named_and_nothing_is_done(void **unused)
{
    static const char *const numbers[] = {"1001", "7777", "1501", "7778", "7777"};
    struct directory_wish wish = wish_for(numbers, COUNT_OF(numbers));
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    leave_out("oxe1001");
    assert_int_equal(directory_bring_back(gateway, &wish, on_back, NULL), -ENOENT);
    assert_string_equal(unknown, "7777, 1501, 7778");
    assert_int_equal(users_count(gateway->users), 2);
    wish.numbers = NULL; /* everybody */
    bring_back(&wish, "oxe1001 ");
    assert_int_equal(users_count(gateway->users), 3);
}

static void a_removed_user_has_no_password_and_no_sessions(void **unused)
{
    (void)unused;
    apply(three, COUNT_OF(three));
    expect_users(3);
    assert_int_equal(
        pg_server_run(pg, "INSERT INTO subscriber_password VALUES ('oxe1001', 'x')", NULL, 0), 0);
    assert_int_equal(
        pg_server_run(pg,
                      "INSERT INTO credential (digest, login, administrator, remaining_s) VALUES"
                      " (sha256('1'), 'oxe1001', false, 9), (sha256('2'), 'admin', true, 9),"
                      " (sha256('3'), 'admin', true, 9), (sha256('4'), 'oxe1002', false, 9)",
                      NULL, 0),
        0);
    assert_int_equal(
        pg_server_run(pg,
                      "INSERT INTO session (credential, id, application, opened_at, supervised)"
                      " VALUES (sha256('2'), 'a', 'x', now(), 'oxe1001'),"
                      " (sha256('3'), 'b', 'x', now(), 'oxe1002')",
                      NULL, 0),
        0);
    leave_out("oxe1001");
    ask_database("SELECT count(*) FROM subscriber_password", "0");
    ask_database("SELECT string_agg(encode(digest, 'hex'), ',' ORDER BY digest) ="
                 " (SELECT string_agg(encode(sha256(x::bytea), 'hex'), ',' ORDER BY"
                 " sha256(x::bytea)) FROM unnest(ARRAY['3', '4']) AS x) FROM credential",
                 "t");
}

static void twenty_thousand_users_are_taken_and_loaded_in_time(void **unused)
{
    struct pbx_device *devices = calloc(MANY, sizeof(*devices));
    char(*numbers)[8] = calloc(MANY, sizeof(*numbers));
    (void)unused;
    assert_non_null(devices);
    assert_non_null(numbers);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%zu", 20000 + i);
        devices[i] = (struct pbx_device){.number = numbers[i],
                                         .name = "Some Body",
                                         .type = DEVICE_TYPE_DESKPHONE,
                                         .model = "NOE"};
    }
    uint64_t begin_ms = common_boot_ms();
    apply(devices, MANY);
    expect_users(MANY);
    print_message("%d users from the PBX's list to the last commit: %u ms\n", MANY,
                  (unsigned)(common_boot_ms() - begin_ms));
    assert_true(common_boot_ms() - begin_ms < 10000);
    close_gateway();
    begin_ms = common_boot_ms();
    open_gateway();
    print_message("%d users from connecting to the end of the load: %u ms\n", MANY,
                  (unsigned)(common_boot_ms() - begin_ms));
    assert_int_equal(users_count(gateway->users), MANY);
    free(devices);
    free(numbers);
}

/* The database is one of the release that knew no users. */
static int open_all(void **unused)
{
    (void)unused;
    pg = pg_server_new(NULL);
    if (pg == NULL || pg_server_run(pg, migration_step(0), NULL, 0) < 0 ||
        pg_server_run(pg, migration_step(1), NULL, 0) < 0)
        return -1;
    return uv_loop_init(&loop);
}

static int close_all(void **unused)
{
    (void)unused;
    pg_server_free(pg);
    return uv_loop_close(&loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_first_reading_makes_users_and_tells),
        TEST(changes_and_deletions_are_told_after_the_commit),
        TEST(a_device_that_moves_is_told_of_at_both_users),
        TEST(a_number_that_two_nodes_list_belongs_to_one_of_them_everywhere),
        TEST(a_drastic_loss_is_believed_the_second_time),
        TEST(a_reading_waits_for_the_database),
        TEST(a_list_that_comes_again_is_believed_only_while_the_database_says_so),
        TEST(who_was_removed_stays_away_until_he_is_brought_back),
        TEST(numbers_that_the_pbx_lacks_are_named_and_nothing_is_done),
        TEST(a_removed_user_has_no_password_and_no_sessions),
        TEST(twenty_thousand_users_are_taken_and_loaded_in_time),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
