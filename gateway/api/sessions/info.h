/* info.h - SessionInfo of a session, as the answer to a request. */
#ifndef OG_GATEWAY_SESSIONS_INFO_H
#define OG_GATEWAY_SESSIONS_INFO_H

#include "gateway/auth/sessions.h"
#include "lib/http/http_request.h"

enum { SESSION_OTHERS_MAX = 100 }; /* shown at most */

void session_info_answer(struct http_request *request, const struct session *session);

#endif
