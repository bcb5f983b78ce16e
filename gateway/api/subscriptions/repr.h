#ifndef OG_GATEWAY_SUBSCRIPTIONS_REPR_H
#define OG_GATEWAY_SUBSCRIPTIONS_REPR_H

#include "gateway/events/filter.h"

struct subscription_request {
    struct filter_request *filter;
    const char *version;
    struct repr_int timeout; /* min */
    const char *web_hook_url;
    const char *mode, *format;
    const char *notification_url; /* sent by some clients, ignored */
};
extern const struct repr subscription_request_repr;

struct subscription_result { /* a refusal has status and message only */
    const char *subscription_id;
    const char *message;
    const char *public_polling_url, *private_polling_url;
    const char *status;
    const char *mode, *format;
};
extern const struct repr subscription_result_repr;

#endif
