#include "gateway/api/sessions/info.h"

#include "gateway/api/services.h"
#include "gateway/api/sessions/repr.h"
#include "gateway/gateway.h"

#include <time.h>

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t list_services(const struct session *session, struct session_service_info *out)
{
    size_t count = 0;
    for (size_t i = 0; api_services[i] != NULL; i++) {
        const struct api_service *service = api_services[i];
        if (service->relative_url == NULL || (service->administrator && !session->administrator))
            continue;
        if (out != NULL)
            out[count] = (struct session_service_info){service->name, "1.0", service->relative_url};
        count++;
    }
    return count;
}

static size_t list_others(const struct session *session, int64_t ttl_s, struct session_other *out)
{
    size_t count = 0;
    const struct session *other;
    TAILQ_FOREACH(other, &session->account->sessions, of_account)
    {
        /* an administrator's login may look like a user's */
        if (other == session || other->administrator != session->administrator || !other->opened ||
            other->ending || count == SESSION_OTHERS_MAX)
            continue;
        if (out != NULL)
            out[count] = (struct session_other){other->id, other->opened_at_ms, ttl_s};
        count++;
    }
    return count;
}

void session_info_answer(struct http_request *request, const struct session *session)
{
    const struct gateway *gateway = http_request_program(request);
    struct arena *arena = http_request_arena(request);
    int64_t ttl_s = gateway->settings->session_ttl_s;
    size_t service_count = list_services(session, NULL);
    size_t other_count = list_others(session, ttl_s, NULL);
    struct session_service_info *services =
        arena_calloc(arena, service_count + 1, sizeof(*services));
    struct session_other *others = arena_calloc(arena, other_count + 1, sizeof(*others));
    if (services == NULL || others == NULL) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    (void)list_services(session, services);
    (void)list_others(session, ttl_s, others);
    const struct session_info info = {
        .admin = session->administrator,
        .login = session->account->login,
        .time_to_live = ttl_s,
        .public_base_url = gateway->public_base,
        .private_base_url = gateway->private_base,
        .services = {.items = services, .count = service_count, .set = true},
        .creation_date = {.value = session->opened_at_ms, .set = true},
        .expiration_date = {.value = wall_ms() + ttl_s * 1000, .set = true},
        .other_sessions = {.items = others, .count = other_count, .set = other_count > 0},
    };
    http_answer_repr(request, 200, &session_info_repr, &info);
}
