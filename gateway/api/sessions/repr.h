#ifndef OG_GATEWAY_SESSIONS_REPR_H
#define OG_GATEWAY_SESSIONS_REPR_H

#include "lib/http/repr.h"

enum supervised_type { SUPERVISED_NONE, SUPERVISED_LOGIN_NAME, SUPERVISED_PHONE_NUMBER };

struct supervised_account {
    int type; /* enum supervised_type */
    const char *id;
};
struct session_request {
    const char *application_name;
    struct supervised_account *supervised_account; /* NULL: none */
};
extern const struct repr session_request_repr;

struct session_service_info {
    const char *name, *version, *relative_url;
};
struct session_other {
    const char *session_id;
    int64_t creation_date; /* ms since 1970 */
    int64_t time_to_live;  /* s */
};
struct session_info {
    bool admin; /* first: an old client searches the text for it */
    const char *login;
    int64_t time_to_live; /* s */
    const char *public_base_url, *private_base_url;
    struct repr_array services;                     /* struct session_service_info */
    struct repr_int creation_date, expiration_date; /* ms since 1970 */
    struct repr_array other_sessions;               /* struct session_other */
};
extern const struct repr session_info_repr;

#endif
