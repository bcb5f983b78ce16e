/* identity.h - who asks: from the credential's cookie to the session, before a body is read. */
#ifndef OG_GATEWAY_IDENTITY_H
#define OG_GATEWAY_IDENTITY_H

#include "gateway/auth/sessions.h"
#include "lib/http/http_request.h"

#define CREDENTIAL_COOKIE "AlcUserId"

/* What a route's caller needs (http_route.access). */
enum access {
    ACCESS_CLEAR,      /* nothing, not even TLS */
    ACCESS_ANYBODY,    /* TLS, or clear text where the settings allow it; the same below */
    ACCESS_CREDENTIAL, /* a valid credential */
    ACCESS_SESSION,    /* and its session is open */
    ACCESS_ADMINISTRATOR,
};

/* authorize() of struct http_program; context: struct gateway. Every accepted request renews the
 * session's time. http_request_identity() is the struct session from ACCESS_CREDENTIAL on. */
void identity_authorize(void *context, struct http_request *request, unsigned access);
/* 401 with WWW-Authenticate. */
void identity_answer_unknown(struct http_request *request, const char *help_message);
/* 503 with Retry-After: the database is away. */
void identity_answer_no_store(struct http_request *request);

#endif
