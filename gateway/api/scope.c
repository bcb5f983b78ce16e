#include "gateway/api/scope.h"

#include "gateway/auth/identity.h"
#include "gateway/gateway.h"
#include "gateway/store/store.h"

#include <string.h>

static const struct session *session_of(const struct http_request *request)
{
    return http_request_identity(request);
}

/* NULL for none; "?loginName=" counts as none. */
static const char *name_of(const struct http_request *request)
{
    const char *name = http_request_query(request, "loginName");
    return name == NULL || *name == '\0' ? NULL : name;
}

bool scope_is_everybody(const struct http_request *request)
{
    return session_of(request)->administrator && name_of(request) == NULL;
}

/* A user learns nothing about the numbers of others: existing or not, they are foreign. */
enum scope_verdict scope_find_device(const struct http_request *request, const char *device_id,
                                     struct device **ret_device)
{
    const struct gateway *gateway = http_request_program(request);
    const struct session *session = session_of(request);
    struct device *device = users_find_device(gateway->users, device_id);
    bool own = device != NULL && strcmp(device->user->login, session_login(session)) == 0;

    if (!session->administrator && !own)
        return SCOPE_FOREIGN;
    if (device == NULL)
        return SCOPE_UNKNOWN;
    *ret_device = device;
    return SCOPE_FOUND;
}

void scope_answer_unknown(struct http_request *request, const char *what)
{
    const struct gateway *gateway = http_request_program(request);
    const struct http_error error = {
        .status = 404, .help_message = "no such user", .inner_message = what};
    if (store_is_ready(gateway->store))
        http_answer_error(request, &error);
    else
        identity_answer_no_store(request); /* perhaps he is there, but not loaded */
}

struct user *scope_user(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const struct session *session = session_of(request);
    const char *name = session->administrator ? name_of(request) : session_login(session);
    if (name == NULL) {
        http_answer_fail(
            request, 400,
            "an administrator names the user: the query parameter loginName is needed");
        return NULL;
    }
    struct user *user = session->administrator ? users_find(gateway->users, name)
                                               : users_find_login(gateway->users, name);
    if (user == NULL)
        scope_answer_unknown(request, name);
    return user;
}
