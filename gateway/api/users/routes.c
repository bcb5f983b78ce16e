#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/api/users/handlers.h"
#include "gateway/api/users/repr.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

#define USER API_BASE "/users/{login}"

static const struct http_route rows[] = {
    {HTTP_GET, API_BASE "/logins", ACCESS_SESSION, NULL, &logins_repr, logins_get, 0,
     "all logins for administrators, the own one for users", FEATURE_NONE},
    {HTTP_GET, API_BASE "/users", ACCESS_SESSION, NULL, &user_repr, users_get, 0,
     "the user with a company phone, else the owner of the session", FEATURE_NONE},
    {HTTP_GET, USER, ACCESS_SESSION, NULL, &user_repr, user_get, 0, "a user", FEATURE_NONE},
    {HTTP_GET, USER "/preferences", ACCESS_SESSION, NULL, &preferences_repr, preferences_get, 0,
     "what a user has chosen", FEATURE_NONE},
    {HTTP_PUT, USER "/preferences", ACCESS_SESSION, &preferences_repr, NULL, preferences_put, 0,
     "chooses a language", FEATURE_NONE},
    {HTTP_GET, USER "/preferences/supportedLanguages", ACCESS_SESSION, NULL, &languages_repr,
     supported_languages_get, 0, "the languages to choose from", FEATURE_NONE},
    {HTTP_PUT, USER "/password", ACCESS_SESSION, &password_repr, NULL, password_put, 0,
     "changes a password; other sessions of the user end", FEATURE_NONE},
};

const struct api_service users_service = {
    .name = "users", .relative_url = "/users", .rows = rows, .row_count = COUNT_OF(rows)};
