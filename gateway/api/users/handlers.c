#include "gateway/api/users/handlers.h"

#include "gateway/api/scope.h"
#include "gateway/api/users/logins.h"
#include "gateway/api/users/lookup.h"
#include "gateway/api/users/repr.h"
#include "gateway/auth/identity.h"
#include "gateway/gateway.h"
#include "gateway/store/store_users.h"
#include "lib/common/common.h"

#include <errno.h>
#include <string.h>

/* Languages that a user may choose (ISO 639-1). */
static const char *const languages[] = {"cs", "da", "de", "en", "es", "fi", "fr",
                                        "hu", "it", "nl", "no", "pl", "pt", "sv"};

static void answer_user(struct http_request *request, const struct user *user)
{
    struct device_body devices[USER_DEVICES_MAX];
    struct user_body body;
    user_view(user, devices, &body);
    http_answer_repr(request, 200, &user_repr, &body);
}

void logins_get(struct http_request *request)
{
    const struct session *session = http_request_identity(request);
    if (!session->administrator) {
        logins_answer_one(request, session_login(session));
        return;
    }
    const struct logins_filter filter = {
        .node_ids = http_request_query(request, "nodeIds"),
        .only_agents = http_request_flag(request, "onlyACD"),
        .only_external = http_request_flag(request, "onlyWithExtLogin"),
    };
    logins_answer(request, &filter);
}

void users_get(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const struct session *session = http_request_identity(request);
    const char *phone = http_request_query(request, "companyPhone");
    const struct user *user = NULL;
    if (phone == NULL && session->administrator) {
        http_answer_fail(request, 400,
                         "the query parameter companyPhone is needed: an administrator is no user");
        return;
    }
    if (phone == NULL) {
        user = users_find_login(gateway->users, session_login(session));
    } else {
        const struct device *device = users_find_device(gateway->users, phone);
        if (device != NULL && strcmp(user_phone(device->user), phone) == 0)
            user = device->user;
    }
    if (user != NULL)
        answer_user(request, user);
    else
        scope_answer_unknown(request, phone != NULL ? phone : session_login(session));
}

void user_get(struct http_request *request)
{
    const struct user *user = lookup_user(request);
    if (user != NULL)
        answer_user(request, user);
}

/* --- preferences -------------------------------------------------------------------------------
 */

void preferences_get(struct http_request *request)
{
    const struct user *user = lookup_own_user(request);
    if (user == NULL)
        return;
    const struct preferences_body body = {.gui_language = user->gui_language};
    http_answer_repr(request, 200, &preferences_repr, &body);
}

void supported_languages_get(struct http_request *request)
{
    const struct repr_array list = {.items = languages, .count = COUNT_OF(languages), .set = true};
    const struct languages_body body = {.supported = list, .supported_gui = list};
    if (lookup_user(request) != NULL)
        http_answer_repr(request, 200, &languages_repr, &body);
}

static bool is_supported(const char *language)
{
    for (size_t i = 0; i < COUNT_OF(languages); i++) {
        if (strcmp(languages[i], language) == 0)
            return true;
    }
    return false;
}

/* Clients disagree on the inner names: both are given. */
static void answer_wrong_language(struct http_request *request, const char *parameter,
                                  const char *message)
{
    const struct preferences_error part = {.error = "WRONG_VALUE",
                                           .parameter = parameter,
                                           .error_dto = "WRONG_VALUE",
                                           .parameter_dto = parameter};
    const struct http_error error = {.status = 400,
                                     .help_message = message,
                                     .part_name = "userPreferences",
                                     .part_repr = &preferences_error_repr,
                                     .part = &part};
    http_answer_error(request, &error);
}

struct language_change { /* lives in the request's arena */
    struct gateway *gateway;
    struct http_request *request;
    const char *login, *language;
};

static void on_language_stored(void *context, int error)
{
    const struct language_change *change = context;
    struct user *user = users_find_login(change->gateway->users, change->login);
    if (error == 0 && user == NULL) {
        scope_answer_unknown(change->request, change->login);
        return;
    }
    if (error == 0) {
        struct user_account account = user_account_of(user);
        account.gui_language = change->language;
        error = users_set_account(change->gateway->users, user, &account);
    }
    if (error == 0)
        http_answer_empty(change->request, 204);
    else
        identity_answer_no_store(change->request);
}

static void change_language(struct http_request *request, const struct user *user,
                            const char *language)
{
    struct arena *arena = http_request_arena(request);
    struct language_change *change = arena_calloc(arena, 1, sizeof(*change));
    const char *login = arena_strdup(arena, user->login);
    if (change == NULL || login == NULL) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    *change = (struct language_change){http_request_program(request), request, login, language};
    int r = store_set_language(change->gateway->store, login, language, on_language_stored, change);
    if (r < 0)
        on_language_stored(change, r);
}

void preferences_put(struct http_request *request)
{
    const struct preferences_body *body = http_request_data(request);
    const struct user *user = lookup_own_user(request);
    if (user == NULL)
        return;
    if (body->oxe_language != NULL)
        answer_wrong_language(request, "UNKNOWN", "oxeLanguage is set at the PBX");
    else if (body->gui_language == NULL || !is_supported(body->gui_language))
        answer_wrong_language(request, "GUI_LANGUAGE",
                              "guiLanguage: one of the supported languages is expected");
    else
        change_language(request, user, body->gui_language);
}
