#include "gateway/gateway.h"

#include "gateway/admin/beat.h"
#include "gateway/admin/health_socket.h"
#include "gateway/api/services.h"
#include "gateway/api/telephony/events.h"
#include "gateway/api/telephony/snapshots.h"
#include "gateway/auth/administrators.h"
#include "gateway/auth/identity.h"
#include "gateway/auth/passwords.h"
#include "gateway/auth/throttle.h"
#include "gateway/cors.h"
#include "gateway/directory.h"
#include "gateway/events/channel.h"
#include "gateway/housekeeping.h"
#include "gateway/intake.h"
#include "gateway/model/calls.h"
#include "gateway/model/users.h"
#include "gateway/pbx/pbxs.h"
#include "gateway/privileges.h"
#include "gateway/store/store.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"
#include "lib/http/http_server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char module[] = "gateway";

enum { ACCEPT_ANYWAY_MS = 5000 };

void gateway_drop_subscription(struct gateway *gateway, struct subscription *subscription)
{
    if (subscription->channel != NULL)
        channel_end(subscription->channel);
    subscriptions_remove(&gateway->subscriptions, subscription);
}

void gateway_drop_session(struct gateway *gateway, struct session *session)
{
    while (!TAILQ_EMPTY(&session->subscriptions))
        gateway_drop_subscription(gateway, TAILQ_FIRST(&session->subscriptions));
    sessions_remove(&gateway->sessions, session);
}

static void start_accepting(struct gateway *gateway)
{
    struct diag diag = {0};
    if (gateway->accepting || gateway->draining)
        return;
    gateway->accepting = true;
    timer_stop(gateway->timer);
    if (http_server_start(gateway->server, &diag) < 0)
        log_error(module, "requests are not accepted: %s", diag.text);
    else
        log_notice(module, "requests are answered at %s", gateway->settings->public_url);
}

static void on_timer(void *context)
{
    struct gateway *gateway = context;
    if (!gateway->draining) {
        log_warning(module, "the database is still away; changes are answered 503 until it is "
                            "back");
        start_accepting(gateway);
    } else if (gateway->stop_parts > 0) {
        /* a frozen disk must not hold up the stop: last use is a convenience */
        housekeeping_give_up(gateway->housekeeping);
    } else {
        gateway->stopped(gateway->stopped_context);
    }
}

static void on_load_end(void *context)
{
    struct gateway *gateway = context;
    housekeeping_load_end(gateway);
    pbxs_open(gateway->pbxs, gateway->settings->pbx, gateway->settings->pbx_count, gateway->users);
    start_accepting(gateway);
}

static void on_store_down(void *context)
{
    (void)context; /* memory stays as it is: nobody's session is lost by that */
}

static int open_store(struct gateway *gateway, struct diag *diag)
{
    const struct gateway_settings *settings = gateway->settings;
    char port[24];
    (void)snprintf(port, sizeof(port), "%" PRId64, settings->database_port);
    const struct store_options options = {
        .host = settings->database_host,
        .port = port,
        .database = settings->database_name,
        .user = settings->database_user,
        .events = {.load_begin = housekeeping_load_begin,
                   .load_user = directory_load_user,
                   .load_session = housekeeping_load_session,
                   .load_subscription = housekeeping_load_subscription,
                   .load_end = on_load_end,
                   .down = on_store_down,
                   .context = gateway},
    };
    return store_open(gateway->loop, &options, &gateway->store, diag);
}

static void on_before(void *context, struct http_request *request)
{
    const struct gateway *gateway = context;
    (void)http_answer_header(request, "X-Content-Type-Options", "nosniff");
    cors_add_headers(gateway->settings, request);
}

static bool on_options(void *context, struct http_request *request, const char *allow)
{
    return cors_answer_preflight(((struct gateway *)context)->settings, request, allow);
}

static int bind_ports(struct gateway *gateway, struct diag *diag)
{
    const struct gateway_settings *settings = gateway->settings;
    int r = 0;
    for (unsigned i = 0; i < settings->listen_count && r == 0; i++) {
        const char *address = settings->listen[i];
        r = http_server_listen(gateway->server, address, (uint16_t)settings->https_port,
                               gateway->tls, NULL, diag);
        if (r == 0 && settings->http_port != 0)
            r = http_server_listen(gateway->server, address, (uint16_t)settings->http_port, NULL,
                                   NULL, diag);
    }
    return r;
}

static int open_server(struct gateway *gateway, struct diag *diag)
{
    const struct gateway_settings *settings = gateway->settings;
    const struct tls_options tls = {.certificate_file = settings->certificate_file,
                                    .key_file = settings->key_file};
    const struct http_program program = {.context = gateway,
                                         .authorize = identity_authorize,
                                         .confirm = identity_confirm,
                                         .before = on_before,
                                         .options = on_options};
    gateway->router = http_router_new();
    if (gateway->router == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    int r = api_services_add(gateway->router, diag);
    if (r == 0)
        r = tls_server_context_new(&tls, &gateway->tls, diag);
    if (r == 0)
        r = http_server_new(gateway->loop, gateway->router, &program, &gateway->server, diag);
    if (r == 0)
        r = bind_ports(gateway, diag);
    return r;
}

static int open_model(struct gateway *gateway, struct diag *diag)
{
    struct calls_sink sink;
    struct pbx_events events;
    telephony_events_sink(gateway, &sink);
    intake_events(gateway, &events);
    gateway->users = users_new();
    if (gateway->users != NULL) {
        gateway->directory = directory_new(gateway);
        gateway->calls = calls_new(gateway->users, &sink);
        gateway->pbxs = pbxs_new(gateway->loop, &events);
        gateway->snapshots = snapshots_new(gateway);
    }
    if (gateway->directory == NULL || gateway->calls == NULL || gateway->pbxs == NULL ||
        gateway->snapshots == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    return 0;
}

static void begin_channels_with_states(struct gateway *gateway)
{
    gateway->initial_states = (struct initial_states){.users = gateway->users,
                                                      .package = EVENT_PACKAGE_TELEPHONY,
                                                      .tell = telephony_initial_states};
    initial_states_init(&gateway->initial_states);
    channels_tell_states(gateway->channels, &gateway->initial_states.ops);
}

/* What needs root comes first, what needs the database's user after that. */
static int open_all(struct gateway *gateway, struct diag *diag)
{
    const struct gateway_settings *settings = gateway->settings;
    int r = administrators_read(settings->administrators_file, &gateway->administrators, diag);
    if (r == 0)
        r = open_server(gateway, diag);
    if (r == 0 && settings->health_socket[0] != '\0')
        r = health_socket_open(gateway, settings->health_socket, &gateway->health_socket, diag);
    if (r == 0)
        r = privileges_drop(settings->user, diag);
    if (r < 0)
        return r;
    r = open_model(gateway, diag);
    if (r == 0)
        r = open_store(gateway, diag);
    if (r < 0)
        return r;
    gateway->throttle = throttle_new();
    gateway->passwords = passwords_new(gateway->loop);
    gateway->beat = beat_new(gateway->loop, gateway->store);
    gateway->channels =
        channels_new(gateway->loop, settings->channel_heartbeat_s, settings->channels_file);
    gateway->housekeeping = housekeeping_new(gateway);
    gateway->timer = timer_new(gateway->loop, on_timer, gateway);
    if (gateway->throttle == NULL || gateway->passwords == NULL || gateway->beat == NULL ||
        gateway->channels == NULL || gateway->housekeeping == NULL || gateway->timer == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    begin_channels_with_states(gateway);
    timer_start(gateway->timer, ACCEPT_ANYWAY_MS, 0);
    return 0;
}

int gateway_new(uv_loop_t *loop, const struct gateway_settings *settings,
                struct gateway **ret_gateway, struct diag *diag)
{
    struct gateway *gateway = calloc(1, sizeof(*gateway));
    if (gateway == NULL)
        return diag_fail(diag, -ENOMEM, "not enough memory");
    gateway->loop = loop;
    gateway->settings = settings;
    (void)snprintf(gateway->public_base, sizeof(gateway->public_base), "%s" API_BASE,
                   settings->public_url);
    (void)snprintf(gateway->private_base, sizeof(gateway->private_base), "%s" API_BASE,
                   settings->private_url);
    sessions_init(&gateway->sessions, settings->session_ttl_s);
    subscriptions_init(&gateway->subscriptions);
    int r = open_all(gateway, diag);
    if (r < 0) {
        gateway_free(gateway);
        return r;
    }
    *ret_gateway = gateway;
    return 0;
}

/* The end comes from a turn of its own: everything may be freed then. */
static void on_stop_part(void *context)
{
    struct gateway *gateway = context;
    if (--gateway->stop_parts == 0)
        timer_start(gateway->timer, 0, 0);
}

void gateway_stop(struct gateway *gateway, void (*stopped)(void *context), void *context)
{
    uint64_t budget_ms = (uint64_t)gateway->settings->drain_ms;
    if (gateway->draining)
        return;
    gateway->draining = true;
    gateway->stopped = stopped;
    gateway->stopped_context = context;
    gateway->stop_parts = 2;
    log_notice(module, "stopping: %zu sessions, %u channels", gateway->sessions.by_credential.count,
               channels_count(gateway->channels));
    timer_start(gateway->timer, budget_ms, 0);
    http_server_drain(gateway->server, budget_ms, on_stop_part, gateway);
    housekeeping_flush(gateway->housekeeping, on_stop_part, gateway);
}

void gateway_reload(struct gateway *gateway)
{
    struct administrators *administrators;
    struct diag diag = {0};
    if (administrators_read(gateway->settings->administrators_file, &administrators, &diag) < 0) {
        log_error(module, "the administrators stay as they are: %s", diag.text);
    } else {
        administrators_free(gateway->administrators);
        gateway->administrators = administrators;
        log_notice(module, "the administrators have been read again");
    }
    if (tls_context_reload(gateway->tls, &diag) < 0)
        log_error(module, "the certificate stays as it is: %s", diag.text);
}

static void drop_all(struct gateway *gateway)
{
    while (!TAILQ_EMPTY(&gateway->sessions.all))
        gateway_drop_session(gateway, TAILQ_FIRST(&gateway->sessions.all));
}

/* Answers of what is open come while things close, so what they use closes last. */
void gateway_free(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    timer_free(gateway->timer);
    health_socket_close(gateway->health_socket);
    snapshots_free(gateway->snapshots);
    pbxs_free(gateway->pbxs);
    passwords_free(gateway->passwords);
    beat_cut(gateway->beat);
    store_close(gateway->store);
    housekeeping_free(gateway->housekeeping);
    directory_free(gateway->directory);
    drop_all(gateway);
    http_server_free(gateway->server);
    (void)uv_run(gateway->loop, UV_RUN_NOWAIT); /* streams say closed */
    beat_free(gateway->beat);
    channels_free(gateway->channels);
    http_router_free(gateway->router);
    tls_context_free(gateway->tls);
    throttle_free(gateway->throttle);
    administrators_free(gateway->administrators);
    subscriptions_done(&gateway->subscriptions);
    sessions_done(&gateway->sessions);
    calls_free(gateway->calls);
    users_free(gateway->users);
    free(gateway);
}
