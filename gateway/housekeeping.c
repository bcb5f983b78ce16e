#include "gateway/housekeeping.h"

#include "gateway/auth/administrators.h"
#include "gateway/directory.h"
#include "gateway/gateway.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "sessions";

enum { BATCH_MAX = 1000, FILTER_ARENA_BYTES = 4 * 1024 * 1024 };

struct housekeeping {
    struct gateway *gateway;
    struct timer *sweep, *flush;
    uint64_t last_full_ms;
    unsigned flushes;               /* under way */
    void (*flushed)(void *context); /* of housekeeping_flush(); NULL when nobody waits */
    void *flushed_context;
};

/* --- merging a load ----------------------------------------------------------------------------
 */

void housekeeping_load_begin(void *context)
{
    struct gateway *gateway = context;
    struct session *session;
    struct subscription *subscription;
    TAILQ_FOREACH(session, &gateway->sessions.all, of_all)
    {
        session->confirmed = false;
        session->ending = false; /* an outcome that was unknown is known after this load */
    }
    TAILQ_FOREACH(subscription, &gateway->subscriptions.all, of_all)
    {
        subscription->confirmed = false;
        subscription->ending = false;
    }
    directory_load_begin(gateway);
}

/* Somebody who is no administrator or no user any more has lost his sessions. */
static bool has_owner(const struct gateway *gateway, bool administrator, const char *login)
{
    return administrator ? administrators_find(gateway->administrators, login) != NULL
                         : users_find_login(gateway->users, login) != NULL;
}

static struct session *add_loaded(struct gateway *gateway, const struct store_session *loaded)
{
    struct session *session = NULL;
    struct session_birth birth = {
        .credential = &loaded->credential,
        .login = loaded->login,
        .administrator = loaded->administrator,
        .remaining_s = loaded->remaining_s > SESSION_TAKEOVER_GRANT_S ? loaded->remaining_s
                                                                      : SESSION_TAKEOVER_GRANT_S,
    };
    if (!has_owner(gateway, birth.administrator, birth.login) ||
        (loaded->supervised != NULL && !has_owner(gateway, false, loaded->supervised)))
        return NULL;
    (void)sessions_add(&gateway->sessions, &birth, common_boot_ms(), &session);
    return session;
}

void housekeeping_load_session(void *context, const struct store_session *loaded)
{
    struct gateway *gateway = context;
    struct session *session = sessions_find_any(&gateway->sessions, &loaded->credential);
    if (session == NULL)
        session = add_loaded(gateway, loaded);
    if (session == NULL)
        return;
    session->confirmed = true;
    if (loaded->id == NULL || session->opened)
        return;
    if (session_open(session, loaded->id, loaded->application, loaded->opened_at_ms) < 0 ||
        (loaded->supervised != NULL &&
         session_supervise(&gateway->sessions, session, loaded->supervised) < 0))
        session->confirmed = false; /* without memory it ends, rather than with other rights */
}

static struct filter *read_filter(const struct session *session, const char *text)
{
    AUTO(json_freep) cJSON *json = NULL;
    struct arena arena;
    struct filter_request request;
    struct filter *filter = NULL;
    arena_init(&arena, FILTER_ARENA_BYTES);
    if (json_parse(text, strlen(text), &json, NULL) == 0 &&
        repr_read(&filter_request_repr, json, &arena, &request, NULL) == 0)
        (void)filter_new(&request, session->administrator ? NULL : session->account->login, &filter,
                         NULL);
    arena_done(&arena);
    return filter;
}

void housekeeping_load_subscription(void *context, const struct store_subscription *loaded)
{
    struct gateway *gateway = context;
    struct subscription *known = subscriptions_find_any(&gateway->subscriptions, &loaded->id);
    struct session *session = sessions_find_any(&gateway->sessions, &loaded->credential);
    if (known != NULL)
        known->confirmed = true;
    if (known != NULL || session == NULL)
        return;

    struct filter *filter = read_filter(session, loaded->filter);
    struct subscription_birth birth = {
        .id = &loaded->id, .session = session, .timeout_min = loaded->timeout_min};
    if (filter == NULL) {
        log_warning(module, "a subscription in the database cannot be read and is left out");
        return;
    }
    if (subscriptions_add(&gateway->subscriptions, &birth, filter, common_boot_ms()) < 0) {
        filter_free(filter);
        return;
    }
    subscriptions_find_any(&gateway->subscriptions, &loaded->id)->confirmed = true;
}

void housekeeping_load_end(struct gateway *gateway)
{
    directory_load_end(gateway);
    struct subscription *subscription = TAILQ_FIRST(&gateway->subscriptions.all);
    while (subscription != NULL) {
        struct subscription *next = TAILQ_NEXT(subscription, of_all);
        if (!subscription->confirmed)
            gateway_drop_subscription(gateway, subscription);
        subscription = next;
    }
    struct session *session = TAILQ_FIRST(&gateway->sessions.all);
    while (session != NULL) {
        struct session *next = TAILQ_NEXT(session, of_all);
        if (!session->confirmed)
            gateway_drop_session(gateway, session);
        session = next;
    }
    log_info(module, "loaded: %zu users, %zu sessions, %zu subscriptions",
             users_count(gateway->users), gateway->sessions.by_credential.count,
             gateway->subscriptions.by_id.count);
}

/* --- ends --------------------------------------------------------------------------------------
 */

struct removal { /* deletions whose commit is awaited */
    struct gateway *gateway;
    size_t count;
    struct digest digests[BATCH_MAX];
};

static void on_sessions_removed(void *context, int error)
{
    struct removal *removal = context;
    struct gateway *gateway = removal->gateway;
    for (size_t i = 0; i < removal->count; i++) {
        struct session *session = sessions_find_any(&gateway->sessions, &removal->digests[i]);
        if (session == NULL)
            continue;
        session->ending = false; /* not taken: the next sweep tries again */
        if (error == 0)
            gateway_drop_session(gateway, session);
    }
    free(removal);
}

static void on_subscriptions_removed(void *context, int error)
{
    struct removal *removal = context;
    struct gateway *gateway = removal->gateway;
    for (size_t i = 0; i < removal->count; i++) {
        struct subscription *subscription =
            subscriptions_find_any(&gateway->subscriptions, &removal->digests[i]);
        if (subscription == NULL)
            continue;
        subscription->ending = false;
        if (error == 0)
            gateway_drop_subscription(gateway, subscription);
    }
    free(removal);
}

static bool may_stay(const struct gateway *gateway, const struct session *session)
{
    return has_owner(gateway, session->administrator, session_login(session)) &&
           (session->supervisor == NULL || has_owner(gateway, true, session->supervisor));
}

static void sweep_sessions(struct gateway *gateway, struct removal *removal, uint64_t now_ms)
{
    struct session *session;
    TAILQ_FOREACH(session, &gateway->sessions.all, of_all)
    {
        if (session->ending || removal->count >= BATCH_MAX ||
            (session->deadline_ms > now_ms && may_stay(gateway, session)))
            continue;
        log_info(module, "session of %s ends: %s", session->account->login,
                 session->deadline_ms > now_ms ? "its owner is gone" : "not used");
        session->ending = true;
        removal->digests[removal->count++] = session->by_credential.key;
    }
    if (removal->count == 0)
        free(removal);
    else if (store_remove_credentials(gateway->store, removal->digests, removal->count,
                                      on_sessions_removed, removal) < 0)
        on_sessions_removed(removal, -EAGAIN);
}

static void sweep_subscriptions(struct gateway *gateway, struct removal *removal, uint64_t now_ms)
{
    struct subscription *subscription;
    TAILQ_FOREACH(subscription, &gateway->subscriptions.all, of_all)
    {
        if (subscription->deadline_ms == 0 || subscription->deadline_ms > now_ms ||
            subscription->ending || removal->count >= BATCH_MAX)
            continue;
        subscription->ending = true;
        removal->digests[removal->count++] = subscription->by_id.key;
    }
    if (removal->count == 0)
        free(removal);
    else if (store_remove_subscriptions(gateway->store, removal->digests, removal->count,
                                        on_subscriptions_removed, removal) < 0)
        on_subscriptions_removed(removal, -EAGAIN);
}

static struct removal *removal_new(struct gateway *gateway)
{
    struct removal *removal = malloc(sizeof(*removal));
    if (removal != NULL) {
        removal->gateway = gateway;
        removal->count = 0;
    }
    return removal;
}

static void on_sweep(void *context)
{
    struct gateway *gateway = ((struct housekeeping *)context)->gateway;
    uint64_t now_ms = common_boot_ms();
    if (!store_is_ready(gateway->store))
        return;
    struct removal *removal = removal_new(gateway);
    if (removal != NULL)
        sweep_sessions(gateway, removal, now_ms);
    removal = removal_new(gateway);
    if (removal != NULL)
        sweep_subscriptions(gateway, removal, now_ms);
}

/* --- last use ----------------------------------------------------------------------------------
 */

struct flush {
    struct gateway *gateway;
    struct housekeeping *housekeeping;
    size_t count;
    struct store_remaining items[BATCH_MAX];
};

void housekeeping_give_up(struct housekeeping *housekeeping)
{
    void (*flushed)(void *context) = housekeeping->flushed;
    housekeeping->flushed = NULL;
    if (flushed != NULL)
        flushed(housekeeping->flushed_context);
}

static void tell_flushed(struct housekeeping *housekeeping)
{
    if (housekeeping->flushes == 0)
        housekeeping_give_up(housekeeping);
}

static void on_flushed(void *context, int error)
{
    struct flush *flush = context;
    struct housekeeping *housekeeping = flush->housekeeping;
    for (size_t i = 0; error != 0 && i < flush->count; i++) {
        struct session *session =
            sessions_find_any(&flush->gateway->sessions, &flush->items[i].credential);
        if (session != NULL)
            session->touched = true; /* once more with the next flush */
    }
    free(flush);
    housekeeping->flushes--;
    tell_flushed(housekeeping);
}

/* One batch from *place on; *place goes behind it. */
static void flush_batch(struct housekeeping *housekeeping, struct session **place, bool all)
{
    struct gateway *gateway = housekeeping->gateway;
    struct flush *flush = malloc(sizeof(*flush));
    struct session *session = *place;
    *place = NULL;
    if (flush == NULL)
        return;
    flush->gateway = gateway;
    flush->housekeeping = housekeeping;
    flush->count = 0;
    for (; session != NULL && flush->count < BATCH_MAX; session = TAILQ_NEXT(session, of_all)) {
        if (!session->touched && !all)
            continue;
        session->touched = false;
        flush->items[flush->count++] = (struct store_remaining){
            session->by_credential.key, session_remaining_s(session, common_boot_ms())};
    }
    *place = session;
    if (flush->count == 0) {
        free(flush);
        return;
    }
    housekeeping->flushes++;
    if (store_flush_remaining(gateway->store, flush->items, flush->count, on_flushed, flush) < 0)
        on_flushed(flush, -EAGAIN);
}

static void flush_now(struct housekeeping *housekeeping, bool all)
{
    struct gateway *gateway = housekeeping->gateway;
    struct session *place = TAILQ_FIRST(&gateway->sessions.all);
    while (place != NULL && store_is_ready(gateway->store))
        flush_batch(housekeeping, &place, all);
}

static void on_flush(void *context)
{
    struct housekeeping *housekeeping = context;
    uint64_t now_ms = common_boot_ms();
    bool all = now_ms - housekeeping->last_full_ms >= HOUSEKEEPING_ALL_MS;
    if (all)
        housekeeping->last_full_ms = now_ms;
    flush_now(housekeeping, all);
}

void housekeeping_flush(struct housekeeping *housekeeping, void (*done)(void *context),
                        void *context)
{
    flush_now(housekeeping, false);
    housekeeping->flushed = done;
    housekeeping->flushed_context = context;
    tell_flushed(housekeeping);
}

struct housekeeping *housekeeping_new(struct gateway *gateway)
{
    struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));
    if (housekeeping == NULL)
        return NULL;
    housekeeping->gateway = gateway;
    housekeeping->last_full_ms = common_boot_ms();
    housekeeping->sweep = timer_new(gateway->loop, on_sweep, housekeeping);
    housekeeping->flush = timer_new(gateway->loop, on_flush, housekeeping);
    if (housekeeping->sweep == NULL || housekeeping->flush == NULL) {
        housekeeping_free(housekeeping);
        return NULL;
    }
    timer_start(housekeeping->sweep, HOUSEKEEPING_SWEEP_MS, HOUSEKEEPING_SWEEP_MS);
    timer_start(housekeeping->flush, HOUSEKEEPING_USED_MS, HOUSEKEEPING_USED_MS);
    return housekeeping;
}

void housekeeping_free(struct housekeeping *housekeeping)
{
    if (housekeeping == NULL)
        return;
    timer_free(housekeeping->sweep);
    timer_free(housekeeping->flush);
    free(housekeeping);
}
