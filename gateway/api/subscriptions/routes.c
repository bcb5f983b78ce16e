#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/api/subscriptions/handlers.h"
#include "gateway/api/subscriptions/repr.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

/* Some clients send no cookie with the polling URL: the unguessable id is the proof there. */
static const struct http_route rows[] = {
    {HTTP_POST, API_BASE "/subscriptions", ACCESS_SESSION, &subscription_request_repr,
     &subscription_result_repr, subscriptions_post, 0, "subscribes to events", FEATURE_NONE},
    {HTTP_DELETE, API_BASE "/subscriptions/{subscriptionId}", ACCESS_SESSION, NULL, NULL,
     subscriptions_delete, 0, "ends a subscription and its channel", FEATURE_NONE},
    {HTTP_GET, API_BASE "/events", ACCESS_ANYBODY, NULL, NULL, events_listen, 0,
     "the event channel of a subscription", FEATURE_NONE},
    {HTTP_POST, API_BASE "/events", ACCESS_ANYBODY, NULL, NULL, events_listen, 0,
     "the event channel of a subscription", FEATURE_NONE},
};

const struct api_service subscriptions_service = {.name = "subscriptions",
                                                  .relative_url = "/subscriptions",
                                                  .rows = rows,
                                                  .row_count = COUNT_OF(rows)};
