/* Changes of credentials and sessions. */
#include "gateway/store/store_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static void hex_of(const struct digest *digest, char out[2 * SECRETS_SHA256_BYTES + 1])
{
    secrets_hex(digest->bytes, sizeof(digest->bytes), out);
}

int store_add_credential(struct store *store, const struct store_session *session,
                         store_done_fn done, void *context)
{
    char hex[2 * SECRETS_SHA256_BYTES + 1], remaining[24];
    hex_of(&session->credential, hex);
    (void)snprintf(remaining, sizeof(remaining), "%" PRId64, session->remaining_s);
    const char *const params[] = {hex, session->login, session->administrator ? "t" : "f",
                                  remaining};
    return store__query(store,
                        "INSERT INTO credential (digest, login, administrator, remaining_s)"
                        " VALUES (decode($1, 'hex'), $2, $3::boolean, $4::integer)",
                        params, 4, done, context);
}

int store_open_session(struct store *store, const struct store_session *session, store_done_fn done,
                       void *context)
{
    char hex[2 * SECRETS_SHA256_BYTES + 1], opened_at[24];
    hex_of(&session->credential, hex);
    (void)snprintf(opened_at, sizeof(opened_at), "%" PRId64, session->opened_at_ms);
    const char *const params[] = {hex, session->id, session->application, opened_at,
                                  session->supervised};
    return store__query(store,
                        "INSERT INTO session (credential, id, application, opened_at, supervised)"
                        " VALUES (decode($1, 'hex'), $2, $3,"
                        " to_timestamp($4::bigint / 1000.0), $5)",
                        params, 5, done, context);
}

/* "{aa…,bb…}", an array of hex texts */
static void add_digests(struct buf *out, const struct digest *digests, size_t count)
{
    buf_adds(out, "{");
    for (size_t i = 0; i < count; i++) {
        buf_adds(out, i == 0 ? "" : ",");
        store__add_digest(out, &digests[i]);
    }
    buf_adds(out, "}");
}

static int remove_digests(struct store *store, const char *sql, const struct digest *digests,
                          size_t count, store_done_fn done, void *context)
{
    struct buf list = {0};
    add_digests(&list, digests, count);
    const char *const params[] = {list.data};
    int r = list.failed ? -ENOMEM : store__query(store, sql, params, 1, done, context);
    buf_done(&list);
    return r;
}

int store_remove_credentials(struct store *store, const struct digest *credentials, size_t count,
                             store_done_fn done, void *context)
{
    return remove_digests(store,
                          "DELETE FROM credential WHERE digest = ANY (ARRAY(SELECT"
                          " decode(x, 'hex') FROM unnest($1::text[]) AS x))",
                          credentials, count, done, context);
}

int store_remove_subscriptions(struct store *store, const struct digest *ids, size_t count,
                               store_done_fn done, void *context)
{
    return remove_digests(store,
                          "DELETE FROM subscription WHERE digest = ANY (ARRAY(SELECT"
                          " decode(x, 'hex') FROM unnest($1::text[]) AS x))",
                          ids, count, done, context);
}

int store_flush_remaining(struct store *store, const struct store_remaining *items, size_t count,
                          store_done_fn done, void *context)
{
    struct buf digests = {0}, seconds = {0};
    buf_adds(&digests, "{");
    buf_adds(&seconds, "{");
    for (size_t i = 0; i < count; i++) {
        buf_adds(&digests, i == 0 ? "" : ",");
        store__add_digest(&digests, &items[i].credential);
        buf_addf(&seconds, "%s%" PRId64, i == 0 ? "" : ",", items[i].remaining_s);
    }
    buf_adds(&digests, "}");
    buf_adds(&seconds, "}");
    const char *const params[] = {digests.data, seconds.data};
    int r = digests.failed || seconds.failed
                ? -ENOMEM
                : store__query(store,
                               "UPDATE credential SET remaining_s = x.seconds FROM"
                               " (SELECT decode(hex, 'hex') AS digest, seconds FROM"
                               " unnest($1::text[], $2::integer[]) AS u (hex, seconds)) x"
                               " WHERE credential.digest = x.digest",
                               params, 2, done, context);
    buf_done(&digests);
    buf_done(&seconds);
    return r;
}
