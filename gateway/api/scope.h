/* scope.h - which user a request acts for.
 *
 * A user's session acts for its owner, whatever loginName says; an administrator's session names
 * the user in the query, ?loginName=. Operations that are located by a device act for the device's
 * owner, who must be the session's owner in a user's session.
 *
 * Users may be removed between two turns of the loop: what these calls return lives until the
 * handler returns; a handler that waits looks its user up again. For routes with ACCESS_SESSION.
 *
 * Source: contract of the session, sections 4 (roles) and "which operations take loginName". */
#ifndef OG_GATEWAY_SCOPE_H
#define OG_GATEWAY_SCOPE_H

#include "gateway/model/users.h"
#include "lib/http/http_request.h"

enum scope_verdict {
    SCOPE_FOUND,
    SCOPE_UNKNOWN, /* there is no such device */
    SCOPE_FOREIGN, /* in a user's session: it is not a device of the owner, existing or not */
};

/* Answers nothing. The output is set on SCOPE_FOUND only. */
enum scope_verdict scope_find_device(const struct http_request *request, const char *device_id,
                                     struct device **ret_device);

/* The user, or NULL after the request has been answered: 400 without loginName, 404 unknown, 503
 * while the users have not been loaded. */
struct user *scope_user(struct http_request *request);
/* Answers that there is no such user, 404 with what was asked for; 503 while the users have not
 * been loaded. */
void scope_answer_unknown(struct http_request *request, const char *what);
/* An administrator's request without loginName: it means all users, where that has a sense. */
bool scope_is_everybody(const struct http_request *request);

#endif
