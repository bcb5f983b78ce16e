#include "gateway/auth/sessions.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct sessions sessions;

static struct session *add(const char *credential, const char *login, int64_t remaining_s,
                           uint64_t now_ms)
{
    struct session *session = NULL;
    struct digest digest;
    digest_of_text(credential, &digest);
    const struct session_birth birth = {
        .credential = &digest, .login = login, .administrator = true, .remaining_s = remaining_s};
    assert_int_equal(sessions_add(&sessions, &birth, now_ms, &session), 0);
    return session;
}

static struct session *find(const char *credential, uint64_t now_ms)
{
    struct digest digest;
    digest_of_text(credential, &digest);
    return sessions_find(&sessions, &digest, now_ms);
}

static int begin(void **unused)
{
    (void)unused;
    sessions_init(&sessions, 1800);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    sessions_done(&sessions);
    return 0;
}

static void a_session_outlives_its_announced_time_by_a_margin(void **unused)
{
    (void)unused;
    (void)add("c", "admin", 0, 0);
    assert_non_null(find("c", 1800 * 1000));
    assert_non_null(find("c", 2009 * 1000));
    assert_null(find("c", 2010 * 1000));
}

static void use_renews_it(void **unused)
{
    struct session *session = add("c", "admin", 0, 0);
    (void)unused;
    sessions_touch(&sessions, session, 2000 * 1000);
    assert_true(session->touched);
    assert_non_null(find("c", 4000 * 1000));
    assert_int_equal(session_remaining_s(session, 4000 * 1000), 10);
    assert_int_equal(session_remaining_s(session, 9000 * 1000), 1);
}

static void what_is_taken_over_lives_its_remaining_time(void **unused)
{
    (void)unused;
    (void)add("c", "admin", 120, 5000);
    assert_non_null(find("c", 124 * 1000));
    assert_null(find("c", 125 * 1000));
}

static void an_ending_session_is_not_found(void **unused)
{
    struct session *session = add("c", "admin", 0, 0);
    (void)unused;
    session->ending = true;
    assert_null(find("c", 0));
    assert_ptr_equal(sessions_find_any(&sessions, &session->by_credential.key), session);
}

static void a_credential_exists_once(void **unused)
{
    struct session *again = NULL;
    struct session *session = add("c", "admin", 0, 0);
    const struct session_birth birth = {.credential = &session->by_credential.key, .login = "x"};
    (void)unused;
    assert_int_equal(sessions_add(&sessions, &birth, 0, &again), -EEXIST);
    assert_null(again);
}

static void a_supervising_session_is_the_users_in_all_but_its_supervisor(void **unused)
{
    struct session *session = add("c", "admin", 0, 0);
    (void)unused;
    assert_int_equal(session_supervise(&sessions, session, "oxe1"), 0);
    assert_string_equal(session_login(session), "oxe1");
    assert_string_equal(session->supervisor, "admin");
    assert_false(session->administrator);
    assert_null(sessions_find_account(&sessions, "admin"));
    const struct account *account = sessions_find_account(&sessions, "oxe1");
    assert_non_null(account);
    assert_ptr_equal(TAILQ_FIRST(&account->sessions), session);
    assert_ptr_equal(find("c", 0), session);
}

static void an_account_lives_as_long_as_its_last_session(void **unused)
{
    struct session *first = add("a", "oxe1", 0, 0), *second = add("b", "oxe1", 0, 0);
    (void)unused;
    assert_ptr_equal(first->account, second->account);
    sessions_remove(&sessions, first);
    assert_ptr_equal(sessions_find_account(&sessions, "oxe1"), second->account);
    sessions_remove(&sessions, second);
    assert_null(sessions_find_account(&sessions, "oxe1"));
}

static void thousands_are_found_and_removed(void **unused)
{
    char text[16];
    (void)unused;
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(text, sizeof(text), "c%d", i);
        (void)add(text, i % 2 == 0 ? "even" : "odd", 0, 0);
    }
    for (int i = 0; i < 20000; i += 2) {
        (void)snprintf(text, sizeof(text), "c%d", i);
        struct session *session = find(text, 0);
        assert_non_null(session);
        assert_string_equal(session->account->login, "even");
        sessions_remove(&sessions, session);
        assert_null(find(text, 0));
    }
    assert_int_equal(sessions.by_credential.count, 10000);
    assert_int_equal(sessions.accounts.count, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(a_session_outlives_its_announced_time_by_a_margin),
        CASE(use_renews_it),
        CASE(what_is_taken_over_lives_its_remaining_time),
        CASE(an_ending_session_is_not_found),
        CASE(a_credential_exists_once),
        CASE(a_supervising_session_is_the_users_in_all_but_its_supervisor),
        CASE(an_account_lives_as_long_as_its_last_session),
        CASE(thousands_are_found_and_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
