#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/api/sessions/handlers.h"
#include "gateway/api/sessions/repr.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

static const struct http_route rows[] = {
    {HTTP_POST, API_BASE "/sessions", ACCESS_CREDENTIAL, &session_request_repr, &session_info_repr,
     sessions_post, 0, "opens the session of a credential", FEATURE_NONE},
    {HTTP_GET, API_BASE "/sessions", ACCESS_SESSION, NULL, &session_info_repr, sessions_get, 0,
     "the present session", FEATURE_NONE},
    {HTTP_DELETE, API_BASE "/sessions", ACCESS_CREDENTIAL, NULL, NULL, sessions_delete, 0,
     "ends the session, its subscriptions and the credential", FEATURE_NONE},
    {HTTP_POST, API_BASE "/sessions/keepalive", ACCESS_SESSION, NULL, NULL, sessions_keepalive, 0,
     "renews the session's time", FEATURE_NONE},
};

const struct api_service sessions_service = {
    .name = "sessions", .relative_url = "/sessions", .rows = rows, .row_count = COUNT_OF(rows)};
