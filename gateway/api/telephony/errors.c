#include "gateway/api/telephony/errors.h"


#include <errno.h>

static const struct repr_member error_members[] = {
    REPR_ENUM(struct telephony_error, type, "errorType", REPR_REQUIRED, telephony_error_type_names),
    REPR_ENUM(struct telephony_error, cause, "errorCause", REPR_REQUIRED,
              telephony_error_cause_names),
    REPR_STRING(struct telephony_error, message, "message", 0, 0, 0),
};
const struct repr telephony_error_repr =
    REPR("TelephonyError", struct telephony_error, error_members);

#define FINDING_ROW(id, status_, type_, cause_, text)                                              \
    [FINDING_##id] = {.status = (status_),                                                         \
                      .help = (text),                                                              \
                      .part = {.type = TELEPHONY_##type_, .cause = TELEPHONY_CAUSE_##cause_}},
static const struct telephony_refusal findings[TELEPHONY_FINDING_COUNT] = {
    TELEPHONY_FINDINGS(FINDING_ROW)};

/* clang-format off */
static const struct {
    int status;
    const char *help;
} families[TELEPHONY_ERROR_TYPE_COUNT] = {
    [TELEPHONY_ABSENT]                   = {500, "the telephone system refuses without a reason"},
    [TELEPHONY_UNKNOWN]                  = {500, "the telephone system refuses without a reason"},
    [TELEPHONY_CALL_REFERENCE_NOT_FOUND] = {404, "the telephone system has no such call"},
    [TELEPHONY_LEG_NOT_FOUND]            = {404, "the device has no part in this call"},
    [TELEPHONY_BAD_PARAMETER_VALUE]      = {400, "the telephone system does not accept a value"},
    [TELEPHONY_INCOMPATIBLE_WITH_STATE]  = {400, "not possible in the present state"},
    [TELEPHONY_SERVICE_NOT_PROVIDED]     = {501, "the telephone system cannot do that"},
    [TELEPHONY_SERVICE_UNAVAILABLE]      = {503, "the telephone system cannot do that now"},
    [TELEPHONY_INITIALIZATION]           = {503, "the telephone system is starting"},
    [TELEPHONY_UNAUTHORIZED]             = {403, "the telephone system does not allow that"},
    [TELEPHONY_CALL_SERVER_ERROR]        = {500, "the telephone system has failed"},
    [TELEPHONY_REQUEST_TIMEOUT]          = {503, "the telephone system did not answer in time"},
};
/* clang-format on */

struct telephony_refusal telephony_refusal_of(enum telephony_finding finding, const char *detail)
{
    struct telephony_refusal refusal =
        findings[finding < TELEPHONY_FINDING_COUNT ? finding : FINDING_NONSENSE];
    refusal.part.message = detail != NULL ? detail : refusal.help;
    return refusal;
}

struct telephony_refusal telephony_refusal_of_pbx(const struct pbx_error *error)
{
    enum telephony_error_type type = error->type;
    enum telephony_error_cause cause = error->cause;
    if (type <= TELEPHONY_ABSENT || type >= TELEPHONY_ERROR_TYPE_COUNT)
        type = TELEPHONY_UNKNOWN;
    if (cause <= TELEPHONY_CAUSE_ABSENT || cause >= TELEPHONY_ERROR_CAUSE_COUNT)
        cause = TELEPHONY_CAUSE_UNKNOWN;
    return (struct telephony_refusal){
        .status = families[type].status,
        .help = families[type].help,
        .part = {.type = (int)type, .cause = (int)cause, .message = error->text}};
}

enum telephony_finding telephony_finding_of(int error)
{
    switch (error) {
    case -EAGAIN:
        return FINDING_NO_LINK;
    case -ENOBUFS:
        return FINDING_TOO_MANY;
    case -ENOTSUP:
        return FINDING_NOT_PROVIDED;
    case -ENOMEM:
        return FINDING_NO_MEMORY;
    default:
        return FINDING_NONSENSE;
    }
}

static void answer(struct http_request *request, const struct telephony_refusal *refusal)
{
    const struct http_error error = {.status = refusal->status,
                                     .help_message = refusal->help,
                                     .type = "TELEPHONY",
                                     .can_retry = refusal->status == 503,
                                     .part_name = "telephony",
                                     .part_repr = &telephony_error_repr,
                                     .part = &refusal->part};
    http_answer_error(request, &error);
}

void telephony_answer_finding(struct http_request *request, enum telephony_finding finding,
                              const char *detail)
{
    const struct telephony_refusal refusal = telephony_refusal_of(finding, detail);
    answer(request, &refusal);
}

void telephony_answer_pbx(struct http_request *request, const struct pbx_error *error)
{
    const struct telephony_refusal refusal = telephony_refusal_of_pbx(error);
    answer(request, &refusal);
}
