#ifndef OG_GATEWAY_SESSIONS_HANDLERS_H
#define OG_GATEWAY_SESSIONS_HANDLERS_H

#include "lib/http/http_request.h"

void sessions_post(struct http_request *request);
void sessions_get(struct http_request *request);
void sessions_delete(struct http_request *request);
void sessions_keepalive(struct http_request *request);

#endif
