#ifndef OG_GATEWAY_ROOT_HANDLERS_H
#define OG_GATEWAY_ROOT_HANDLERS_H

#include "lib/http/http_request.h"

void root_get(struct http_request *request);

#endif
