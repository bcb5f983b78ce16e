/* lookup.h - the {login} of a path, for the services of users. The functions answer the request
 * themselves when they return NULL; what they return lives until the handler returns. */
#ifndef OG_GATEWAY_USERS_LOOKUP_H
#define OG_GATEWAY_USERS_LOOKUP_H

#include "gateway/model/users.h"
#include "lib/http/http_request.h"

/* Login, bare number or external login. 404; 503 while the users have not been loaded. */
struct user *lookup_user(struct http_request *request);
/* The same, but users get only themselves: 403. */
struct user *lookup_own_user(struct http_request *request);

#endif
