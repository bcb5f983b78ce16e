#include "gateway/api/authentication/handlers.h"
#include "gateway/api/authentication/repr.h"
#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

static const struct http_route rows[] = {
    {HTTP_GET, API_ROOT "/authenticate", ACCESS_ANYBODY, NULL, &authenticate_result_repr,
     authenticate_get, 0, "login and password (HTTP Basic) for a credential", FEATURE_NONE},
};

const struct api_service authentication_service = {.name = "authenticate",
                                                   .relative_url = "/authenticate",
                                                   .rows = rows,
                                                   .row_count = COUNT_OF(rows)};
