#include "lib/common/pg.h"

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/pg_statement.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 2000,
    IN_FLIGHT_MAX = 256 /* in pipeline mode: what a lost connection may leave in doubt */
};

enum phase {
    PHASE_WAITING,    /* no connection; step_timer starts the next attempt */
    PHASE_CONNECTING, /* step_timer ends the attempt, here and in the prelude */
    PHASE_PRELUDE,
    PHASE_UP,
    PHASE_ENDED /* for good: not `keep`, or pg_close() */
};

/* A poll handle on its own: libpq replaces descriptors faster than uv closes handles. */
struct watch {
    uv_poll_t poll;
    int fd;
};

struct pg {
    uv_timer_t step_timer, deadline_timer;
    int handles; /* of the two timers, not closed yet */
    char **keywords, **values, **prelude;
    uint64_t connect_timeout_ms;
    bool keep, pipeline;
    void (*state)(void *context, bool up, const struct diag *why);
    void *context;

    enum phase phase;
    PGconn *conn;
    unsigned generation; /* counts dropped connections: tells that a callback dropped this one */
    struct watch *watch;
    uint64_t backoff_ms;
    size_t prelude_at;
    PGresult *answer; /* of the first statement in `sent`, or of the prelude's; until it is ready */
    uint64_t armed_boot_ms; /* when deadline_timer rings; 0: not armed */
    struct pg_statement_list waiting, sent;
    struct pg_statement_list failed; /* end without an answer; callbacks still to come */
    struct diag why;                 /* the reason for `failed`, and for being down */
    struct diag last_words;          /* the server's FATAL, sent while no statement was under way */
};

/* ---- descriptor -------------------------------------------------------------------------- */

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle); /* poll is the first member */
}

static void unwatch(struct pg *pg)
{
    if (pg->watch != NULL)
        uv_close((uv_handle_t *)&pg->watch->poll, on_watch_closed);
    pg->watch = NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* Follows libpq's present descriptor. */
static int watch(struct pg *pg, int events)
{
    int fd = PQsocket(pg->conn);
    if (pg->watch != NULL && pg->watch->fd != fd)
        unwatch(pg);
    if (pg->watch == NULL) {
        AUTO(common_freep) struct watch *fresh = calloc(1, sizeof(*fresh));
        if (fresh == NULL)
            return -ENOMEM;
        int r = uv_poll_init(pg->step_timer.loop, &fresh->poll, fd);
        if (r < 0)
            return r;
        fresh->fd = fd;
        fresh->poll.data = pg;
        pg->watch = TAKE(fresh);
    }
    return uv_poll_start(&pg->watch->poll, events, on_poll);
}

/* ---- timers ------------------------------------------------------------------------------ */

static void start_timer(uv_timer_t *timer, uv_timer_cb fn, uint64_t delay_ms)
{
    uv_update_time(timer->loop);
    (void)uv_timer_start(timer, fn, delay_ms, 0);
}

static void on_deadline(uv_timer_t *timer);

static void arm_deadline(struct pg *pg, uint64_t deadline_boot_ms)
{
    if (pg->armed_boot_ms != 0 && pg->armed_boot_ms <= deadline_boot_ms)
        return;
    uint64_t now = common_boot_ms();
    pg->armed_boot_ms = deadline_boot_ms;
    start_timer(&pg->deadline_timer, on_deadline,
                deadline_boot_ms > now ? deadline_boot_ms - now : 0);
}

/* ---- the end of a connection ------------------------------------------------------------- */

/* Any callback may call pg_close() or pg_query(): each round looks at the list anew. */
static void tell_failed(struct pg *pg)
{
    for (struct pg_statement *next = pg_statement_pop(&pg->failed); next != NULL;
         next = pg_statement_pop(&pg->failed))
        pg_statement_finish(next, NULL, pg->why.text);
}

static void fail_all(struct pg_statement_list *from, struct pg_statement_list *to, bool was_sent)
{
    for (struct pg_statement *next = pg_statement_pop(from); next != NULL;
         next = pg_statement_pop(from)) {
        if (next->error == 0)
            next->error = -ECONNRESET;
        next->outcome_unknown = was_sent;
        pg_statement_push(to, next);
    }
}

static void drop_connection(struct pg *pg)
{
    unwatch(pg); /* before libpq closes the descriptor */
    PQclear(pg->answer);
    pg->answer = NULL;
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->generation++;
    (void)uv_timer_stop(&pg->step_timer);
}

static void on_step_timer(uv_timer_t *timer);

/* The one way down; pg->why is set. Statements that never saw this connection (it did not come up)
 * go on waiting for the next one, if there is to be one (`again`). */
static void lose_connection(struct pg *pg, bool again, uint64_t retry_after_ms)
{
    bool was_up = pg->phase == PHASE_UP;
    drop_connection(pg);
    fail_all(&pg->sent, &pg->failed, true);
    if (was_up || !again)
        fail_all(&pg->waiting, &pg->failed, false);
    pg->phase = again ? PHASE_WAITING : PHASE_ENDED;
    if (again)
        start_timer(&pg->step_timer, on_step_timer, retry_after_ms);

    if (pg->state != NULL) {
        const struct diag why = pg->why;
        pg->state(pg->context, false, &why);
    }
    tell_failed(pg);
}

static void lose_with_backoff(struct pg *pg)
{
    uint64_t delay_ms = pg->backoff_ms;
    pg->backoff_ms = delay_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : delay_ms * 2;
    lose_connection(pg, pg->keep, delay_ms);
}

/* libpq's messages are lines with a newline behind each. */
static void say_why(struct pg *pg, const char *what, const char *message)
{
    char line[sizeof(pg->why.text)];
    size_t len = 0;
    for (; *message != '\0' && len < sizeof(line) - 1; message++)
        line[len++] = (char)(*message == '\n' || *message == '\t' ? ' ' : *message);
    while (len > 0 && line[len - 1] == ' ')
        len--;
    (void)diag_fail(&pg->why, 0, "%s%s%.*s", what, len > 0 ? ": " : "", (int)len, line);
}

/* The server's errors have an SQLSTATE, those that libpq makes up itself have none. */
static bool is_from_server(const PGresult *answer)
{
    return answer != NULL && PQresultErrorField(answer, PG_DIAG_SQLSTATE) != NULL;
}

static void lose_with_message(struct pg *pg, const char *what)
{
    /* what the server said last, if it did, explains more than "connection closed" */
    const char *said = PQerrorMessage(pg->conn);
    if (is_from_server(pg->answer))
        said = PQresultErrorMessage(pg->answer);
    else if (pg->last_words.text[0] != '\0')
        said = pg->last_words.text;
    say_why(pg, what, said);
    lose_with_backoff(pg);
}

/* ---- sending ----------------------------------------------------------------------------- */

static bool send_statement(struct pg *pg, const char *sql, int count, const char *const *params)
{
    return PQsendQueryParams(pg->conn, sql, count, NULL, params, NULL, NULL, 0) == 1;
}

static bool send_waiting(struct pg *pg)
{
    int limit = pg->pipeline ? IN_FLIGHT_MAX : 1;
    while (pg->phase == PHASE_UP && pg->sent.count < limit && pg->waiting.count > 0) {
        struct pg_statement *next = pg_statement_pop(&pg->waiting);
        pg_statement_push(&pg->sent, next);
        if (!send_statement(pg, next->sql, next->param_count, next->params))
            return false;
        /* A Sync behind each statement keeps it a transaction of its own, whatever the others do.
         */
        if (pg->pipeline && PQpipelineSync(pg->conn) != 1)
            return false;
    }
    return true;
}

/* Sends what may be sent and waits for what comes next. */
static void pump(struct pg *pg)
{
    bool ok = send_waiting(pg);
    int unsent = ok ? PQflush(pg->conn) : -1;
    int r = unsent < 0 ? 0 : watch(pg, UV_READABLE | (unsent > 0 ? UV_WRITABLE : 0));
    if (unsent < 0) {
        lose_with_message(pg, "a statement cannot be sent");
    } else if (r < 0) {
        (void)diag_fail(&pg->why, r, "the connection cannot be watched: %s", uv_strerror(r));
        lose_with_backoff(pg);
    }
}

/* ---- receiving --------------------------------------------------------------------------- */

static void go_up(struct pg *pg)
{
    (void)uv_timer_stop(&pg->step_timer);
    if (pg->pipeline && PQenterPipelineMode(pg->conn) != 1) {
        lose_with_message(pg, "no pipeline mode");
        return;
    }
    pg->phase = PHASE_UP;
    pg->backoff_ms = BACKOFF_FIRST_MS;
    if (pg->state != NULL)
        pg->state(pg->context, true, NULL);
}

static void send_prelude(struct pg *pg)
{
    if (pg->prelude == NULL || pg->prelude[pg->prelude_at] == NULL)
        go_up(pg);
    else if (!send_statement(pg, pg->prelude[pg->prelude_at], 0, NULL))
        lose_with_message(pg, "a statement of the prelude cannot be sent");
}

static void finish_statement(struct pg *pg)
{
    PGresult *answer = TAKE(pg->answer);
    if (pg->phase == PHASE_PRELUDE) {
        if (pg_answer_is_error(answer)) {
            say_why(pg, "a statement of the prelude failed", PQresultErrorMessage(answer));
            lose_with_backoff(pg);
        } else {
            pg->prelude_at++;
            send_prelude(pg);
        }
    } else {
        struct pg_statement *statement = pg_statement_pop(&pg->sent);
        if (statement != NULL)
            pg_statement_finish(statement, answer, "");
    }
    PQclear(answer);
}

/* Takes one result. Returns true when the statement it belongs to is over: after NULL (libpq gives
 * it at ReadyForQuery), or in pipeline mode at the Sync's own result (likewise). */
static bool take_result(struct pg *pg, PGresult *result)
{
    if (result == NULL)
        return PQpipelineStatus(pg->conn) == PQ_PIPELINE_OFF && pg->answer != NULL;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        return pg->answer != NULL;
    }
    if (PQstatus(pg->conn) != CONNECTION_OK && is_from_server(pg->answer)) {
        PQclear(result); /* libpq's "closed unexpectedly" must not replace the server's reason */
        return false;
    }
    PQclear(pg->answer);
    pg->answer = result;
    return false;
}

static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

static void receive(struct pg *pg)
{
    unsigned generation = pg->generation;
    int nothing = 0; /* results in a row that were NULL: two mean that nothing is under way */
    while (pg->generation == generation && nothing < 2 && !PQisBusy(pg->conn)) {
        PGresult *result = PQgetResult(pg->conn);
        nothing = result == NULL ? nothing + 1 : 0;
        bool over = take_result(pg, result);
        if (PQstatus(pg->conn) != CONNECTION_OK)
            lose_with_message(pg, "the connection broke");
        else if (pg->answer != NULL && is_copy(pg->answer))
            lose_with_message(pg, "COPY is not possible here");
        else if (over)
            finish_statement(pg);
    }
}

/* We listen to no channel; unread notifications would only pile up. */
static void drop_notifications(struct pg *pg)
{
    for (PGnotify *note = PQnotifies(pg->conn); note != NULL; note = PQnotifies(pg->conn))
        PQfreemem(note);
}

static void exchange(struct pg *pg)
{
    unsigned generation = pg->generation;
    if (PQconsumeInput(pg->conn) != 1) {
        /* what arrived before the end is still in libpq's buffer, the server's last words too */
        receive(pg);
        if (pg->generation == generation)
            lose_with_message(pg, "the connection broke");
        return;
    }
    receive(pg);
    if (pg->generation != generation)
        return;
    drop_notifications(pg);
    pump(pg);
}

/* ---- connecting -------------------------------------------------------------------------- */

static void on_notice(void *context, const PGresult *notice)
{
    struct pg *pg = context;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (severity == NULL || text == NULL)
        return;
    if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
        (void)diag_fail(&pg->last_words, 0, "%s", text);
    log_debug("pg", "the server says: %s: %s", severity, text);
}

static void connect_step(struct pg *pg, PostgresPollingStatusType next)
{
    int r = 0;
    switch (next) {
    case PGRES_POLLING_READING:
        r = watch(pg, UV_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        r = watch(pg, UV_WRITABLE);
        break;
    case PGRES_POLLING_OK:
        (void)PQsetnonblocking(pg->conn, 1);
        pg->phase = PHASE_PRELUDE;
        pg->prelude_at = 0;
        unsigned generation = pg->generation;
        send_prelude(pg);
        if (pg->generation == generation)
            pump(pg);
        return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
    default:
        lose_with_message(pg, "no connection");
        return;
    }
    if (r < 0) {
        (void)diag_fail(&pg->why, r, "the connection cannot be watched: %s", uv_strerror(r));
        lose_with_backoff(pg);
    }
}

static void start_connecting(struct pg *pg)
{
    pg->phase = PHASE_CONNECTING;
    start_timer(&pg->step_timer, on_step_timer, pg->connect_timeout_ms);
    pg->conn =
        PQconnectStartParams((const char *const *)pg->keywords, (const char *const *)pg->values, 0);
    if (pg->conn == NULL) {
        (void)diag_fail(&pg->why, -ENOMEM, "no connection: not enough memory");
        lose_with_backoff(pg);
        return;
    }
    (void)PQsetNoticeReceiver(pg->conn, on_notice, pg);
    pg->last_words.text[0] = '\0';
    connect_step(pg, PQstatus(pg->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                          : PGRES_POLLING_WRITING);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct pg *pg = poll->data;
    /* Errors (status) are found again, and put into words, by libpq's own next call. */
    (void)status;
    (void)events;
    if (pg->phase == PHASE_CONNECTING) {
        /* PQconnectPoll may close the descriptor and open another one of the same number, which
         * uv's epoll set would not notice */
        (void)uv_poll_stop(poll);
        connect_step(pg, PQconnectPoll(pg->conn));
    } else {
        exchange(pg);
    }
}

static void on_step_timer(uv_timer_t *timer)
{
    struct pg *pg = timer->data;
    if (pg->phase == PHASE_WAITING) {
        start_connecting(pg);
        return;
    }
    (void)diag_fail(&pg->why, -ETIMEDOUT, "no connection within %llu ms",
                    (unsigned long long)pg->connect_timeout_ms);
    lose_with_backoff(pg);
}

/* ---- deadlines --------------------------------------------------------------------------- */

/* Moves the expired statements of `list` to `expired`; returns the earliest deadline left. */
static uint64_t split_expired(struct pg_statement_list *list, uint64_t now_boot_ms,
                              struct pg_statement_list *expired)
{
    uint64_t earliest = UINT64_MAX;
    struct pg_statement_list kept = {0};
    for (struct pg_statement *next = pg_statement_pop(list); next != NULL;
         next = pg_statement_pop(list)) {
        bool late = next->deadline_boot_ms <= now_boot_ms;
        pg_statement_push(late ? expired : &kept, next);
        if (!late && next->deadline_boot_ms < earliest)
            earliest = next->deadline_boot_ms;
    }
    *list = kept;
    return earliest;
}

static void set_error(struct pg_statement_list *list, int error)
{
    for (struct pg_statement *each = list->first; each != NULL; each = each->next)
        each->error = error;
}

static void on_deadline(uv_timer_t *timer)
{
    struct pg *pg = timer->data;
    uint64_t now = common_boot_ms();
    struct pg_statement_list late_waiting = {0}, late_sent = {0};
    pg->armed_boot_ms = 0;
    uint64_t next_waiting = split_expired(&pg->waiting, now, &late_waiting);
    uint64_t next_sent = split_expired(&pg->sent, now, &late_sent);
    uint64_t next = next_waiting < next_sent ? next_waiting : next_sent;
    if (next != UINT64_MAX)
        arm_deadline(pg, next);

    set_error(&late_waiting, -ENOTCONN);
    set_error(&late_sent, -ETIMEDOUT);
    fail_all(&late_waiting, &pg->failed, false);
    bool broken = late_sent.count > 0;
    fail_all(&late_sent, &pg->failed, true);
    if (broken) {
        (void)diag_fail(&pg->why, -ETIMEDOUT, "a statement got no answer in time");
        lose_with_backoff(pg);
        return;
    }
    if (pg->phase == PHASE_UP)
        (void)diag_fail(&pg->why, -ENOTCONN, "the statement waited too long behind others");
    else if (pg->why.text[0] == '\0')
        (void)diag_fail(&pg->why, -ENOTCONN, "not connected yet");
    tell_failed(pg);
}

/* ---- public ------------------------------------------------------------------------------ */

static void free_strings(char **strings)
{
    for (char **each = strings; each != NULL && *each != NULL; each++)
        free(*each);
    free(strings);
}

static int copy_strings(const char *const *strings, char ***ret_copy)
{
    size_t count = 0;
    while (strings[count] != NULL)
        count++;
    char **copy = calloc(count + 1, sizeof(*copy));
    if (copy == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        copy[i] = strdup(strings[i]);
        if (copy[i] == NULL) {
            free_strings(copy);
            return -ENOMEM;
        }
    }
    *ret_copy = copy;
    return 0;
}

static const char *find_value(const struct pg_options *options, const char *keyword)
{
    for (size_t i = 0; options->keywords[i] != NULL; i++)
        if (strcmp(options->keywords[i], keyword) == 0)
            return options->values[i];
    return NULL;
}

static int check_host(const struct pg_options *options, struct diag *diag)
{
    const char *host = find_value(options, "host");
    struct in6_addr address;
    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@' ||
        find_value(options, "hostaddr") != NULL || inet_pton(AF_INET, host, &address) == 1 ||
        inet_pton(AF_INET6, host, &address) == 1)
        return 0;
    return diag_fail(diag, -EINVAL,
                     "database host %s is neither an address nor a folder of sockets", host);
}

/* Ours first: with libpq the last of two equal keywords counts. Kerberos would look for tickets in
 * ways that block. */
static int copy_parameters(struct pg *pg, const struct pg_options *options)
{
    const char *keywords[64] = {"gssencmode", "client_encoding"};
    const char *values[64] = {"disable", "UTF8"};
    size_t count = 2;
    for (size_t i = 0; options->keywords[i] != NULL; i++) {
        if (count == COUNT_OF(keywords) - 1)
            return -EINVAL;
        keywords[count] = options->keywords[i];
        values[count++] = options->values[i] != NULL ? options->values[i] : "";
    }
    int r = copy_strings(keywords, &pg->keywords);
    if (r == 0)
        r = copy_strings(values, &pg->values);
    if (r == 0 && options->prelude != NULL)
        r = copy_strings(options->prelude, &pg->prelude);
    return r;
}

static void free_pg(struct pg *pg)
{
    free_strings(pg->keywords);
    free_strings(pg->values);
    free_strings(pg->prelude);
    free(pg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct pg *pg = handle->data;
    if (--pg->handles == 0)
        free_pg(pg);
}

int pg_open(uv_loop_t *loop, const struct pg_options *options, struct pg **ret_pg,
            struct diag *diag)
{
    int r = check_host(options, diag);
    if (r < 0)
        return r;
    struct pg *pg = calloc(1, sizeof(*pg));
    r = pg != NULL ? copy_parameters(pg, options) : -ENOMEM;
    if (r < 0) {
        if (pg != NULL)
            free_pg(pg);
        return diag_fail(diag, r, "a database connection cannot be set up: %s",
                         strerrordesc_np(-r));
    }
    (void)uv_timer_init(loop, &pg->step_timer);
    (void)uv_timer_init(loop, &pg->deadline_timer);
    pg->step_timer.data = pg->deadline_timer.data = pg;
    pg->handles = 2;
    pg->connect_timeout_ms = options->connect_timeout_ms;
    pg->keep = options->keep;
    pg->pipeline = options->pipeline;
    pg->state = options->state;
    pg->context = options->context;
    pg->backoff_ms = BACKOFF_FIRST_MS;
    pg->phase = PHASE_WAITING;
    /* from the loop, so that state() never comes before the caller knows the handle */
    start_timer(&pg->step_timer, on_step_timer, 0);
    *ret_pg = pg;
    return 0;
}

bool pg_is_up(const struct pg *pg)
{
    return pg->phase == PHASE_UP;
}

int pg_query(struct pg *pg, const char *sql, const char *const *params, int param_count,
             uint64_t timeout_ms, pg_done_fn done, void *context)
{
    if (pg->phase == PHASE_ENDED)
        return -ENOTCONN;
    if (pg->waiting.count + pg->sent.count >= PG_QUEUE_MAX)
        return -ENOBUFS;
    struct pg_statement *statement = pg_statement_new(sql, params, param_count);
    if (statement == NULL)
        return -ENOMEM;
    statement->done = done;
    statement->context = context;
    statement->deadline_boot_ms = common_boot_ms() + timeout_ms;
    pg_statement_push(&pg->waiting, statement);
    arm_deadline(pg, statement->deadline_boot_ms);
    /* Sent from the loop: a failure's callbacks must not come before this returns. */
    if (pg->phase == PHASE_UP && pg->watch != NULL)
        (void)uv_poll_start(&pg->watch->poll, UV_READABLE | UV_WRITABLE, on_poll);
    return 0;
}

void pg_hasten(struct pg *pg)
{
    if (pg->phase != PHASE_WAITING || uv_is_closing((uv_handle_t *)&pg->step_timer))
        return;
    pg->backoff_ms = BACKOFF_FIRST_MS;
    start_timer(&pg->step_timer, on_step_timer, 0);
}

void pg_reset(struct pg *pg)
{
    if (uv_is_closing((uv_handle_t *)&pg->step_timer))
        return;
    fail_all(&pg->waiting, &pg->failed, false);
    (void)diag_fail(&pg->why, -ECONNRESET, "the connection was given up");
    pg->backoff_ms = BACKOFF_FIRST_MS;
    lose_connection(pg, true, 0);
}

void pg_close(struct pg *pg)
{
    if (pg == NULL)
        return;
    drop_connection(pg);
    pg->phase = PHASE_ENDED;
    pg->state = NULL;
    (void)diag_fail(&pg->why, -ECONNRESET, "the connection was closed");
    fail_all(&pg->sent, &pg->failed, true);
    fail_all(&pg->waiting, &pg->failed, false);
    tell_failed(pg);
    if (!uv_is_closing((uv_handle_t *)&pg->step_timer)) {
        uv_close((uv_handle_t *)&pg->step_timer, on_timer_closed);
        uv_close((uv_handle_t *)&pg->deadline_timer, on_timer_closed);
    }
}
