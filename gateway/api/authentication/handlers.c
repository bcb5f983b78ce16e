#include "gateway/api/authentication/handlers.h"

#include "gateway/api/authentication/repr.h"
#include "gateway/auth/administrators.h"
#include "gateway/auth/basic.h"
#include "gateway/auth/identity.h"
#include "gateway/auth/passwords.h"
#include "gateway/auth/throttle.h"
#include "gateway/gateway.h"
#include "gateway/model/users.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char module[] = "auth";

struct login { /* one authentication under way; lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    char typed[BASIC_LOGIN_CHARS]; /* as the caller wrote it */
    const char *name;              /* the account's login; what was typed for an unknown one */
    const char *counted;           /* under which wrong tries are counted */
    bool administrator, known;
    const char *hash; /* that the password was checked with; NULL: there is none */
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
        .login_name = strcmp(login->name, login->typed) == 0 ? NULL : login->name,
    };
    add_cookie(login->request, login->credential);
    (void)http_answer_header(login->request, "Cache-Control", "no-store");
    http_answer_repr(login->request, 200, &authenticate_result_repr, &result);
}

static void on_dropped(void *context, int error)
{
    (void)context;
    (void)error; /* nobody has the credential: the row only waits for its time to end */
}

/* Administrators come first: nobody can take their logins away. */
static const char *find_hash(const struct gateway *gateway, const struct login *login)
{
    const struct user *user;
    if (login->administrator)
        return administrators_find(gateway->administrators, login->name);
    user = users_find_login(gateway->users, login->name);
    return user == NULL ? NULL : user->password_hash;
}

/* False: the password was changed, or the account went, while the credential was on its way. */
static bool is_still_right(const struct login *login)
{
    const char *hash = find_hash(login->gateway, login);
    return hash != NULL && strcmp(hash, login->hash) == 0;
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
    if (!is_still_right(login)) {
        (void)store_remove_credentials(gateway->store, &login->digest, 1, on_dropped, NULL);
        identity_answer_unknown(login->request, "wrong login or password");
        return;
    }
    const struct session_birth birth = {
        .credential = &login->digest, .login = login->name, .administrator = login->administrator};
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
                                      .administrator = login->administrator,
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
        throttle_right(gateway->throttle, login->counted, address);
        store_credential(login);
        return;
    }
    if (result == -EACCES) {
        /* an unknown name is not logged: people type passwords there */
        log_notice(module, "wrong password for %s from %s",
                   login->known ? login->name : "an unknown login", address);
        identity_answer_unknown(login->request, "wrong login or password");
        return;
    }
    throttle_undo(gateway->throttle, login->counted, address);
    http_answer_fail(login->request, 503, "the password cannot be checked now; try again");
}

/* Every way to write a login leads to the same count of wrong tries, also where there is no such
 * user: else the count would tell who exists. An administrator has his own, although his login may
 * be a user's: a right password of the one must not forgive tries at the other. */
static const char *find_counted(struct arena *arena, const struct login *login)
{
    if (login->administrator)
        return arena_printf(arena, "administrator %s", login->name);
    size_t digits = strspn(login->typed, "0123456789");
    if (login->known || digits == 0 || digits >= PBX_NUMBER_CHARS || login->typed[digits] != '\0')
        return login->name;
    char user_login[USER_LOGIN_CHARS];
    user_login_of(login->typed, user_login);
    return arena_strdup(arena, user_login);
}

static int find_account(struct login *login)
{
    const struct gateway *gateway = login->gateway;
    struct arena *arena = http_request_arena(login->request);
    const struct user *user = users_find(gateway->users, login->typed);
    login->administrator = administrators_find(gateway->administrators, login->typed) != NULL;
    login->known = login->administrator || user != NULL;
    login->name =
        login->administrator || user == NULL ? login->typed : arena_strdup(arena, user->login);
    login->counted = login->name == NULL ? NULL : find_counted(arena, login);
    if (login->counted == NULL)
        return -ENOMEM;
    const char *hash = login->known ? find_hash(gateway, login) : NULL;
    login->hash = hash == NULL ? NULL : arena_strdup(arena, hash);
    return hash != NULL && login->hash == NULL ? -ENOMEM : 0;
}

static void check_password(struct login *login, const char *password)
{
    struct gateway *gateway = login->gateway;
    const char *address = http_request_peer(login->request);
    uint64_t wait_ms = throttle_begin(gateway->throttle, login->counted, address, common_boot_ms());
    if (wait_ms > 0)
        identity_answer_throttled(login->request, wait_ms);
    else if (passwords_check(gateway->passwords, password, login->hash, on_checked, login) < 0)
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
        memcpy(login->typed, basic.login, sizeof(login->typed));
        if (find_account(login) == 0)
            check_password(login, basic.password);
        else
            http_answer_fail(request, 503, "not enough memory");
    }
    secrets_wipe(&basic, sizeof(basic));
}
