#include "gateway/api/subscriptions/repr.h"

enum { URL_BYTES_MAX = 2048, WORD_BYTES_MAX = 64, TIMEOUT_MAX_MIN = 7 * 24 * 60 };

static const struct repr_member request_members[] = {
    REPR_OBJECT(struct subscription_request, filter, "filter", REPR_REQUIRED, &filter_request_repr),
    REPR_STRING(struct subscription_request, version, "version", REPR_NULLABLE, 0, WORD_BYTES_MAX),
    REPR_INT_OPTIONAL(struct subscription_request, timeout, "timeout", REPR_NULLABLE, 0,
                      TIMEOUT_MAX_MIN),
    REPR_STRING(struct subscription_request, web_hook_url, "webHookUrl", REPR_NULLABLE, 0,
                URL_BYTES_MAX),
    REPR_STRING(struct subscription_request, mode, "mode", REPR_NULLABLE, 0, WORD_BYTES_MAX),
    REPR_STRING(struct subscription_request, format, "format", REPR_NULLABLE, 0, WORD_BYTES_MAX),
    REPR_STRING(struct subscription_request, notification_url, "notificationUrl", REPR_NULLABLE, 0,
                URL_BYTES_MAX),
};
const struct repr subscription_request_repr =
    REPR("SubscriptionRequest", struct subscription_request, request_members);

static const struct repr_member result_members[] = {
    REPR_STRING(struct subscription_result, subscription_id, "subscriptionId", 0, 0, 0),
    REPR_STRING(struct subscription_result, message, "message", 0, 0, 0),
    REPR_STRING(struct subscription_result, public_polling_url, "publicPollingUrl", 0, 0, 0),
    REPR_STRING(struct subscription_result, private_polling_url, "privatePollingUrl", 0, 0, 0),
    REPR_STRING(struct subscription_result, status, "status", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct subscription_result, mode, "mode", 0, 0, 0),
    REPR_STRING(struct subscription_result, format, "format", 0, 0, 0),
};
const struct repr subscription_result_repr =
    REPR("SubscriptionResult", struct subscription_result, result_members);
