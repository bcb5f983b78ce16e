#include "gateway/api/sessions/handlers.h"

#include "gateway/api/sessions/info.h"
#include "gateway/api/sessions/repr.h"
#include "gateway/auth/identity.h"
#include "gateway/gateway.h"
#include "gateway/model/users.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char module[] = "sessions";

struct opening { /* lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    struct digest credential; /* the session may go while its row is on the way */
    char id[SESSION_ID_CHARS];
    const char *application;
    const char *supervised; /* login of the user for whom it is opened; NULL: nobody */
    int64_t opened_at_ms;
};

/* 0, -ENOENT: the supervised user has gone, -ENOMEM. */
static int take_over(struct opening *opening, struct session *session)
{
    struct gateway *gateway = opening->gateway;
    const char *supervised = opening->supervised;
    if (supervised != NULL && users_find_login(gateway->users, supervised) == NULL)
        return -ENOENT;
    if (supervised != NULL && session_supervise(&gateway->sessions, session, supervised) < 0)
        return -ENOMEM;
    return session_open(session, opening->id, opening->application, opening->opened_at_ms);
}

static void on_opened(void *context, int error)
{
    struct opening *opening = context;
    struct session *session = sessions_find_any(&opening->gateway->sessions, &opening->credential);
    if (session != NULL)
        session->opening = false;
    if (error == 0 && session != NULL && !session->ending) {
        error = take_over(opening, session);
        if (error < 0)
            session->deadline_ms = 0; /* its row says otherwise: the next sweep ends both */
    }
    if (error == 0 && session != NULL && !session->ending) {
        log_info(module, "%s has opened session %s from %s%s%s", session_login(session),
                 session->id, http_request_peer(opening->request),
                 session->supervisor == NULL ? "" : ", in fact ",
                 session->supervisor == NULL ? "" : session->supervisor);
        session_info_answer(opening->request, session);
    } else if (error == -ENOENT || session == NULL) {
        identity_answer_unknown(opening->request, "the credential has ended");
    } else {
        identity_answer_no_store(opening->request);
    }
}

static int prepare(struct opening *opening)
{
    uint8_t bits[8];
    char hex[2 * sizeof(bits) + 1];
    struct timespec now;
    if (secrets_random(bits, sizeof(bits)) < 0)
        return -EIO;
    secrets_hex(bits, sizeof(bits), hex);
    (void)snprintf(opening->id, sizeof(opening->id), "s-%s", hex);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    opening->opened_at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return 0;
}

static void open_session(struct http_request *request, struct session *session,
                         const struct session_request *body, const char *supervised)
{
    struct gateway *gateway = http_request_program(request);
    struct opening *opening = arena_calloc(http_request_arena(request), 1, sizeof(*opening));
    if (opening == NULL || prepare(opening) < 0) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    opening->gateway = gateway;
    opening->request = request;
    opening->credential = session->by_credential.key;
    opening->application = body->application_name;
    opening->supervised = supervised;
    const struct store_session row = {.credential = opening->credential,
                                      .id = opening->id,
                                      .application = opening->application,
                                      .supervised = opening->supervised,
                                      .opened_at_ms = opening->opened_at_ms};
    session->opening = true;
    int r = store_open_session(gateway->store, &row, on_opened, opening);
    if (r < 0)
        on_opened(opening, r);
}

/* The login of the user for whom an administrator opens the session, in the request's arena; NULL
 * after the request has been answered. A session that acts for the user already may say so again.
 */
static const char *find_supervised(struct http_request *request, const struct session *session,
                                   const struct supervised_account *account)
{
    const struct gateway *gateway = http_request_program(request);
    const struct device *device = users_find_device(gateway->users, account->id);
    const struct user *user = account->type == SUPERVISED_LOGIN_NAME
                                  ? users_find(gateway->users, account->id)
                              : device != NULL ? device->user
                                               : NULL;
    const struct http_error unknown = {
        .status = 404, .help_message = "no such user", .inner_message = account->id};
    const char *login = NULL;
    if (!session->administrator && session->supervisor == NULL)
        http_answer_fail(request, 403, "administrator session needed");
    else if (user == NULL && !store_is_ready(gateway->store))
        identity_answer_no_store(request); /* perhaps he is there, but not loaded */
    else if (user == NULL)
        http_answer_error(request, &unknown);
    else if ((login = arena_strdup(http_request_arena(request), user->login)) == NULL)
        http_answer_fail(request, 503, "not enough memory");
    return login;
}

static bool is_the_same(const struct session *session, const struct session_request *body,
                        const char *supervised)
{
    bool same_account = supervised == NULL ? session->supervisor == NULL
                                           : session->supervisor != NULL &&
                                                 strcmp(session_login(session), supervised) == 0;
    return same_account && strcmp(session->application, body->application_name) == 0;
}

/* A client that did not get the answer to its first try asks again with the same credential: it
 * gets the session that it has. Another application or account needs a credential of its own. */
void sessions_post(struct http_request *request)
{
    struct session *session = http_request_identity(request);
    const struct session_request *body = http_request_data(request);
    const char *supervised = NULL;

    if (body->supervised_account != NULL) {
        supervised = find_supervised(request, session, body->supervised_account);
        if (supervised == NULL)
            return;
    }
    if (session->opened && is_the_same(session, body, supervised))
        session_info_answer(request, session);
    else if (session->opened)
        http_answer_fail(request, 403,
                         "this credential has a session of another application or account");
    else if (session->opening)
        http_answer_fail(request, 503, "the session is being opened");
    else
        open_session(request, session, body, supervised);
}

void sessions_get(struct http_request *request)
{
    session_info_answer(request, http_request_identity(request));
}

/* authorize() has renewed the session's time already. */
void sessions_keepalive(struct http_request *request)
{
    http_answer_empty(request, 204);
}

struct logout { /* lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    struct digest credential;
};

static void on_removed(void *context, int error)
{
    struct logout *logout = context;
    struct session *session = sessions_find_any(&logout->gateway->sessions, &logout->credential);
    if (error == 0 && session != NULL) {
        log_info(module, "%s has logged out", session->account->login);
        gateway_drop_session(logout->gateway, session);
    } else if (session != NULL) {
        session->ending = false; /* unknown: the next load tells */
    }
    if (error == 0)
        http_answer_empty(logout->request, 204);
    else
        identity_answer_no_store(logout->request);
}

void sessions_delete(struct http_request *request)
{
    struct gateway *gateway = http_request_program(request);
    struct session *session = http_request_identity(request);
    struct logout *logout = arena_calloc(http_request_arena(request), 1, sizeof(*logout));
    if (logout == NULL) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    *logout = (struct logout){gateway, request, session->by_credential.key};
    session->ending = true;
    int r = store_remove_credentials(gateway->store, &logout->credential, 1, on_removed, logout);
    if (r < 0)
        on_removed(logout, r);
}
