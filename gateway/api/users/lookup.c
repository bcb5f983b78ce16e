#include "gateway/api/users/lookup.h"

#include "gateway/api/scope.h"
#include "gateway/gateway.h"

#include <string.h>

struct user *lookup_user(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const char *name = http_request_param(request, "login");
    struct user *user = users_find(gateway->users, name);
    if (user == NULL)
        scope_answer_unknown(request, name);
    return user;
}

struct user *lookup_own_user(struct http_request *request)
{
    const struct session *session = http_request_identity(request);
    struct user *user = lookup_user(request);
    if (user == NULL || session->administrator || strcmp(session_login(session), user->login) == 0)
        return user;
    http_answer_fail(request, 403, "a user may do this for himself only");
    return NULL;
}
