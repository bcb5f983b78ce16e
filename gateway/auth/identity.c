#include "gateway/auth/identity.h"

#include "gateway/gateway.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"

#include <inttypes.h>
#include <stdio.h>

#define ACCESS_NAME(id, text) text,
const char *access_name(unsigned access)
{
    static const char *const names[] = {ACCESSES(ACCESS_NAME)};
    return access < ACCESS_COUNT ? names[access] : "?";
}

void identity_answer_unknown(struct http_request *request, const char *help_message)
{
    (void)http_answer_header(request, "WWW-Authenticate", "Basic realm=\"O2G\", charset=\"UTF-8\"");
    http_answer_fail(request, 401, "%s", help_message);
}

void identity_answer_throttled(struct http_request *request, uint64_t wait_ms)
{
    char seconds[24];
    (void)snprintf(seconds, sizeof(seconds), "%" PRIu64, (wait_ms + 999) / 1000);
    (void)http_answer_header(request, "Retry-After", seconds);
    const struct http_error error = {
        .status = 403,
        .help_message = arena_printf(http_request_arena(request),
                                     "too many wrong passwords; wait %s s", seconds),
        .can_retry = true};
    http_answer_error(request, &error);
}

void identity_answer_no_store(struct http_request *request)
{
    (void)http_answer_header(request, "Retry-After", "1");
    http_answer_fail(request, 503, "the database is not available; try again");
}

/* Does its rights suffice? Answers the request when they do not. */
static bool has_right(struct http_request *request, const struct session *session, unsigned access)
{
    if (access >= ACCESS_SESSION && !session->opened) {
        http_answer_fail(request, 403, "no session: open one with POST /api/rest/1.0/sessions");
        return false;
    }
    if (access >= ACCESS_ADMINISTRATOR && !session->administrator) {
        http_answer_fail(request, 403, "administrator session needed");
        return false;
    }
    return true;
}

/* NULL: the request has been answered. */
static struct session *find_session(struct gateway *gateway, struct http_request *request,
                                    uint64_t now_ms)
{
    const char *credential = http_request_cookie(request, CREDENTIAL_COOKIE);
    if (credential == NULL || *credential == '\0') {
        identity_answer_unknown(request, "no credential: authenticate first");
        return NULL;
    }
    struct digest digest;
    digest_of_text(credential, &digest);
    struct session *session = sessions_find(&gateway->sessions, &digest, now_ms);
    if (session != NULL)
        return session;
    if (!store_is_ready(gateway->store))
        identity_answer_no_store(request); /* perhaps it is there, but not loaded */
    else
        identity_answer_unknown(request, "the credential is unknown or its session has ended");
    return NULL;
}

bool identity_confirm(void *context, struct http_request *request, unsigned access)
{
    struct gateway *gateway = context;
    uint64_t now_ms = common_boot_ms();
    if (access < ACCESS_CREDENTIAL)
        return true;
    struct session *session = find_session(gateway, request, now_ms);
    if (session == NULL || !has_right(request, session, access))
        return false;
    sessions_touch(&gateway->sessions, session, now_ms);
    http_request_set_identity(request, session);
    return true;
}

void identity_authorize(void *context, struct http_request *request, unsigned access)
{
    const struct gateway *gateway = context;
    if (access != ACCESS_CLEAR && !http_request_is_tls(request) &&
        !gateway->settings->http_full_access) {
        http_answer_fail(request, 403, "only over https: %s", gateway->settings->public_url);
        return;
    }
    if (identity_confirm(context, request, access))
        http_request_resume(request);
}
