/* PUT of a password. A user shows the old one, an administrator need not; the new one is answered
 * after its commit, which ends the user's other sessions. */
#include "gateway/api/scope.h"
#include "gateway/api/users/handlers.h"
#include "gateway/api/users/lookup.h"
#include "gateway/api/users/repr.h"
#include "gateway/auth/identity.h"
#include "gateway/auth/passwords.h"
#include "gateway/auth/throttle.h"
#include "gateway/gateway.h"
#include "gateway/roster.h"
#include "gateway/store/store_users.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/utf8.h"

#include <errno.h>
#include <string.h>

static const char module[] = "auth";

struct password_change { /* lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    const char *login, *new_password;
    bool by_user;
    const char *old_hash; /* that the old password was checked with; NULL: there is none */
    const char *new_hash;
    struct digest spared; /* the user's own session */
};

static size_t count_chars(const char *text)
{
    size_t chars = 0, left = strlen(text), step;
    for (; left > 0 && (step = utf8_next(text, left, NULL)) > 0; text += step, left -= step)
        chars++;
    return chars;
}

static void answer_failed(struct http_request *request)
{
    http_answer_fail(request, 503, "the password cannot be changed now; try again");
}

static void answer_wrong(struct http_request *request)
{
    http_answer_fail(request, 403, "the old password is wrong");
}

static void on_stored(void *context, int error)
{
    const struct password_change *change = context;
    struct gateway *gateway = change->gateway;
    struct user *user = users_find_login(gateway->users, change->login);
    if (error != 0) {
        identity_answer_no_store(change->request);
        return;
    }
    if (user == NULL) {
        scope_answer_unknown(change->request, change->login);
        return;
    }
    struct user_account account = user_account_of(user);
    account.password_hash = change->new_hash;
    if (users_set_account(gateway->users, user, &account) < 0) {
        answer_failed(change->request);
        return;
    }
    log_notice(module, "the password of %s was changed by %s", change->login,
               change->by_user ? "himself" : "an administrator");
    roster_end_sessions(gateway, change->login, change->by_user ? &change->spared : NULL);
    http_answer_empty(change->request, 204);
}

/* False: somebody else has changed it while this change was on its way. */
static bool is_still_right(const struct password_change *change, const struct user *user)
{
    return !change->by_user || (change->old_hash != NULL && user->password_hash != NULL &&
                                strcmp(change->old_hash, user->password_hash) == 0);
}

static void on_hashed(void *context, int result, const char *hash)
{
    struct password_change *change = context;
    struct gateway *gateway = change->gateway;
    const struct user *user = users_find_login(gateway->users, change->login);
    if (result == 0)
        change->new_hash = arena_strdup(http_request_arena(change->request), hash);
    if (change->new_hash == NULL) {
        answer_failed(change->request);
        return;
    }
    if (user == NULL) {
        scope_answer_unknown(change->request, change->login);
        return;
    }
    if (!is_still_right(change, user)) {
        answer_wrong(change->request);
        return;
    }
    int r = store_set_password(gateway->store, change->login, change->new_hash,
                               change->by_user ? &change->spared : NULL, on_stored, change);
    if (r < 0)
        on_stored(change, r);
}

static void hash_new_password(struct password_change *change)
{
    if (passwords_hash(change->gateway->passwords, change->new_password, on_hashed, change) < 0)
        answer_failed(change->request);
}

static void on_checked(void *context, int result)
{
    struct password_change *change = context;
    struct throttle *throttle = change->gateway->throttle;
    const char *address = http_request_peer(change->request);
    if (result == 0) {
        throttle_right(throttle, change->login, address);
        hash_new_password(change);
    } else if (result == -EACCES) {
        log_notice(module, "wrong old password for %s from %s", change->login, address);
        answer_wrong(change->request);
    } else {
        throttle_undo(throttle, change->login, address);
        answer_failed(change->request);
    }
}

static void check_old_password(struct password_change *change, const char *old_password)
{
    struct gateway *gateway = change->gateway;
    uint64_t wait_ms = throttle_begin(gateway->throttle, change->login,
                                      http_request_peer(change->request), common_boot_ms());
    if (wait_ms > 0)
        identity_answer_throttled(change->request, wait_ms);
    else if (passwords_check(gateway->passwords, old_password, change->old_hash, on_checked,
                             change) < 0)
        on_checked(change, -EBUSY);
}

static int prepare(struct password_change *change, const struct user *user,
                   const struct password_body *body)
{
    const struct session *session = http_request_identity(change->request);
    struct arena *arena = http_request_arena(change->request);
    change->login = arena_strdup(arena, user->login);
    change->new_password = body->new_password;
    change->by_user = !session->administrator;
    change->spared = session->by_credential.key;
    if (user->password_hash != NULL)
        change->old_hash = arena_strdup(arena, user->password_hash);
    return change->login == NULL || (user->password_hash != NULL && change->old_hash == NULL)
               ? -ENOMEM
               : 0;
}

static void begin(struct password_change *change, const struct password_body *body)
{
    struct gateway *gateway = change->gateway;
    size_t chars = count_chars(body->new_password);
    if (chars < PASSWORD_CHARS_MIN || chars > PASSWORD_CHARS_MAX)
        http_answer_fail(change->request, 400, "newPassword: %d to %d characters are expected",
                         PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX);
    else if (!store_is_ready(gateway->store))
        identity_answer_no_store(change->request); /* before a password is judged in vain */
    else if (!change->by_user)
        hash_new_password(change);
    else if (body->old_password == NULL)
        http_answer_fail(change->request, 400, "oldPassword is needed");
    else
        check_old_password(change, body->old_password);
}

void password_put(struct http_request *request)
{
    const struct user *user = lookup_own_user(request);
    if (user == NULL)
        return;
    struct password_change *change = arena_calloc(http_request_arena(request), 1, sizeof(*change));
    if (change == NULL) {
        answer_failed(request);
        return;
    }
    change->gateway = http_request_program(request);
    change->request = request;
    if (prepare(change, user, http_request_data(request)) < 0)
        answer_failed(request);
    else
        begin(change, http_request_data(request));
}
