/* Runs against a real private server: what libpq and the server do when things break is exactly
 * what is promised here, and no stand-in would show it. */
#include "lib/common/pg.h"

#include "lib/common/common.h"
#include "tests/support/pg_server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

static struct pg_server *server;

struct session {
    uv_loop_t loop;
    struct pg *pg;
    int ups, downs;
    char why[512];
    int answers, good, unknown, last_error;
    char value[128], sqlstate[6], message[256];
    int rows, affected;
    int order; /* the last number seen by on_ordered */
    bool in_order;
    bool close_in_callback;
};

static void on_state(void *context, bool up, const struct diag *why)
{
    struct session *session = context;
    session->ups += up;
    session->downs += !up;
    if (!up)
        (void)snprintf(session->why, sizeof(session->why), "%s", why->text);
    assert_int_equal(up, why == NULL);
}

static void on_answer(void *context, const struct pg_result *result)
{
    struct session *session = context;
    session->answers++;
    session->good += result->error == 0;
    session->unknown += result->outcome_unknown;
    session->last_error = result->error;
    session->rows = result->rows;
    session->affected = result->affected;
    memcpy(session->sqlstate, result->sqlstate, sizeof(session->sqlstate));
    (void)snprintf(session->message, sizeof(session->message), "%s", result->message);
    if (result->error == 0 && result->rows > 0) {
        const char *value = pg_value(result, 0, 0);
        (void)snprintf(session->value, sizeof(session->value), "%s",
                       value != NULL ? value : "(null)");
    }
    if (session->close_in_callback) {
        session->close_in_callback = false;
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void open_session(struct session *session, bool keep, bool pipeline,
                         const char *const *prelude)
{
    const char *keywords[] = {"host", "port", "user", "dbname", NULL};
    const char *values[] = {pg_server_folder(server), pg_server_port(server), "postgres",
                            "postgres", NULL};
    struct diag diag = {0};
    struct pg_options options = {
        .keywords = keywords,
        .values = values,
        .connect_timeout_ms = 5000,
        .keep = keep,
        .pipeline = pipeline,
        .prelude = prelude,
        .state = on_state,
        .context = session,
    };
    assert_int_equal(pg_open(&session->loop, &options, &session->pg, &diag), 0);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until the counter reaches the value or the time is over. The tick keeps a loop that
 * has nothing left to do from sleeping on. */
static void run_while_below(struct session *session, const int *counter, int value, uint64_t ms)
{
    uv_timer_t tick;
    (void)uv_timer_init(&session->loop, &tick);
    (void)uv_timer_start(&tick, on_tick, 5, 5);
    uint64_t end = common_boot_ms() + ms;
    while (*counter < value && common_boot_ms() < end)
        (void)uv_run(&session->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    (void)uv_run(&session->loop, UV_RUN_NOWAIT);
}

static void run_until(struct session *session, const int *counter, int value)
{
    run_while_below(session, counter, value, PATIENCE_MS);
    assert_true(*counter >= value);
}

static void run_for(struct session *session, uint64_t ms)
{
    static const int never = 0;
    run_while_below(session, &never, 1, ms);
}

static void ask(struct session *session, const char *sql, uint64_t timeout_ms)
{
    assert_int_equal(pg_query(session->pg, sql, NULL, 0, timeout_ms, on_answer, session), 0);
}

static int set_up(void **state)
{
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL || uv_loop_init(&session->loop) != 0)
        return -1;
    if (pg_server_pid(server) == 0 && pg_server_start(server) != 0)
        return -1;
    *state = session;
    return 0;
}

static int tear_down(void **state)
{
    struct session *session = *state;
    if (pg_server_pid(server) > 0)
        pg_server_resume(server);
    pg_close(session->pg);
    (void)uv_run(&session->loop, UV_RUN_DEFAULT);
    int r = uv_loop_close(&session->loop); /* fails when a handle was left behind */
    free(session);
    return r;
}

static void a_statement_queued_before_the_connection_is_answered(void **state)
{
    struct session *session = *state;
    open_session(session, false, false, NULL);
    assert_false(pg_is_up(session->pg));
    ask(session, "SELECT 40 + 2", PATIENCE_MS);
    assert_int_equal(session->answers, 0);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, 0);
    assert_string_equal(session->value, "42");
    assert_int_equal(session->rows, 1);
    assert_true(pg_is_up(session->pg));
    assert_int_equal(session->ups, 1);
}

static void parameters_travel_apart_from_the_text(void **state)
{
    struct session *session = *state;
    open_session(session, false, false, NULL);
    const char *params[] = {"'; DROP TABLE x; --", NULL};
    assert_int_equal(pg_query(session->pg, "SELECT $1::text WHERE $2::text IS NULL", params, 2,
                              PATIENCE_MS, on_answer, session),
                     0);
    run_until(session, &session->answers, 1);
    assert_string_equal(session->value, "'; DROP TABLE x; --");
}

static void changed_rows_are_counted(void **state)
{
    struct session *session = *state;
    open_session(session, false, false, NULL);
    ask(session, "CREATE TEMP TABLE counted (n int)", PATIENCE_MS);
    ask(session, "INSERT INTO counted SELECT generate_series(1, 7)", PATIENCE_MS);
    run_until(session, &session->answers, 2);
    assert_int_equal(session->good, 2);
    assert_int_equal(session->affected, 7);
}

static void a_server_error_carries_its_code_and_costs_only_its_statement(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        open_session(session, false, pipeline == 1, NULL);
        session->answers = session->good = 0;
        ask(session, "SELECT 1 / 0", PATIENCE_MS);
        run_until(session, &session->answers, 1);
        assert_int_equal(session->last_error, -EPROTO);
        assert_string_equal(session->sqlstate, "22012");
        assert_string_equal(session->message, "division by zero");
        assert_int_equal(session->unknown, 0);

        ask(session, "SELECT 1", PATIENCE_MS);
        ask(session, "SELECT nonsense", PATIENCE_MS);
        ask(session, "SELECT 2", PATIENCE_MS);
        run_until(session, &session->answers, 4);
        assert_int_equal(session->good, 2);
        assert_string_equal(session->value, "2");
        assert_int_equal(session->downs, 0);
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void a_deferred_failure_of_the_commit_is_no_success(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        open_session(session, false, pipeline == 1, NULL);
        session->answers = 0;
        ask(session, "CREATE TEMP TABLE twice (n int, UNIQUE (n) DEFERRABLE INITIALLY DEFERRED)",
            PATIENCE_MS);
        /* the rows are answered before the commit finds the double value */
        ask(session, "INSERT INTO twice VALUES (1), (1) RETURNING n", PATIENCE_MS);
        run_until(session, &session->answers, 2);
        assert_int_equal(session->last_error, -EPROTO);
        assert_string_equal(session->sqlstate, "23505");
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void the_prelude_runs_before_the_first_statement(void **state)
{
    struct session *session = *state;
    static const char *const prelude[] = {"SET application_name = 'prelude'",
                                          "SET work_mem = '1MB'", NULL};
    open_session(session, false, true, prelude);
    ask(session, "SELECT current_setting('application_name') || current_setting('work_mem')",
        PATIENCE_MS);
    run_until(session, &session->answers, 1);
    assert_string_equal(session->value, "prelude1MB");
}

static void a_failing_prelude_keeps_the_connection_down(void **state)
{
    struct session *session = *state;
    static const char *const prelude[] = {"SET no_such_setting = 1", NULL};
    open_session(session, true, false, prelude);
    ask(session, "SELECT 1", 600);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, -ENOTCONN);
    assert_int_equal(session->unknown, 0);
    assert_int_equal(session->ups, 0);
    assert_in_range(session->downs, 2, 5); /* backs off: 0.1, 0.2, 0.4 s */
    assert_non_null(strstr(session->why, "no_such_setting"));
    assert_non_null(strstr(session->message, "no_such_setting"));
}

static void a_killed_backend_leaves_the_statement_in_doubt(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        open_session(session, true, pipeline == 1, NULL);
        session->ups = session->answers = session->unknown = session->downs = 0;
        run_until(session, &session->ups, 1);
        ask(session, "SELECT pg_sleep(100)", PATIENCE_MS);
        run_for(session, 100);
        assert_int_equal(pg_server_run(server,
                                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                       "WHERE query LIKE 'SELECT pg_sleep%'",
                                       session->value, sizeof(session->value)),
                         0);
        assert_string_equal(session->value, "t");
        run_until(session, &session->answers, 1);
        assert_int_equal(session->last_error, -ECONNRESET);
        assert_int_equal(session->unknown, 1);
        assert_non_null(strstr(session->message, "administrator command"));
        /* and comes back */
        run_until(session, &session->ups, 2);
        ask(session, "SELECT 'again'", PATIENCE_MS);
        run_until(session, &session->answers, 2);
        assert_string_equal(session->value, "again");
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void an_idle_connection_notices_its_end(void **state)
{
    struct session *session = *state;
    open_session(session, true, false, NULL);
    run_until(session, &session->ups, 1);
    assert_int_equal(pg_server_run(server,
                                   "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                   "WHERE backend_type = 'client backend' AND pid <> "
                                   "pg_backend_pid()",
                                   session->value, sizeof(session->value)),
                     0);
    assert_string_equal(session->value, "1");
    run_until(session, &session->downs, 1);
    assert_non_null(strstr(session->why, "administrator command"));
    run_until(session, &session->ups, 2);
}

static void a_frozen_server_costs_the_statement_its_time_and_no_more(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        open_session(session, true, pipeline == 1, NULL);
        session->ups = session->answers = session->unknown = session->downs = 0;
        run_until(session, &session->ups, 1);
        pg_server_pause(server);
        uint64_t start = common_boot_ms();
        ask(session, "SELECT 1", 300);
        ask(session, "SELECT 2", 60000);
        run_until(session, &session->answers, 2);
        assert_in_range(common_boot_ms() - start, 290, 3000);
        assert_int_equal(session->last_error, -ECONNRESET); /* of the second one */
        /* without a pipeline the second one was never sent */
        assert_int_equal(session->unknown, pipeline == 1 ? 2 : 1);
        assert_int_equal(session->downs, 1);
        assert_non_null(strstr(session->why, "no answer in time"));
        pg_server_resume(server);
        run_until(session, &session->ups, 2);
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void a_sent_statement_that_times_out_says_so(void **state)
{
    struct session *session = *state;
    open_session(session, false, false, NULL);
    ask(session, "SELECT pg_sleep(60)", 500);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, -ETIMEDOUT);
    assert_int_equal(session->unknown, 1);
    assert_false(pg_is_up(session->pg));
    /* without `keep` that was the end */
    assert_int_equal(pg_query(session->pg, "SELECT 1", NULL, 0, 100, on_answer, session),
                     -ENOTCONN);
}

static void an_unsent_statement_that_times_out_hurts_nobody(void **state)
{
    struct session *session = *state;
    open_session(session, false, false, NULL);
    ask(session, "SELECT pg_sleep(1)", PATIENCE_MS);
    ask(session, "SELECT 'too late'", 300);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, -ENOTCONN);
    assert_int_equal(session->unknown, 0);
    run_until(session, &session->answers, 2);
    assert_int_equal(session->last_error, 0);
    assert_int_equal(session->downs, 0);
}

static void a_restarted_server_is_found_again(void **state)
{
    struct session *session = *state;
    open_session(session, true, true, NULL);
    run_until(session, &session->ups, 1);
    pg_server_crash(server);
    run_until(session, &session->downs, 2); /* the loss, and a refused attempt */
    assert_non_null(strstr(session->why, "no connection"));
    ask(session, "SELECT 'waited'", PATIENCE_MS);
    assert_int_equal(pg_server_start(server), 0);
    run_until(session, &session->answers, 1);
    assert_string_equal(session->value, "waited");
}

static void a_hastened_connection_does_not_wait_for_its_back_off(void **state)
{
    enum { REFUSED = 5, NEXT_PAUSE_MS = 1600 }; /* 100, 200, 400, 800, then this one */
    struct session *session = *state;
    pg_server_crash(server);
    open_session(session, true, false, NULL);
    run_until(session, &session->downs, REFUSED);
    assert_int_equal(pg_server_start(server), 0);
    uint64_t start = common_boot_ms();
    pg_hasten(session->pg);
    run_until(session, &session->ups, 1);
    assert_in_range(common_boot_ms() - start, 0, NEXT_PAUSE_MS / 2);
    assert_int_equal(session->downs, REFUSED);
}

static void hastening_disturbs_no_connection_that_is_up_or_under_way(void **state)
{
    struct session *session = *state;
    open_session(session, true, false, NULL);
    while (session->ups == 0) {
        (void)uv_run(&session->loop, UV_RUN_ONCE);
        pg_hasten(session->pg);
    }
    ask(session, "SELECT pg_sleep(0.1)", PATIENCE_MS);
    pg_hasten(session->pg);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, 0);
    assert_int_equal(session->ups, 1);
    assert_int_equal(session->downs, 0);
}

static void a_statement_without_a_server_ends_with_its_time(void **state)
{
    struct session *session = *state;
    pg_server_crash(server);
    open_session(session, true, false, NULL);
    uint64_t start = common_boot_ms();
    ask(session, "SELECT 1", 500);
    run_until(session, &session->answers, 1);
    assert_in_range(common_boot_ms() - start, 490, 3000);
    assert_int_equal(session->last_error, -ENOTCONN);
    assert_int_equal(session->unknown, 0);
    assert_non_null(strstr(session->message, "no connection"));
}

static void without_keep_a_failed_connection_is_the_end(void **state)
{
    struct session *session = *state;
    pg_server_crash(server);
    open_session(session, false, false, NULL);
    ask(session, "SELECT 1", PATIENCE_MS);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, -ECONNRESET);
    assert_int_equal(session->unknown, 0);
    assert_int_equal(session->downs, 1);
}

static void a_mute_server_ends_the_attempt_in_time(void **state)
{
    struct session *session = *state;
    /* listens, and never answers the start-up packet */
    char folder[] = "/tmp/og-mute-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);

    const char *keywords[] = {"host", "port", NULL};
    const char *values[] = {folder, "5432", NULL};
    struct pg_options options = {.keywords = keywords,
                                 .values = values,
                                 .connect_timeout_ms = 200,
                                 .state = on_state,
                                 .context = session};
    assert_int_equal(pg_open(&session->loop, &options, &session->pg, NULL), 0);
    uint64_t start = common_boot_ms();
    run_until(session, &session->downs, 1);
    assert_in_range(common_boot_ms() - start, 190, 3000);
    assert_string_equal(session->why, "no connection within 200 ms");
    (void)close(fd);
    (void)unlink(address.sun_path);
    (void)rmdir(folder);
}

static void a_host_name_is_refused_unless_its_address_is_given(void **state)
{
    struct session *session = *state;
    struct diag diag = {0};
    const char *keywords[] = {"host", "hostaddr", NULL};
    const char *values[] = {"db.example.org", "127.0.0.1", NULL};
    struct pg_options options = {.keywords = keywords, .values = values, .connect_timeout_ms = 100};
    assert_int_equal(pg_open(&session->loop, &options, &session->pg, &diag), 0);
    pg_close(session->pg);
    session->pg = NULL;

    keywords[1] = NULL;
    assert_int_equal(pg_open(&session->loop, &options, &session->pg, &diag), -EINVAL);
    assert_null(session->pg);
    assert_non_null(strstr(diag.text, "db.example.org"));
}

static void a_reset_fails_all_and_starts_anew(void **state)
{
    struct session *session = *state;
    for (int keep = 0; keep < 2; keep++) {
        open_session(session, keep == 1, false, NULL);
        session->answers = session->ups = session->unknown = 0;
        run_until(session, &session->ups, 1);
        ask(session, "SELECT pg_sleep(60)", PATIENCE_MS);
        ask(session, "SELECT 1", PATIENCE_MS);
        run_for(session, 50);
        pg_reset(session->pg);
        assert_int_equal(session->answers, 2);
        assert_int_equal(session->last_error, -ECONNRESET);
        assert_int_equal(session->unknown, 1);
        ask(session, "SELECT 'new'", PATIENCE_MS);
        run_until(session, &session->answers, 3);
        assert_string_equal(session->value, "new");
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void closing_answers_everybody_at_once(void **state)
{
    struct session *session = *state;
    open_session(session, true, true, NULL);
    run_until(session, &session->ups, 1);
    for (int i = 0; i < 5; i++)
        ask(session, "SELECT pg_sleep(60)", PATIENCE_MS);
    run_for(session, 50);
    pg_close(session->pg);
    session->pg = NULL;
    assert_int_equal(session->answers, 5);
    assert_int_equal(session->unknown, 5);
    assert_int_equal(session->downs, 0);
}

static void closing_within_a_callback_is_safe(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        session->answers = 0;
        session->close_in_callback = true;
        open_session(session, true, pipeline == 1, NULL);
        for (int i = 0; i < 4; i++)
            ask(session, "SELECT 1", PATIENCE_MS);
        run_until(session, &session->answers, 4);
        assert_null(session->pg);
    }
    /* and while the losses are being told */
    session->answers = 0;
    open_session(session, true, false, NULL);
    run_until(session, &session->ups, 3);
    session->close_in_callback = true;
    for (int i = 0; i < 4; i++)
        ask(session, "SELECT pg_sleep(60)", 200);
    run_until(session, &session->answers, 4);
    assert_null(session->pg);
}

static void on_ordered(void *context, const struct pg_result *result)
{
    struct session *session = context;
    session->answers++;
    session->good += result->error == 0;
    int number = result->error == 0 ? (int)pg_value_int64(result, 0, 0) : -1;
    session->in_order = session->in_order && number == session->order + 1;
    session->order = number;
}

static void ten_thousand_statements_keep_their_order(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        open_session(session, false, pipeline == 1, NULL);
        session->answers = session->good = session->order = session->ups = 0;
        session->in_order = true;
        run_until(session, &session->ups, 1);
        for (int i = 1; i <= PG_QUEUE_MAX; i++) {
            char number[16];
            (void)snprintf(number, sizeof(number), "%d", i);
            const char *params[] = {number};
            /* every 1000th answer is large: both directions fill up */
            assert_int_equal(pg_query(session->pg,
                                      "SELECT $1::int, repeat('x', CASE WHEN $1::int % 1000 = 0 "
                                      "THEN 300000 ELSE 1 END)",
                                      params, 1, 120000, on_ordered, session),
                             0);
        }
        assert_int_equal(pg_query(session->pg, "SELECT 1", NULL, 0, 1, on_answer, session),
                         -ENOBUFS);
        run_until(session, &session->answers, PG_QUEUE_MAX);
        assert_int_equal(session->good, PG_QUEUE_MAX);
        assert_true(session->in_order);
        pg_close(session->pg);
        session->pg = NULL;
    }
}

static void copy_is_refused_without_hanging(void **state)
{
    struct session *session = *state;
    open_session(session, true, false, NULL);
    ask(session, "COPY (SELECT 1) TO STDOUT", PATIENCE_MS);
    run_until(session, &session->answers, 1);
    assert_int_equal(session->last_error, -ECONNRESET);
    assert_string_equal(session->message, "COPY is not possible here");
    run_until(session, &session->ups, 2);
}

/* libpq takes TLS records apart in a buffer of its own: what is left in OpenSSL's would not wake
 * the loop. */
static void large_answers_cross_tls_whole(void **state)
{
    struct session *session = *state;
    char certificate[300];
    (void)snprintf(certificate, sizeof(certificate), "%s/server.crt", pg_server_folder(server));
    const char *keywords[] = {"host", "port", "user", "dbname", "sslmode", "sslrootcert", NULL};
    const char *values[] = {"127.0.0.1", pg_server_port(server), "postgres",
                            "postgres",  "verify-full",          certificate,
                            NULL};
    struct pg_options options = {.keywords = keywords,
                                 .values = values,
                                 .connect_timeout_ms = 5000,
                                 .pipeline = true,
                                 .state = on_state,
                                 .context = session};
    assert_int_equal(pg_open(&session->loop, &options, &session->pg, NULL), 0);
    enum { SIZES = 300 };
    for (int i = 0; i < SIZES; i++) {
        char size[16];
        (void)snprintf(size, sizeof(size), "%d", i < 200 ? 8000 + i * 7 : 16000 * (i - 199));
        const char *params[] = {size};
        assert_int_equal(pg_query(session->pg,
                                  "SELECT ssl, repeat('x', $1::int) FROM pg_stat_ssl "
                                  "WHERE pid = pg_backend_pid()",
                                  params, 1, PATIENCE_MS, on_answer, session),
                         0);
    }
    run_until(session, &session->answers, SIZES);
    assert_int_equal(session->good, SIZES);
    assert_string_equal(session->value, "t");
}

/* ---- what is reported against what the server kept ---- */

enum { WRITES = 4000, WRITES_AHEAD = 300 };

struct writer {
    struct session *session;
    int next, done;
    int calls[WRITES];
    int error[WRITES];
    bool unknown[WRITES];
};

struct write_context {
    struct writer *writer;
    int number;
};

static struct write_context write_contexts[WRITES];

static void write_more(struct writer *writer);

static void on_written(void *context, const struct pg_result *result)
{
    struct write_context *write = context;
    struct writer *writer = write->writer;
    writer->calls[write->number]++;
    writer->error[write->number] = result->error;
    writer->unknown[write->number] = result->outcome_unknown;
    writer->done++;
    write_more(writer);
}

static void write_more(struct writer *writer)
{
    while (writer->next < WRITES && writer->next - writer->done < WRITES_AHEAD) {
        struct write_context *write = &write_contexts[writer->next];
        *write = (struct write_context){.writer = writer, .number = writer->next++};
        char number[16];
        (void)snprintf(number, sizeof(number), "%d", write->number);
        const char *params[] = {number};
        assert_int_equal(pg_query(writer->session->pg, "INSERT INTO written VALUES ($1::int)",
                                  params, 1, PATIENCE_MS, on_written, write),
                         0);
    }
}

static void check_against_server(struct writer *writer)
{
    static char kept[WRITES + 1];
    int unknown = 0, refused = 0;
    assert_int_equal(pg_server_run(server,
                                   "SELECT string_agg(CASE WHEN n IS NULL THEN '0' ELSE '1' END, "
                                   "'' ORDER BY i) FROM generate_series(0, 3999) i "
                                   "LEFT JOIN written ON n = i",
                                   kept, sizeof(kept)),
                     0);
    assert_int_equal(strlen(kept), WRITES);
    for (int i = 0; i < WRITES; i++) {
        assert_int_equal(writer->calls[i], 1);
        assert_true(writer->error[i] != 0 || kept[i] == '1');
        assert_true(writer->error[i] == 0 || writer->unknown[i] || kept[i] == '0');
        unknown += writer->unknown[i];
        refused += writer->error[i] != 0 && !writer->unknown[i];
    }
    /* the test has hit what it is about */
    assert_true(unknown > 0 && refused > 0 && unknown + refused < WRITES);
}

static void reports_agree_with_the_server_through_broken_connections(void **state)
{
    struct session *session = *state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        struct writer *writer = calloc(1, sizeof(*writer));
        assert_non_null(writer);
        writer->session = session;
        assert_int_equal(pg_server_run(server,
                                       "DROP TABLE IF EXISTS written; "
                                       "CREATE TABLE written (n int PRIMARY KEY)",
                                       NULL, 0),
                         0);
        session->ups = session->downs = 0;
        open_session(session, true, pipeline == 1, NULL);
        run_until(session, &session->ups, 1);
        write_more(writer);
        for (int losses = 1; losses <= 6; losses++) {
            run_until(session, &session->ups, losses);
            run_until(session, &writer->done, writer->done + 20);
            assert_int_equal(pg_server_run(server,
                                           "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                           "WHERE query LIKE 'INSERT INTO written%'",
                                           NULL, 0),
                             0);
            run_until(session, &session->downs, losses);
        }
        run_until(session, &writer->done, WRITES);
        check_against_server(writer);
        pg_close(session->pg);
        session->pg = NULL;
        free(writer);
    }
}

static int start_server(void **state)
{
    (void)state;
    static const struct pg_server_options options = {.tls = true};
    server = pg_server_new(&options);
    return server != NULL ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    pg_server_free(server);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_statement_queued_before_the_connection_is_answered),
        CASE(parameters_travel_apart_from_the_text),
        CASE(changed_rows_are_counted),
        CASE(a_server_error_carries_its_code_and_costs_only_its_statement),
        CASE(a_deferred_failure_of_the_commit_is_no_success),
        CASE(the_prelude_runs_before_the_first_statement),
        CASE(a_failing_prelude_keeps_the_connection_down),
        CASE(a_killed_backend_leaves_the_statement_in_doubt),
        CASE(an_idle_connection_notices_its_end),
        CASE(a_frozen_server_costs_the_statement_its_time_and_no_more),
        CASE(a_sent_statement_that_times_out_says_so),
        CASE(an_unsent_statement_that_times_out_hurts_nobody),
        CASE(a_restarted_server_is_found_again),
        CASE(a_hastened_connection_does_not_wait_for_its_back_off),
        CASE(hastening_disturbs_no_connection_that_is_up_or_under_way),
        CASE(a_statement_without_a_server_ends_with_its_time),
        CASE(without_keep_a_failed_connection_is_the_end),
        CASE(a_mute_server_ends_the_attempt_in_time),
        CASE(a_host_name_is_refused_unless_its_address_is_given),
        CASE(a_reset_fails_all_and_starts_anew),
        CASE(closing_answers_everybody_at_once),
        CASE(closing_within_a_callback_is_safe),
        CASE(ten_thousand_statements_keep_their_order),
        CASE(copy_is_refused_without_hanging),
        CASE(large_answers_cross_tls_whole),
        CASE(reports_agree_with_the_server_through_broken_connections),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
