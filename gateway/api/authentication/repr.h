#ifndef OG_GATEWAY_AUTHENTICATION_REPR_H
#define OG_GATEWAY_AUTHENTICATION_REPR_H

#include "lib/http/repr.h"

struct authenticate_result {
    const char *credential, *public_url, *internal_url;
    const char *login_name; /* NULL unless the caller used another login */
    struct repr_bool expired;
};
extern const struct repr authenticate_result_repr;

#endif
