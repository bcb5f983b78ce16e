#include "gateway/api/telephony/bodies.h"

#include "lib/common/secrets.h"

#include <string.h>
#include <strings.h>

enum { DEVICE_BYTES_MAX = PBX_NUMBER_CHARS - 1, TEXT_BYTES_MAX = 128 };

static const struct repr_member answer_members[] = {
    REPR_STRING(struct answer_body, device_id, "deviceId", REPR_REQUIRED, 1, DEVICE_BYTES_MAX),
};
const struct repr answer_body_repr = REPR("AnswerRequest", struct answer_body, answer_members);

static const struct repr_member acd_members[] = {
    REPR_BOOL_OPTIONAL(struct acd_call_body, call_to_supervisor, "callToSupervisor", REPR_NULLABLE),
    REPR_BOOL_OPTIONAL(struct acd_call_body, supervised_transfer, "supervisedTransfer",
                       REPR_NULLABLE),
    REPR_ANY(struct acd_call_body, skills, "skills", REPR_NULLABLE),
};
static const struct repr acd_repr = REPR("AcdCall", struct acd_call_body, acd_members);

/* clang-format off */
#define BASIC_MEMBERS \
    REPR_STRING(struct make_call_body, device_id, "deviceId", REPR_REQUIRED, 1, DEVICE_BYTES_MAX), \
    REPR_STRING(struct make_call_body, callee, "callee", REPR_REQUIRED, 0, TEXT_BYTES_MAX), \
    REPR_ANY(struct make_call_body, auto_answer, "autoAnswer", REPR_NULLABLE)
static const struct repr_member basic_members[] = {BASIC_MEMBERS};
static const struct repr_member make_members[] = {
    BASIC_MEMBERS,
    REPR_BOOL_OPTIONAL(struct make_call_body, inhibit_progress_tone, "inhibitProgressTone", REPR_NULLABLE),
    REPR_STRING(struct make_call_body, associated_data, "associatedData", REPR_NULLABLE, 0, TEXT_BYTES_MAX),
    REPR_STRING(struct make_call_body, hexa_binary_associated_data, "hexaBinaryAssociatedData", REPR_NULLABLE, 0, TEXT_BYTES_MAX),
    REPR_STRING(struct make_call_body, calling_number, "callingNumber", REPR_NULLABLE, 0, TEXT_BYTES_MAX),
    REPR_STRING(struct make_call_body, pin, "pin", REPR_NULLABLE, 0, TEXT_BYTES_MAX),
    REPR_STRING(struct make_call_body, secret_code, "secretCode", REPR_NULLABLE, 0, TEXT_BYTES_MAX),
    REPR_STRING(struct make_call_body, business_code, "businessCode", REPR_NULLABLE, 0, TEXT_BYTES_MAX),
    REPR_OBJECT(struct make_call_body, acd_call, "acdCall", REPR_NULLABLE, &acd_repr),
};
/* clang-format on */
const struct repr basic_call_body_repr =
    REPR("BasicCallRequest", struct make_call_body, basic_members);
const struct repr make_call_body_repr =
    REPR("MakeCallRequest", struct make_call_body, make_members);

static bool fail(struct body_problem *problem, enum telephony_finding finding, const char *detail)
{
    *problem = (struct body_problem){finding, detail};
    return false;
}

static bool is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* [+]?[0-9A-D*#() ]{1,49}, with something in it that can be dialled. */
static bool is_dialable(const char *text)
{
    const char *digits = *text == '+' ? text + 1 : text;
    size_t len = strlen(digits);
    return len >= 1 && len < DIALLED_BYTES_MAX && strspn(digits, "0123456789ABCD*#() ") == len &&
           strcspn(digits, "0123456789ABCD*#") < len;
}

/* Blanks and brackets are for people, the PBX gets the rest. NULL: no memory. */
static const char *strip(const char *text, struct arena *arena)
{
    size_t used = 0;
    char *number = arena_strdup(arena, text);
    for (; number != NULL && *text != '\0'; text++)
        if (strchr("() ", *text) == NULL)
            number[used++] = *text;
    if (number != NULL)
        number[used] = '\0';
    return number;
}

static bool read_auto_answer(const cJSON *value, bool *ret_auto)
{
    *ret_auto = value == NULL || cJSON_IsTrue(value) ||
                (cJSON_IsString(value) && strcasecmp(value->valuestring, "true") == 0);
    return *ret_auto || cJSON_IsFalse(value) ||
           (cJSON_IsString(value) && strcasecmp(value->valuestring, "false") == 0);
}

static bool is_correlator(const char *digits)
{
    uint8_t bytes[CORRELATOR_BYTES_MAX];
    size_t count = strlen(digits) / 2;
    return count <= sizeof(bytes) && secrets_unhex(digits, count, bytes) &&
           memchr(bytes, 0, count) == NULL;
}

/* The data that goes with the call; where both forms are given, the hexadecimal one holds. */
static bool read_correlator(const struct make_call_body *body, struct arena *arena,
                            const char **ret_digits, struct body_problem *problem)
{
    if (is_given(body->hexa_binary_associated_data)) {
        *ret_digits = body->hexa_binary_associated_data;
        return is_correlator(*ret_digits) ||
               fail(problem, FINDING_BAD_DATA,
                    "hexaBinaryAssociatedData: 1 to 32 bytes as hexadecimal digits, none zero");
    }
    *ret_digits = NULL;
    if (!is_given(body->associated_data))
        return true;
    size_t len = strlen(body->associated_data);
    if (len > CORRELATOR_BYTES_MAX)
        return fail(problem, FINDING_BAD_DATA, "associatedData: at most 32 bytes");
    char *digits = arena_alloc(arena, 2 * len + 1);
    if (digits == NULL)
        return fail(problem, FINDING_NO_MEMORY, NULL);
    secrets_hex((const uint8_t *)body->associated_data, len, digits);
    *ret_digits = digits;
    return true;
}

/* What would make it another call than the one wanted must not be left out silently. */
static bool asks_for_more(const struct make_call_body *body, struct body_problem *problem)
{
    const struct acd_call_body *acd = body->acd_call;
    const char *what = NULL;
    if (is_given(body->pin) || is_given(body->secret_code))
        what = "pin: private calls are not available";
    else if (is_given(body->business_code))
        what = "businessCode: business calls are not available";
    else if (acd != NULL && (acd->call_to_supervisor.value || acd->supervised_transfer.value ||
                             acd->skills != NULL))
        what = "acdCall: contact centre calls are not available";
    return what != NULL && !fail(problem, FINDING_NOT_PROVIDED, what);
}

bool make_call_of_body(const struct make_call_body *body, struct arena *arena,
                       struct pbx_make_call *ret_call, struct body_problem *ret_problem)
{
    struct pbx_make_call call = {.device = body->device_id};
    if (!is_dialable(body->callee))
        return fail(ret_problem, FINDING_BAD_NUMBER,
                    "callee must match [+]?[0-9A-D*#() ]{1,49} and hold a digit");
    if (!read_auto_answer(body->auto_answer, &call.auto_answer))
        return fail(ret_problem, FINDING_BAD_DATA, "autoAnswer: true or false expected");
    if (asks_for_more(body, ret_problem) ||
        !read_correlator(body, arena, &call.correlator, ret_problem))
        return false;
    call.callee = strip(body->callee, arena);
    if (call.callee == NULL)
        return fail(ret_problem, FINDING_NO_MEMORY, NULL);
    *ret_call = call;
    return true;
}
