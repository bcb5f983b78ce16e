/* cors.h - which web pages of other origins may use the API (manual: CORS white list). The list is
 * empty by default: no header, browsers refuse. "*" answers everybody without credentials; a listed
 * origin (scheme, host and port compared exactly) gets its own name and may send credentials. */
#ifndef OG_GATEWAY_CORS_H
#define OG_GATEWAY_CORS_H

#include "gateway/gateway_settings.h"
#include "lib/http/http_request.h"

/* Headers for the request's Origin, if it is allowed. */
void cors_add_headers(const struct gateway_settings *settings, struct http_request *request);
/* Answers a preflight of an allowed origin and returns true; else false. allow may be NULL. */
bool cors_answer_preflight(const struct gateway_settings *settings, struct http_request *request,
                           const char *allow);

#endif
