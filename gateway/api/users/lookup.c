#include "gateway/api/users/lookup.h"

#include "gateway/auth/identity.h"
#include "gateway/gateway.h"
#include "gateway/store/store.h"

#include <string.h>

void lookup_answer_unknown(struct http_request *request, const char *what)
{
    const struct gateway *gateway = http_request_program(request);
    const struct http_error error = {
        .status = 404, .help_message = "no such user", .inner_message = what};
    if (store_is_ready(gateway->store))
        http_answer_error(request, &error);
    else
        identity_answer_no_store(request); /* perhaps he is there, but not loaded */
}

struct user *lookup_user(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const char *name = http_request_param(request, "login");
    struct user *user = users_find(gateway->users, name);
    if (user == NULL)
        lookup_answer_unknown(request, name);
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
