/* bodies.h - the request bodies of the telephony service, and what they ask of a PBX. Pure. */
#ifndef OG_GATEWAY_TELEPHONY_BODIES_H
#define OG_GATEWAY_TELEPHONY_BODIES_H

#include "gateway/api/telephony/errors.h"
#include "lib/http/arena.h"
#include "lib/http/repr.h"

enum { DIALLED_BYTES_MAX = 50, CORRELATOR_BYTES_MAX = 32 };

struct answer_body {
    const char *device_id;
};
extern const struct repr answer_body_repr;

struct acd_call_body {
    struct repr_bool call_to_supervisor, supervised_transfer;
    const cJSON *skills;
};
/* BasicCallRequest is its first three members. */
struct make_call_body {
    const char *device_id, *callee;
    const cJSON *auto_answer; /* a boolean, or the text "true" or "false": some clients send that */
    struct repr_bool inhibit_progress_tone;
    const char *associated_data, *hexa_binary_associated_data;
    const char *calling_number, *pin, *secret_code, *business_code;
    struct acd_call_body *acd_call;
};
extern const struct repr basic_call_body_repr, make_call_body_repr; /* the same struct */

/* A body that cannot be carried out: why, and which member. */
struct body_problem {
    enum telephony_finding finding;
    const char *detail;
};
/* What the body asks for: number without blanks and brackets, data as hexadecimal digits. Texts are
 * the body's or the arena's. False: *ret_problem says why, *ret_call is not set. */
bool make_call_of_body(const struct make_call_body *body, struct arena *arena,
                       struct pbx_make_call *ret_call, struct body_problem *ret_problem);

#endif
