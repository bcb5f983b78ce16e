/* logins.h - lists of logins, for `logins` and `usermanagement`. */
#ifndef OG_GATEWAY_USERS_LOGINS_H
#define OG_GATEWAY_USERS_LOGINS_H

#include "lib/http/http_request.h"

struct logins_filter {
    const char *node_ids; /* "1;2"; NULL: all nodes */
    bool only_agents;     /* of the contact centre */
    bool only_external;   /* who have an external login */
};
/* The logins of all users that pass; 400 for node_ids that are no list of numbers. */
void logins_answer(struct http_request *request, const struct logins_filter *filter);
/* One login; none for NULL. */
void logins_answer_one(struct http_request *request, const char *login);

#endif
