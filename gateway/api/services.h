/* services.h - the list of what the REST API offers: one row per service, with its routes. Only
 * what exists stands here; the list of a session's services comes from it. */
#ifndef OG_GATEWAY_SERVICES_H
#define OG_GATEWAY_SERVICES_H

#include "lib/http/http_router.h"

#include <stdbool.h>
#include <stddef.h>

#define API_ROOT "/api/rest"
#define API_BASE API_ROOT "/1.0"

struct api_service {
    const char *name;         /* serviceName */
    const char *relative_url; /* behind the base URL; NULL: not announced to clients */
    bool administrator;       /* announced to administrators only */
    const struct http_route *rows;
    size_t row_count;
};
/* Ends with NULL. */
extern const struct api_service *const api_services[];

extern const struct api_service root_service, authentication_service, sessions_service,
    subscriptions_service, users_service, usermanagement_service, telephony_service, health_service;

int api_services_add(struct http_router *router, struct diag *diag);

#endif
