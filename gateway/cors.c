#include "gateway/cors.h"

#include <string.h>

/* The value for Access-Control-Allow-Origin, NULL for an origin that is not allowed. */
static const char *allowed_origin(const struct gateway_settings *settings,
                                  const struct http_request *request)
{
    const char *origin = http_request_header(request, "Origin");
    const char *everybody = NULL;
    if (origin == NULL)
        return NULL;
    for (unsigned i = 0; i < settings->cors_origin_count; i++) {
        if (strcmp(settings->cors_origins[i], origin) == 0)
            return origin;
        if (strcmp(settings->cors_origins[i], "*") == 0)
            everybody = "*";
    }
    return everybody;
}

void cors_add_headers(const struct gateway_settings *settings, struct http_request *request)
{
    if (settings->cors_origin_count == 0)
        return;
    (void)http_answer_header(request, "Vary", "Origin");
    const char *origin = allowed_origin(settings, request);
    if (origin == NULL)
        return;
    (void)http_answer_header(request, "Access-Control-Allow-Origin", origin);
    if (strcmp(origin, "*") != 0)
        (void)http_answer_header(request, "Access-Control-Allow-Credentials", "true");
    (void)http_answer_header(request, "Access-Control-Expose-Headers", "Location, Retry-After");
}

bool cors_answer_preflight(const struct gateway_settings *settings, struct http_request *request,
                           const char *allow)
{
    if (allow == NULL || http_request_header(request, "Access-Control-Request-Method") == NULL ||
        allowed_origin(settings, request) == NULL)
        return false;
    (void)http_answer_header(request, "Access-Control-Allow-Methods", allow);
    (void)http_answer_header(request, "Access-Control-Allow-Headers",
                             "Authorization, Content-Type, Accept");
    (void)http_answer_header(request, "Access-Control-Max-Age", "600");
    http_answer_empty(request, 204);
    return true;
}
