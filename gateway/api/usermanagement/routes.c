#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/api/usermanagement/handlers.h"
#include "gateway/api/users/handlers.h"
#include "gateway/api/users/repr.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

#define USERS API_BASE "/usermanagement"

static const struct http_route rows[] = {
    {HTTP_GET, USERS, ACCESS_ADMINISTRATOR, NULL, &logins_repr, usermanagement_list, 0,
     "the logins of some nodes, or of a device's user", FEATURE_NONE},
    {HTTP_POST, USERS, ACCESS_ADMINISTRATOR, &create_users_repr, &users_repr, usermanagement_create,
     0, "makes subscribers users who were removed", FEATURE_NONE},
    {HTTP_GET, USERS "/{login}", ACCESS_ADMINISTRATOR, NULL, &user_repr, user_get, 0, "a user",
     FEATURE_NONE},
    {HTTP_DELETE, USERS "/{login}", ACCESS_ADMINISTRATOR, NULL, NULL, usermanagement_delete, 0,
     "removes a user; the PBX keeps the subscriber", FEATURE_NONE},
};

const struct api_service usermanagement_service = {.name = "usermanagement",
                                                   .relative_url = "/usermanagement",
                                                   .administrator = true,
                                                   .rows = rows,
                                                   .row_count = COUNT_OF(rows)};
