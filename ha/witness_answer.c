#include "ha/witness_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/secrets.h"

enum column {
    STATUS,
    SEQ,
    MODE,
    OWNER,
    TERM,
    SYSTEM_ID,
    TIMELINE,
    STARTED,
    IN_RECOVERY,
    FSYNC,
    SYNC_COMMIT,
    COLUMNS
};

static void add_part(struct buf *buf, const char *part)
{
    buf_addf(buf, "%zu:%s,", strlen(part), part);
}

uint64_t witness_run_digest(const struct witness_identity *identity)
{
    struct buf buf = {0};
    add_part(&buf, identity->system_id);
    add_part(&buf, identity->timeline);
    add_part(&buf, identity->started);
    add_part(&buf, identity->in_recovery);
    add_part(&buf, identity->fsync);
    add_part(&buf, identity->synchronous_commit);
    uint64_t run = 0;
    if (!buf.failed) {
        uint8_t digest[SECRETS_SHA256_BYTES];
        secrets_sha256(buf.data, buf.len_bytes, digest);
        for (int i = 0; i < 8; i++)
            run = run << 8 | digest[i];
        if (run == 0)
            run = 1; /* 0 means "none" */
    }
    buf_done(&buf);
    return run;
}

static bool read_status(const char *text, enum witness_status *ret_status)
{
    static const char *const names[] = {
        [WITNESS_OK] = "ok",           [WITNESS_CONFLICT] = "conflict",
        [WITNESS_REFUSED] = "refused", [WITNESS_MISSING] = "missing",
        [WITNESS_UNFIT] = "unfit",
    };
    for (unsigned i = 0; text != NULL && i < COUNT_OF(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_status = (enum witness_status)i;
            return true;
        }
    return false;
}

static bool read_number(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0)
        return false;
    *ret_number = number;
    return true;
}

static bool read_right(const struct pg_result *result, struct arb_right *ret_right)
{
    const char *mode = pg_value(result, 0, MODE), *owner = pg_value(result, 0, OWNER);
    struct arb_right right = {0};
    uint64_t node = ARB_NODE_NONE;
    if (mode == NULL || !read_number(pg_value(result, 0, SEQ), &right.seq) ||
        !read_number(pg_value(result, 0, TERM), &right.term) ||
        (owner != NULL && !read_number(owner, &node)))
        return false;
    if (strcmp(mode, "SOLO") == 0 && (node == ARB_NODE_PRIMARY || node == ARB_NODE_SECONDARY))
        right.mode = ARB_MODE_SOLO;
    else if (strcmp(mode, "PAIR") == 0 && owner == NULL)
        right.mode = ARB_MODE_PAIR;
    else
        return false;
    right.owner = (uint32_t)node;
    *ret_right = right;
    return true;
}

bool witness_reply_read(const struct pg_result *result, struct witness_reply *ret_reply)
{
    if (result->rows != 1 || result->columns != COLUMNS)
        return false;
    struct witness_reply reply = {.explanation = ""};
    if (!read_status(pg_value(result, 0, STATUS), &reply.status))
        return false;
    if (reply.status == WITNESS_UNFIT)
        reply.explanation =
            "the witness is a standby or runs without fsync: its vote does not count";
    if (reply.status == WITNESS_MISSING)
        reply.explanation = "the witness has no register for this cluster (run witness.sql)";
    if (reply.explanation[0] != '\0') {
        *ret_reply = reply;
        return true;
    }

    for (int column = SYSTEM_ID; column < COLUMNS; column++)
        if (pg_value(result, 0, column) == NULL)
            return false;
    const struct witness_identity identity = {
        .system_id = pg_value(result, 0, SYSTEM_ID),
        .timeline = pg_value(result, 0, TIMELINE),
        .started = pg_value(result, 0, STARTED),
        .in_recovery = pg_value(result, 0, IN_RECOVERY),
        .fsync = pg_value(result, 0, FSYNC),
        .synchronous_commit = pg_value(result, 0, SYNC_COMMIT),
    };
    /* The functions say "unfit" themselves; believed only when the parts agree. */
    if (strcmp(identity.in_recovery, "f") != 0 || strcmp(identity.fsync, "t") != 0 ||
        strcmp(identity.synchronous_commit, "off") == 0 || !read_right(result, &reply.right))
        return false;
    reply.run = witness_run_digest(&identity);
    if (reply.run == 0)
        return false;
    *ret_reply = reply;
    return true;
}
