#include "ha/witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/witness_answer.h"
#include "lib/common/common.h"
#include "lib/common/pg.h"
#include "lib/common/secrets.h"
#include "lib/common/timer.h"

enum { CLUSTER_CHARS = 128, NUMBER_CHARS = 24, RETRY_MS = 100, PASSWORD_CHARS = 256 };

static const char read_sql[] = "SELECT * FROM open_gateway.og_witness_read($1)";
static const char cas_sql[] = "SELECT * FROM open_gateway.og_witness_cas($1, $2, $3, $4, $5)";

enum step {
    STEP_IDLE,
    STEP_RESOLVE, /* raising seq where it is still the one of the doubtful statement */
    STEP_ASK,     /* the question itself */
};

/* A compare-and-set whose fate is not known. */
struct doubt {
    bool open;
    uint64_t expected_seq;
};

struct witness {
    struct pg *pg;
    struct timer *retry;
    char cluster[CLUSTER_CHARS];
    uint32_t node;
    char last_error[512];

    enum step step;
    bool is_cas;
    bool asked; /* the question was sent at least once: a doubt is about itself */
    uint64_t started_ms;
    uint64_t expected_seq;
    struct arb_right wanted;
    witness_fn fn;
    void *context;

    struct doubt doubt;
    bool closing;
};

/* --- ending a question --------------------------------------------------------------------- */

static void finish(struct witness *witness, enum arb_outcome outcome,
                   const struct witness_reply *reply, const char *message)
{
    struct witness_answer answer = {
        .outcome = outcome,
        .took_ms = common_boot_ms() - witness->started_ms,
        .unresolved = outcome == ARB_OUTCOME_UNREACHABLE && witness->doubt.open,
        .message = message,
    };
    if (outcome != ARB_OUTCOME_UNREACHABLE) {
        answer.right = reply->right;
        answer.run = reply->run;
        witness->last_error[0] = '\0';
    } else {
        if (message != witness->last_error)
            (void)snprintf(witness->last_error, sizeof(witness->last_error), "%s", message);
        answer.message = witness->last_error;
    }
    witness->step = STEP_IDLE;
    timer_stop(witness->retry);
    witness->fn(witness->context, &answer);
}

static uint64_t age_ms(const struct witness *witness)
{
    return common_boot_ms() - witness->started_ms;
}

/* --- sending ------------------------------------------------------------------------------- */

static void on_answer(void *context, const struct pg_result *result);

static void send_cas(struct witness *witness, uint64_t expected_seq, const struct arb_right *wanted,
                     uint64_t timeout_ms)
{
    char seq[NUMBER_CHARS], owner[NUMBER_CHARS], term[NUMBER_CHARS];
    const char *params[] = {witness->cluster, seq, NULL, NULL, NULL};
    (void)snprintf(seq, sizeof(seq), "%" PRIu64, expected_seq);
    if (wanted != NULL) {
        (void)snprintf(owner, sizeof(owner), "%u", (unsigned)wanted->owner);
        (void)snprintf(term, sizeof(term), "%" PRIu64, wanted->term);
        params[2] = wanted->mode == ARB_MODE_SOLO ? "SOLO" : "PAIR";
        params[3] = wanted->mode == ARB_MODE_SOLO ? owner : NULL;
        params[4] = term;
    }
    if (pg_query(witness->pg, cas_sql, params, COUNT_OF(params), timeout_ms, on_answer, witness) <
        0)
        timer_start(witness->retry, RETRY_MS, 0);
}

static void send_read(struct witness *witness, uint64_t timeout_ms)
{
    const char *params[] = {witness->cluster};
    if (pg_query(witness->pg, read_sql, params, 1, timeout_ms, on_answer, witness) < 0)
        timer_start(witness->retry, RETRY_MS, 0);
}

/* Sends what the present step needs, or ends the question when its time is over. */
static void proceed(struct witness *witness, const char *why)
{
    const uint64_t age = age_ms(witness);
    /* Without a doubt nothing was done for certain: no reason to wait longer than one statement. */
    const uint64_t limit_ms = witness->doubt.open ? WITNESS_RESOLVE_MS : WITNESS_TIMEOUT_MS;
    if (age + 1 >= limit_ms) {
        finish(witness, ARB_OUTCOME_UNREACHABLE, NULL, why);
        return;
    }
    const uint64_t left_ms = limit_ms - age;
    const uint64_t timeout_ms = left_ms < WITNESS_TIMEOUT_MS ? left_ms : WITNESS_TIMEOUT_MS;
    if (witness->doubt.open) {
        witness->step = STEP_RESOLVE;
        send_cas(witness, witness->doubt.expected_seq, NULL, timeout_ms);
        return;
    }
    witness->step = STEP_ASK;
    if (witness->is_cas) {
        witness->asked = true;
        send_cas(witness, witness->expected_seq, &witness->wanted, timeout_ms);
    } else {
        send_read(witness, timeout_ms);
    }
}

static void on_retry(void *context)
{
    struct witness *witness = context;
    if (witness->step != STEP_IDLE)
        proceed(witness, witness->last_error[0] != '\0' ? witness->last_error
                                                        : "the witness does not answer");
}

/* --- answers ------------------------------------------------------------------------------- */

static bool same_content(const struct arb_right *a, const struct arb_right *b)
{
    return a->mode == b->mode && a->owner == b->owner && a->term == b->term;
}

/* The doubtful statement can never succeed from now on. When it belonged to this question, the
 * register tells what became of it: SOLO of ours cannot be changed by the other node, PAIR can. */
static void on_resolved(struct witness *witness, const struct witness_reply *reply)
{
    const uint64_t doubted_seq = witness->doubt.expected_seq;
    witness->doubt.open = false;
    if (!witness->asked) {
        proceed(witness, "the witness answers too slowly");
        return;
    }
    const bool done = reply->status != WITNESS_OK && /* else we have just raised seq ourselves */
                      same_content(&reply->right, &witness->wanted) &&
                      (reply->right.seq == doubted_seq + 1 || reply->right.owner == witness->node);
    finish(witness, done ? ARB_OUTCOME_GRANTED : ARB_OUTCOME_DENIED, reply, "");
}

static void on_reply(struct witness *witness, const struct witness_reply *reply)
{
    if (reply->status == WITNESS_MISSING || reply->status == WITNESS_UNFIT) {
        /* A server that cannot vote cannot resolve either; a doubt stays open. */
        finish(witness, ARB_OUTCOME_UNREACHABLE, NULL, reply->explanation);
    } else if (witness->step == STEP_RESOLVE) {
        on_resolved(witness, reply);
    } else if (!witness->is_cas) {
        finish(witness, ARB_OUTCOME_READ, reply, "");
    } else {
        finish(witness, reply->status == WITNESS_OK ? ARB_OUTCOME_GRANTED : ARB_OUTCOME_DENIED,
               reply, "");
    }
}

static void on_failure(struct witness *witness, const struct pg_result *result)
{
    (void)snprintf(witness->last_error, sizeof(witness->last_error), "%s%s%s", result->message,
                   result->sqlstate[0] != '\0' ? ", SQLSTATE " : "", result->sqlstate);
    if (result->outcome_unknown && witness->step == STEP_ASK && witness->is_cas)
        witness->doubt = (struct doubt){.open = true, .expected_seq = witness->expected_seq};
    /* The server refused the question itself (no right, a lock, no such function): nothing was
     * done, and asking again at once would only repeat it. */
    if (result->error == -EPROTO && witness->step == STEP_ASK)
        finish(witness, ARB_OUTCOME_UNREACHABLE, NULL, witness->last_error);
    else
        timer_start(witness->retry, result->error == -ETIMEDOUT ? 0 : RETRY_MS, 0);
}

static void on_answer(void *context, const struct pg_result *result)
{
    struct witness *witness = context;
    if (witness->closing || witness->step == STEP_IDLE)
        return;
    if (result->error < 0) {
        on_failure(witness, result);
        return;
    }
    struct witness_reply reply;
    if (witness_reply_read(result, &reply)) {
        on_reply(witness, &reply);
        return;
    }
    /* Not our functions: whatever this server did, it is no witness. */
    finish(witness, ARB_OUTCOME_UNREACHABLE, NULL,
           "the witness's answer makes no sense (witness.sql of another version?)");
}

/* --- questions ----------------------------------------------------------------------------- */

static int begin(struct witness *witness, witness_fn fn, void *context)
{
    if (witness->step != STEP_IDLE)
        return -EBUSY;
    witness->fn = fn;
    witness->context = context;
    witness->asked = false;
    witness->started_ms = common_boot_ms();
    witness->step = STEP_ASK;
    /* By the timer: the callback never comes before this returns. */
    timer_start(witness->retry, 0, 0);
    return 0;
}

int witness_read(struct witness *witness, witness_fn fn, void *context)
{
    int code = begin(witness, fn, context);
    if (code == 0)
        witness->is_cas = false;
    return code;
}

int witness_cas(struct witness *witness, uint64_t expected_seq, const struct arb_right *wanted,
                witness_fn fn, void *context)
{
    int code = begin(witness, fn, context);
    if (code < 0)
        return code;
    witness->is_cas = true;
    witness->expected_seq = expected_seq;
    witness->wanted = *wanted;
    return 0;
}

/* --- life ---------------------------------------------------------------------------------- */

static void on_state(void *context, bool up, const struct diag *why)
{
    struct witness *witness = context;
    if (up)
        witness->last_error[0] = '\0';
    else if (why != NULL)
        (void)snprintf(witness->last_error, sizeof(witness->last_error), "%s", why->text);
}

static int open_pg(uv_loop_t *loop, const struct witness_options *options, struct witness *witness,
                   struct diag *diag)
{
    char port[NUMBER_CHARS], password[PASSWORD_CHARS] = "";
    (void)snprintf(port, sizeof(port), "%u", options->port != 0 ? options->port : WITNESS_PORT);
    if (options->password_file != NULL) {
        int code = secrets_read_file(options->password_file, password, sizeof(password), diag);
        if (code < 0)
            return code;
    }
    const char *const keywords[] = {"hostaddr",
                                    "host",
                                    "port",
                                    "dbname",
                                    "user",
                                    "password",
                                    "sslmode",
                                    "sslrootcert",
                                    "application_name",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    "tcp_user_timeout",
                                    NULL};
    const char *const values[] = {options->hostaddr,
                                  options->host != NULL ? options->host : options->hostaddr,
                                  port,
                                  options->database,
                                  options->user,
                                  password,
                                  "verify-full",
                                  options->ca_file,
                                  "open-gateway",
                                  "5",
                                  "2",
                                  "3",
                                  "3000",
                                  NULL};
    static const char *const prelude[] = {"SET synchronous_commit = on",
                                          "SET lock_timeout = '500ms'",
                                          "SET statement_timeout = '2s'", NULL};
    const struct pg_options pg = {.keywords = keywords,
                                  .values = values,
                                  .connect_timeout_ms = WITNESS_TIMEOUT_MS,
                                  .keep = true,
                                  .prelude = prelude,
                                  .state = on_state,
                                  .context = witness};
    int code = pg_open(loop, &pg, &witness->pg, diag);
    secrets_wipe(password, sizeof(password));
    return code;
}

int witness_open(uv_loop_t *loop, const struct witness_options *options,
                 struct witness **ret_witness, struct diag *diag)
{
    if (options->hostaddr == NULL || options->database == NULL || options->user == NULL ||
        options->ca_file == NULL || options->cluster == NULL ||
        strlen(options->cluster) >= CLUSTER_CHARS)
        return diag_fail(
            diag, -EINVAL,
            "the witness needs an address, a database, a user, a CA file and a cluster");
    struct witness *witness = calloc(1, sizeof(*witness));
    if (witness == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the witness");
    (void)snprintf(witness->cluster, sizeof(witness->cluster), "%s", options->cluster);
    witness->node = options->node;
    witness->retry = timer_new(loop, on_retry, witness);
    int code = witness->retry != NULL ? open_pg(loop, options, witness, diag)
                                      : diag_fail(diag, -ENOMEM, "no memory for the witness");
    if (code < 0) {
        witness_close(witness);
        return diag_within(diag, code, "witness");
    }
    *ret_witness = witness;
    return 0;
}

void witness_close(struct witness *witness)
{
    if (witness == NULL)
        return;
    witness->closing = true;
    pg_close(witness->pg);
    timer_free(witness->retry);
    free(witness);
}

bool witness_is_connected(const struct witness *witness)
{
    return pg_is_up(witness->pg);
}

const char *witness_last_error(const struct witness *witness)
{
    return witness->last_error;
}
