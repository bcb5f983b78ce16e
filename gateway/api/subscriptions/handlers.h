#ifndef OG_GATEWAY_SUBSCRIPTIONS_HANDLERS_H
#define OG_GATEWAY_SUBSCRIPTIONS_HANDLERS_H

#include "lib/http/http_request.h"

void subscriptions_post(struct http_request *request);
void subscriptions_delete(struct http_request *request);
void events_listen(struct http_request *request);

#endif
