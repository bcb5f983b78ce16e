#include "gateway/api/features.h"
#include "gateway/api/root/handlers.h"
#include "gateway/api/root/repr.h"
#include "gateway/api/services.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

static const struct http_route rows[] = {
    {HTTP_GET, API_ROOT, ACCESS_CLEAR, NULL, &root_descriptor_repr, root_get, 0,
     "versions of the API and where to authenticate", FEATURE_NONE},
};

const struct api_service root_service = {.name = "root", .rows = rows, .row_count = COUNT_OF(rows)};
