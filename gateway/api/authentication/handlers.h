#ifndef OG_GATEWAY_AUTHENTICATION_HANDLERS_H
#define OG_GATEWAY_AUTHENTICATION_HANDLERS_H

#include "lib/http/http_request.h"

void authenticate_get(struct http_request *request);

#endif
