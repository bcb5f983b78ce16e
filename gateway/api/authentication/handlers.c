#include "gateway/api/authentication/handlers.h"

#include "gateway/api/authentication/repr.h"
#include "gateway/auth/administrators.h"
#include "gateway/auth/basic.h"
#include "gateway/auth/identity.h"
#include "gateway/auth/passwords.h"
#include "gateway/auth/throttle.h"
#include "gateway/gateway.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char module[] = "auth";

struct login { /* one authentication under way; lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    char name[BASIC_LOGIN_CHARS];
    char credential[SECRETS_ID_CHARS + 1];
    struct digest digest;
};

/* Browser clients run on pages of other origins: SameSite=None, which browsers take with Secure
 * only. */
static void add_cookie(struct http_request *request, const char *credential)
{
    char cookie[128];
    (void)snprintf(cookie, sizeof(cookie), CREDENTIAL_COOKIE "=%s; Path=/api; HttpOnly%s",
                   credential,
                   http_request_is_tls(request) ? "; Secure; SameSite=None" : "; SameSite=Lax");
    (void)http_answer_header(request, "Set-Cookie", cookie);
    secrets_wipe(cookie, sizeof(cookie));
}

static void answer_credential(struct login *login)
{
    const struct gateway *gateway = login->gateway;
    struct arena *arena = http_request_arena(login->request);
    const struct authenticate_result result = {
        .credential = login->credential,
        .public_url = arena_printf(arena, "%s/sessions", gateway->public_base),
        .internal_url = arena_printf(arena, "%s/sessions", gateway->private_base),
    };
    add_cookie(login->request, login->credential);
    (void)http_answer_header(login->request, "Cache-Control", "no-store");
    http_answer_repr(login->request, 200, &authenticate_result_repr, &result);
}

static void on_stored(void *context, int error)
{
    struct login *login = context;
    struct gateway *gateway = login->gateway;
    struct session *session;
    if (error != 0) {
        identity_answer_no_store(login->request);
        return;
    }
    const struct session_birth birth = {
        .credential = &login->digest, .login = login->name, .administrator = true};
    if (sessions_add(&gateway->sessions, &birth, common_boot_ms(), &session) < 0) {
        http_answer_fail(login->request, 503, "too many sessions");
        return;
    }
    log_info(module, "%s has logged in from %s", login->name, http_request_peer(login->request));
    answer_credential(login);
}

static void store_credential(struct login *login)
{
    if (secrets_new_id(login->credential) < 0) {
        http_answer_fail(login->request, 503, "no random numbers");
        return;
    }
    digest_of_text(login->credential, &login->digest);
    const struct store_session row = {.credential = login->digest,
                                      .login = login->name,
                                      .administrator = true,
                                      .remaining_s = login->gateway->settings->session_ttl_s};
    int r = store_add_credential(login->gateway->store, &row, on_stored, login);
    if (r < 0)
        identity_answer_no_store(login->request);
}

static void on_checked(void *context, int result)
{
    struct login *login = context;
    struct gateway *gateway = login->gateway;
    const char *address = http_request_peer(login->request);
    if (result == 0) {
        throttle_right(gateway->throttle, login->name, address);
        store_credential(login);
        return;
    }
    if (result == -EACCES) {
        /* an unknown name is not logged: people type passwords there */
        bool known = administrators_find(gateway->administrators, login->name) != NULL;
        log_notice(module, "wrong password for %s from %s",
                   known ? login->name : "an unknown login", address);
        identity_answer_unknown(login->request, "wrong login or password");
        return;
    }
    throttle_undo(gateway->throttle, login->name, address);
    http_answer_fail(login->request, 503, "the password cannot be checked now; try again");
}

static void answer_throttled(struct http_request *request, uint64_t wait_ms)
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

static void check_password(struct login *login, const char *password)
{
    struct gateway *gateway = login->gateway;
    const char *address = http_request_peer(login->request);
    uint64_t wait_ms = throttle_begin(gateway->throttle, login->name, address, common_boot_ms());
    if (wait_ms > 0) {
        answer_throttled(login->request, wait_ms);
        return;
    }
    const char *stored = administrators_find(gateway->administrators, login->name);
    if (passwords_check(gateway->passwords, password, stored, on_checked, login) < 0)
        on_checked(login, -EBUSY);
}

void authenticate_get(struct http_request *request)
{
    struct gateway *gateway = http_request_program(request);
    const char *header = http_request_header(request, "Authorization");
    const char *version = http_request_query(request, "version");
    struct basic basic;

    if (version != NULL && strcmp(version, "1.0") != 0) {
        http_answer_fail(request, 400, "version: only 1.0 exists");
        return;
    }
    if (header == NULL || basic_parse(header, &basic) < 0) {
        identity_answer_unknown(request, "login and password are needed (HTTP Basic)");
        return;
    }
    struct login *login = arena_calloc(http_request_arena(request), 1, sizeof(*login));
    if (!store_is_ready(gateway->store)) {
        identity_answer_no_store(request); /* before a password is judged that leads nowhere */
    } else if (login == NULL) {
        http_answer_fail(request, 503, "not enough memory");
    } else {
        login->gateway = gateway;
        login->request = request;
        memcpy(login->name, basic.login, sizeof(login->name));
        check_password(login, basic.password);
    }
    secrets_wipe(&basic, sizeof(basic));
}
