/* errors.h - how the telephony service says no: ErrorInfo with its part `telephony`. One table from
 * what we find ourselves, one from the error families that a PBX's refusal belongs to; both end in
 * the same answer.
 *
 * Source: contract of the session, section 8 (errors and the HTTP codes in use). 501 is ours: the
 * telephone system cannot do it, and asking again is of no use. */
#ifndef OG_GATEWAY_TELEPHONY_ERRORS_H
#define OG_GATEWAY_TELEPHONY_ERRORS_H

#include "gateway/pbx/pbx.h"
#include "lib/http/http_request.h"

/* name, HTTP status, errorType, errorCause, sentence for the client's developer */
/* clang-format off */
#define TELEPHONY_FINDINGS(X) \
    X(NO_CALL,         404, CALL_REFERENCE_NOT_FOUND, INVALID_CALL_ID,          "the user has no such call") \
    X(NO_LEG,          404, LEG_NOT_FOUND,            INVALID_DEVICE,           "the device has no part in this call") \
    X(NO_PARTICIPANT,  404, BAD_PARAMETER_VALUE,      INVALID_DATA,             "the call has no such participant") \
    X(NO_DEVICE,       404, BAD_PARAMETER_VALUE,      INVALID_DEVICE,           "no such device") \
    X(FOREIGN_DEVICE,  403, UNAUTHORIZED,             INVALID_DEVICE,           "not a device of this user") \
    X(NOT_RINGING,     400, INCOMPATIBLE_WITH_STATE,  INVALID_CONNECTION_STATE, "no call rings at this device") \
    X(NOT_IN_CALL,     400, INCOMPATIBLE_WITH_STATE,  INVALID_CONNECTION_STATE, "the user has no call to leave") \
    X(BAD_NUMBER,      400, BAD_PARAMETER_VALUE,      INVALID_DESTINATION,      "callee: not a number to dial") \
    X(BAD_DATA,        400, BAD_PARAMETER_VALUE,      INVALID_DATA,             "a member has a value that is not allowed") \
    X(NOT_PROVIDED,    501, SERVICE_NOT_PROVIDED,     UNKNOWN,                  "this gateway or its telephone system cannot do that") \
    X(NOT_READ,        503, INITIALIZATION,           UNKNOWN,                  "the user's calls have not been read yet") \
    X(NO_LINK,         503, SERVICE_UNAVAILABLE,      UNKNOWN,                  "no link to the telephone system") \
    X(TOO_MANY,        503, SERVICE_UNAVAILABLE,      RESOURCE_BUSY,            "too many requests wait for the telephone system") \
    X(NO_MEMORY,       503, SERVICE_UNAVAILABLE,      RESOURCE_BUSY,            "not enough memory") \
    X(NONSENSE,        500, CALL_SERVER_ERROR,        UNKNOWN,                  "the telephone system gave no usable answer")
/* clang-format on */
#define TELEPHONY_FINDING_ENUM(id, status, type, cause, text) FINDING_##id,
enum telephony_finding { TELEPHONY_FINDINGS(TELEPHONY_FINDING_ENUM) TELEPHONY_FINDING_COUNT };

/* The answer's content; pure, plain data. */
struct telephony_error { /* the part `telephony` */
    int type, cause;     /* enum telephony_error_type, enum telephony_error_cause */
    const char *message;
};
struct telephony_refusal {
    int status;
    const char *help; /* one sentence */
    struct telephony_error part;
};
extern const struct repr telephony_error_repr;

/* detail: what exactly, NULL for nothing more to say. */
struct telephony_refusal telephony_refusal_of(enum telephony_finding finding, const char *detail);
struct telephony_refusal telephony_refusal_of_pbx(const struct pbx_error *error);
/* From the negative errno of a call of pbx.h. */
enum telephony_finding telephony_finding_of(int error);

/* The same as answers; the request is over then. */
void telephony_answer_finding(struct http_request *request, enum telephony_finding finding,
                              const char *detail);
void telephony_answer_pbx(struct http_request *request, const struct pbx_error *error);

#endif
