/* The health resource: GET /api/sysstat/health answers from the loop; with ?commit=1 only after a
 * heartbeat row has been committed. Open to everybody: it tells nothing and costs little. */
#include "gateway/admin/beat.h"
#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/auth/identity.h"
#include "gateway/gateway.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"
#include "lib/http/http_request.h"
#include "lib/http/repr.h"

struct health {
    const char *status;
    bool database;
    struct repr_int counter; /* of the heartbeat row */
};

static const struct repr_member members[] = {
    REPR_STRING(struct health, status, "status", REPR_REQUIRED, 0, 0),
    REPR_BOOL(struct health, database, "database"),
    REPR_INT_OPTIONAL(struct health, counter, "counter", 0, 0, 0),
};
static const struct repr health_repr = REPR("Health", struct health, members);

static void on_beat(void *context, int error, int64_t counter)
{
    struct http_request *request = context;
    if (error != 0) {
        identity_answer_no_store(request);
        return;
    }
    const struct health health = {
        .status = "ok", .database = true, .counter = {.value = counter, .set = true}};
    (void)http_answer_header(request, "Cache-Control", "no-store");
    http_answer_repr(request, 200, &health_repr, &health);
}

static bool wants_commit(const struct http_request *request)
{
    const char *commit = http_request_query(request, "commit");
    return http_request_flag(request, "commit") && (commit == NULL || commit[0] != '0');
}

static void health_get(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    if (wants_commit(request)) {
        if (beat_request(gateway->beat, on_beat, request) < 0)
            identity_answer_no_store(request);
        return;
    }
    const struct health health = {.status = "ok", .database = store_is_ready(gateway->store)};
    (void)http_answer_header(request, "Cache-Control", "no-store");
    http_answer_repr(request, 200, &health_repr, &health);
}

static const struct http_route rows[] = {
    {HTTP_GET, "/api/sysstat/health", ACCESS_ANYBODY, NULL, &health_repr, health_get, 0,
     "is the gateway well; with ?commit=1 also: does the database take writes", FEATURE_NONE},
};

const struct api_service health_service = {
    .name = "health", .rows = rows, .row_count = COUNT_OF(rows)};
