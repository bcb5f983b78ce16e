#ifndef OG_GATEWAY_USERMANAGEMENT_HANDLERS_H
#define OG_GATEWAY_USERMANAGEMENT_HANDLERS_H

#include "lib/http/http_request.h"

void usermanagement_list(struct http_request *request);
void usermanagement_create(struct http_request *request);
void usermanagement_delete(struct http_request *request);

#endif
