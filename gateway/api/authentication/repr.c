#include "gateway/api/authentication/repr.h"

static const struct repr_member members[] = {
    REPR_STRING(struct authenticate_result, credential, "credential", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct authenticate_result, public_url, "publicUrl", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct authenticate_result, internal_url, "internalUrl", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct authenticate_result, login_name, "loginName", 0, 0, 0),
    REPR_BOOL_OPTIONAL(struct authenticate_result, expired, "expired", 0),
};
const struct repr authenticate_result_repr =
    REPR("AuthenticateResult", struct authenticate_result, members);
