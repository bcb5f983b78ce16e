#include "gateway/api/subscriptions/handlers.h"

#include "gateway/api/subscriptions/repr.h"
#include "gateway/auth/identity.h"
#include "gateway/events/channel.h"
#include "gateway/gateway.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <string.h>

static const char module[] = "subscriptions";

struct subscribing { /* lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    struct digest credential; /* the session may go while the row is on the way */
    char id[SECRETS_ID_CHARS + 1];
    struct digest digest;
    int64_t timeout_min;
    struct filter *filter;
};

static void refuse(struct http_request *request, const char *message)
{
    const struct subscription_result result = {.message = message, .status = "REFUSED"};
    http_answer_repr(request, 200, &subscription_result_repr, &result);
}

/* What we understand but cannot do; NULL: nothing of that kind. */
static const char *find_refusal(const struct subscription_request *body)
{
    if (body->web_hook_url != NULL && body->web_hook_url[0] != '\0')
        return "webhooks are not available yet";
    if (body->version != NULL && strcmp(body->version, "1.0") != 0)
        return "unknown version: only 1.0 exists";
    if (body->mode != NULL && body->mode[0] != '\0' && strcmp(body->mode, "CHUNK") != 0)
        return "unknown mode: only CHUNK exists";
    if (body->format != NULL && body->format[0] != '\0' && strcmp(body->format, "JSON") != 0)
        return "unknown format: only JSON exists";
    return NULL;
}

static void answer_accepted(const struct subscribing *subscribing)
{
    const struct gateway *gateway = subscribing->gateway;
    struct arena *arena = http_request_arena(subscribing->request);
    const char *id = subscribing->id;
    const struct subscription_result result = {
        .subscription_id = id,
        .message = "",
        .public_polling_url =
            arena_printf(arena, "%s/events?subscriptionId=%s", gateway->public_base, id),
        .private_polling_url =
            arena_printf(arena, "%s/events?subscriptionId=%s", gateway->private_base, id),
        .status = "ACCEPTED",
        .mode = "CHUNK",
        .format = "JSON",
    };
    (void)http_answer_header(subscribing->request, "Cache-Control", "no-store");
    http_answer_repr(subscribing->request, 200, &subscription_result_repr, &result);
}

static int add_to_memory(struct subscribing *subscribing, struct session *session)
{
    const struct subscription_birth birth = {
        .id = &subscribing->digest, .session = session, .timeout_min = subscribing->timeout_min};
    int r = subscriptions_add(&subscribing->gateway->subscriptions, &birth, subscribing->filter,
                              common_boot_ms());
    if (r == 0)
        subscribing->filter = NULL;
    return r;
}

static void on_stored(void *context, int error)
{
    struct subscribing *subscribing = context;
    struct session *session =
        sessions_find_any(&subscribing->gateway->sessions, &subscribing->credential);
    if (session != NULL)
        session->subscriptions_coming--;
    bool gone = session == NULL || session->ending || error == -ENOENT;
    int r = gone ? -ENOENT : error != 0 ? error : add_to_memory(subscribing, session);
    filter_free(subscribing->filter); /* NULL when the subscription has it now */
    if (r == 0)
        answer_accepted(subscribing);
    else if (gone)
        identity_answer_unknown(subscribing->request, "the session has ended");
    else
        identity_answer_no_store(subscribing->request);
}

static void store_it(struct subscribing *subscribing, const struct filter_request *filter)
{
    struct buf text = {0};
    int r = repr_write(&filter_request_repr, filter, &text);
    if (r == 0) {
        const struct store_subscription row = {.id = subscribing->digest,
                                               .credential = subscribing->credential,
                                               .filter = text.data,
                                               .timeout_min = subscribing->timeout_min};
        r = store_add_subscription(subscribing->gateway->store, &row, on_stored, subscribing);
    }
    buf_done(&text);
    if (r < 0)
        on_stored(subscribing, -EAGAIN);
}

static void accept_it(struct http_request *request, struct session *session,
                      const struct subscription_request *body, struct filter *filter)
{
    struct subscribing *subscribing =
        arena_calloc(http_request_arena(request), 1, sizeof(*subscribing));
    if (subscribing == NULL || secrets_new_id(subscribing->id) < 0) {
        filter_free(filter);
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    subscribing->gateway = http_request_program(request);
    subscribing->request = request;
    subscribing->credential = session->by_credential.key;
    digest_of_text(subscribing->id, &subscribing->digest);
    subscribing->timeout_min = body->timeout.set ? body->timeout.value : 0;
    subscribing->filter = filter;
    session->subscriptions_coming++;
    store_it(subscribing, body->filter);
}

void subscriptions_post(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    struct session *session = http_request_identity(request);
    const struct subscription_request *body = http_request_data(request);
    const char *refusal = find_refusal(body);
    struct filter *filter = NULL;
    struct diag diag = {0};

    if (refusal != NULL) {
        refuse(request, refusal);
        return;
    }
    if (session->subscription_count + session->subscriptions_coming >=
        (uint64_t)gateway->settings->subscriptions_per_session) {
        http_answer_fail(request, 403, "the session has %u subscriptions, no more are allowed",
                         session->subscription_count);
        return;
    }
    int r = filter_new(body->filter, session->administrator ? NULL : session->account->login,
                       &filter, &diag);
    if (r == 0)
        accept_it(request, session, body, filter);
    else if (r == -EINVAL)
        refuse(request, diag.text);
    else
        http_answer_fail(request, r == -EPERM ? 403 : 503, "%s",
                         r == -EPERM ? diag.text : "not enough memory");
}

struct unsubscribing { /* lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    struct digest digest;
};

static void on_removed(void *context, int error)
{
    struct unsubscribing *unsubscribing = context;
    struct gateway *gateway = unsubscribing->gateway;
    struct subscription *subscription =
        subscriptions_find_any(&gateway->subscriptions, &unsubscribing->digest);
    if (subscription != NULL) {
        subscription->ending = false;
        if (error == 0)
            gateway_drop_subscription(gateway, subscription);
    }
    if (error == 0)
        http_answer_empty(unsubscribing->request, 204);
    else
        identity_answer_no_store(unsubscribing->request);
}

void subscriptions_delete(struct http_request *request)
{
    struct gateway *gateway = http_request_program(request);
    const struct session *session = http_request_identity(request);
    struct unsubscribing *unsubscribing =
        arena_calloc(http_request_arena(request), 1, sizeof(*unsubscribing));
    if (unsubscribing == NULL) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    unsubscribing->gateway = gateway;
    unsubscribing->request = request;
    digest_of_text(http_request_param(request, "subscriptionId"), &unsubscribing->digest);
    struct subscription *subscription =
        subscriptions_find(&gateway->subscriptions, &unsubscribing->digest);
    if (subscription == NULL || subscription->session != session) {
        http_answer_fail(request, 404, "this session has no such subscription");
        return;
    }
    subscription->ending = true;
    int r = store_remove_subscriptions(gateway->store, &unsubscribing->digest, 1, on_removed,
                                       unsubscribing);
    if (r < 0)
        on_removed(unsubscribing, r);
}

void events_listen(struct http_request *request)
{
    struct gateway *gateway = http_request_program(request);
    const char *id = http_request_query(request, "subscriptionId");
    struct digest digest;
    if (id == NULL || *id == '\0') {
        http_answer_fail(request, 400, "the query parameter subscriptionId is needed");
        return;
    }
    digest_of_text(id, &digest);
    struct subscription *subscription = subscriptions_find(&gateway->subscriptions, &digest);
    uint64_t now_ms = common_boot_ms();
    bool live = subscription != NULL && !subscription->session->ending &&
                subscription->session->deadline_ms > now_ms;
    if (!live && !store_is_ready(gateway->store)) {
        identity_answer_no_store(request); /* perhaps it is there, but not loaded */
        return;
    }
    if (!live) {
        http_answer_fail(request, 404, "no such subscription");
        return;
    }
    sessions_touch(&gateway->sessions, subscription->session, now_ms);
    log_debug(module, "%s listens from %s", subscription->session->account->login,
              http_request_peer(request));
    channel_open(gateway->channels, subscription, request);
}
