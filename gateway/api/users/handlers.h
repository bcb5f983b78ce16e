#ifndef OG_GATEWAY_USERS_HANDLERS_H
#define OG_GATEWAY_USERS_HANDLERS_H

#include "lib/http/http_request.h"

void logins_get(struct http_request *request);
void users_get(struct http_request *request);
void user_get(struct http_request *request);
void preferences_get(struct http_request *request);
void preferences_put(struct http_request *request);
void supported_languages_get(struct http_request *request);
void password_put(struct http_request *request); /* password.c */

#endif
