/* identity.h - who asks: from the credential's cookie to the session, before a body is read. */
#ifndef OG_GATEWAY_IDENTITY_H
#define OG_GATEWAY_IDENTITY_H

#include "gateway/auth/sessions.h"
#include "lib/http/http_request.h"

#define CREDENTIAL_COOKIE "AlcUserId"

/* What a route's caller needs (http_route.access). */
#define ACCESSES(X)                                                                                \
    X(CLEAR, "clear")           /* nothing, not even TLS */                                        \
    X(ANYBODY, "anybody")       /* TLS, as below, or clear text where the settings allow it */     \
    X(CREDENTIAL, "credential") /* a valid credential */                                           \
    X(SESSION, "session")       /* and its session is open */                                      \
    X(ADMINISTRATOR, "administrator")
#define ACCESS_ENUM(id, text) ACCESS_##id,
enum access { ACCESSES(ACCESS_ENUM) ACCESS_COUNT };
const char *access_name(unsigned access); /* "?" out of range */

/* authorize() of struct http_program; context: struct gateway. Every accepted request renews the
 * session's time. http_request_identity() is the struct session from ACCESS_CREDENTIAL on. */
void identity_authorize(void *context, struct http_request *request, unsigned access);
/* confirm() of struct http_program: the session may have ended while the body was on its way. */
bool identity_confirm(void *context, struct http_request *request, unsigned access);
/* 401 with WWW-Authenticate. */
void identity_answer_unknown(struct http_request *request, const char *help_message);
/* 403 with Retry-After: wait before the next try of a password. */
void identity_answer_throttled(struct http_request *request, uint64_t wait_ms);
/* 503 with Retry-After: the database is away. */
void identity_answer_no_store(struct http_request *request);

#endif
