#include "gateway/pbx/csta_xml/csta_xml.h"

#include "gateway/pbx/csta_xml/cx_mend.h"
#include "gateway/pbx/csta_xml/cx_private.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/secrets.h"
#include "lib/csta/csta_frame.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TICK_MS = 250,
    ODD_LOG_MS = 10000 /* between two lines of the same kind */
};

uint64_t cx__now_ms(void)
{
    return common_boot_ms();
}

void cx__odd(struct cx *cx, enum cx_oddity oddity, const char *detail)
{
#define CX_ODDITY_TEXT(id, text) text,
    static const char *const texts[] = {CX_ODDITIES(CX_ODDITY_TEXT)};
    uint64_t now_ms = cx__now_ms(), count = ++cx->odd[oddity].count;
    if (count > 1 && now_ms - cx->odd[oddity].logged_ms < ODD_LOG_MS)
        return;
    cx->odd[oddity].logged_ms = now_ms;
    struct diag clean = {0}; /* control characters are the PBX's choice */
    (void)diag_fail(&clean, 0, "%s", detail != NULL ? detail : "");
    log_info(CX_LOG, "node %s: %s (number %llu so far): %s", cx->pbx.node, texts[oddity],
             (unsigned long long)count, clean.text);
}

/* ---- link up and down -------------------------------------------------------------------- */

static void log_link(const struct cx *cx, const char *state, const char *why)
{
    struct diag clean = {0};
    (void)diag_fail(&clean, 0, "%s", why);
    const struct log_field fields[] = {{"node", cx->pbx.node},
                                       {"address", cx_link_address(cx->link)},
                                       {"state", state},
                                       {"reason", clean.text},
                                       {NULL, NULL}};
    log_write_fields(CX_LOG, LOG_LEVEL_NOTICE, fields, "link to the PBX of node %s is %s: %s",
                     cx->pbx.node, state, clean.text);
}

void cx__go_up(struct cx *cx)
{
    cx->pbx.up = true;
    cx->failing = false;
    log_link(cx, "up", csta_version_name(cx->version));
    cx->events.link(cx->events.context, &cx->pbx, true, NULL);
    cx_directory_start(cx);
}

static void on_connected(void *context)
{
    struct cx *cx = context;
    cx->connected = true;
    cx->heard_ms = cx__now_ms();
    timer_start(cx->tick, TICK_MS, TICK_MS);
    cx_session_start(cx);
}

/* Everything of the connection is forgotten before anyone hears of it. */
static void clear_connection(struct cx *cx)
{
    timer_stop(cx->tick);
    cx->connected = cx->pbx.up = false;
    cx_session_clear(cx);
    cx_directory_clear(cx);
    cx_requests_fail(cx->requests);
    cx__calls_lost(cx);
    cx_monitor_set_restart(cx->monitors);
}

static void on_lost(void *context, bool was_connected, const char *why)
{
    struct cx *cx = context;
    bool was_up = cx->pbx.up;
    if (was_up || !cx->failing)
        log_link(cx, "down", why);
    else
        log_debug(CX_LOG, "node %s: no link to %s: %s", cx->pbx.node, cx_link_address(cx->link),
                  why);
    cx->failing = true;
    struct diag copy = {0}; /* what `why` lies in may go */
    (void)diag_fail(&copy, 0, "%s", why);
    if (was_connected)
        clear_connection(cx);
    if (was_up)
        cx->events.link(cx->events.context, &cx->pbx, false, copy.text);
}

static void on_tick(void *context)
{
    struct cx *cx = context;
    uint64_t now_ms = cx__now_ms();
    cx_requests_tick(cx->requests, now_ms);
    cx__calls_tick(cx, now_ms);
    if (cx->connected) /* a request that was late may have ended it */
        cx_session_tick(cx, now_ms);
    if (!cx->pbx.up)
        return;
    cx_directory_tick(cx, now_ms);
    cx_monitor_set_tick(cx->monitors, now_ms);
    cx__monitors_pump(cx);
}

/* ---- what comes in ----------------------------------------------------------------------- */

static void refuse_request(struct cx *cx, unsigned invoke_id, const struct csta_message *message)
{
    cx__odd(cx, CX_ODD_MESSAGE, csta_type_name(message->type));
    if (invoke_id == CSTA_INVOKE_EVENT)
        return;
    const struct csta_message answer = {
        .type = CSTA_ERROR, .error = CSTA_ERROR_OPERATION, .error_value = "serviceNotSupported"};
    AUTO(buf_done) struct buf xml = {0};
    if (csta_write(&answer, cx->version, &xml, NULL) == 0)
        (void)cx_link_send(cx->link, invoke_id, xml.data, xml.len_bytes);
}

static void take_stop(struct cx *cx, unsigned invoke_id, const struct csta_message *message)
{
    if (message->monitor_id != NULL)
        cx__monitors_stopped(cx, message->monitor_id);
    if (invoke_id == CSTA_INVOKE_EVENT)
        return;
    AUTO(buf_done) struct buf xml = {0};
    const struct csta_message answer = {.type = CSTA_MONITOR_STOP_DONE};
    if (csta_write(&answer, cx->version, &xml, NULL) == 0)
        (void)cx_link_send(cx->link, invoke_id, xml.data, xml.len_bytes);
}

static void take_request(struct cx *cx, unsigned invoke_id, const struct csta_message *message)
{
    if (message->type == CSTA_SYSTEM_STATUS || message->type == CSTA_REQUEST_STATUS)
        cx_session_status(cx, invoke_id, message);
    else if (message->type == CSTA_MONITOR_STOP)
        take_stop(cx, invoke_id, message);
    else
        refuse_request(cx, invoke_id, message);
}

static void take_event(struct cx *cx, const struct csta_message *message)
{
    if (message->type == CSTA_SESSION_TERMINATED)
        cx_link_drop(cx->link, "the PBX ended the session");
    else if (message->type == CSTA_DEVICES)
        cx_directory_segment(cx, message);
    else if (message->type == CSTA_SNAPSHOT_DEVICE_DATA)
        cx__monitors_list(cx, message);
    else if (message->monitor_id != NULL)
        cx__monitors_event(cx, message);
    else
        cx__odd(cx, CX_ODD_MESSAGE, message->name);
}

/* One bad character in one name must not make a list of thousands unreadable. */
static int read_frame(const char *xml, size_t len_bytes, struct csta_message *ret_message,
                      struct diag *diag)
{
    int r = csta_read(xml, len_bytes, ret_message, diag);
    AUTO(common_freep) char *mended = r < 0 ? cx_mend_xml(xml, len_bytes) : NULL;
    if (mended == NULL)
        return r;
    *diag = (struct diag){0};
    return csta_read(mended, len_bytes, ret_message, diag);
}

static void on_frame(void *context, unsigned invoke_id, const char *xml, size_t len_bytes)
{
    struct cx *cx = context;
    struct diag diag = {0};
    AUTO(csta_message_done) struct csta_message message = {0};
    cx->heard_ms = cx__now_ms();
    if (read_frame(xml, len_bytes, &message, &diag) < 0) {
        cx__odd(cx, CX_ODD_UNREADABLE, diag.text);
        return;
    }
    if (diag.text[0] != '\0') /* an event that says nothing but whose calls have changed */
        cx__odd(cx, CX_ODD_UNREADABLE, diag.text);
    cx_session_heard(cx);
    switch (csta_class(message.type)) {
    case CSTA_CLASS_REQUEST:
        take_request(cx, invoke_id, &message);
        break;
    case CSTA_CLASS_RESPONSE:
        if (!cx_requests_answer(cx->requests, invoke_id, &message, cx->heard_ms))
            cx__odd(cx, CX_ODD_ANSWER, csta_type_name(message.type));
        break;
    case CSTA_CLASS_EVENT:
        take_event(cx, &message);
        break;
    }
}

static int send_request(void *context, unsigned invoke_id, const char *xml, size_t len_bytes)
{
    struct cx *cx = context;
    return cx_link_send(cx->link, invoke_id, xml, len_bytes);
}

/* ---- operations -------------------------------------------------------------------------- */

static int monitor(struct pbx *pbx, const char *device)
{
    struct cx *cx = cx_of(pbx);
    int r = cx_monitor_set_want(cx->monitors, device);
    if (r == 0)
        cx__monitors_pump(cx);
    return r;
}

static void unmonitor(struct pbx *pbx, const char *device)
{
    struct cx *cx = cx_of(pbx);
    cx_monitor_set_unwant(cx->monitors, device);
    cx__monitors_pump(cx);
}

static void hasten(struct pbx *pbx, const char *device)
{
    struct cx *cx = cx_of(pbx);
    cx_monitor_set_hasten(cx->monitors, device);
    cx__monitors_pump(cx);
}

static void free_cx(struct cx *cx)
{
    cx_link_free(cx->link);
    cx_requests_free(cx->requests);
    cx_monitor_set_free(cx->monitors);
    timer_free(cx->tick);
    secrets_wipe(&cx->settings, sizeof(cx->settings));
    free(cx);
}

static void close_pbx(struct pbx *pbx)
{
    struct cx *cx = cx_of(pbx);
    cx_session_stop(cx);
    clear_connection(cx);
    free_cx(cx);
}

static const struct pbx_ops ops = {
    .make_call = cx__make_call,
    .answer = cx__answer,
    .clear_connection = cx__clear_connection,
    .monitor = monitor,
    .unmonitor = unmonitor,
    .hasten = hasten,
    .close = close_pbx,
};

/* ---- opening ----------------------------------------------------------------------------- */

static int check_settings(const struct pbx_settings *settings, struct diag *diag)
{
    if (settings->protocol_count < 1 || settings->protocol_count > PBX_PROTOCOLS_MAX)
        return diag_fail(diag, -EINVAL, "PBX of node %s: name a protocol, such as ed6",
                         settings->node);
    for (unsigned i = 0; i < settings->protocol_count; i++)
        if (csta_version_parse(settings->protocols[i]) == CSTA_VERSION_NONE)
            return diag_fail(diag, -EINVAL,
                             "PBX of node %s: protocol \"%s\" is not known: take ed3 to ed6",
                             settings->node, settings->protocols[i]);
    return 0;
}

static int build(struct cx *cx, uv_loop_t *loop, struct diag *diag)
{
    const struct cx_link_events link_events = {
        .connected = on_connected, .lost = on_lost, .frame = on_frame, .context = cx};
    const struct cx_requests_output output = {.send = send_request, .context = cx};
    cx->requests = cx_requests_new(&output);
    cx->monitors = cx_monitor_set_new();
    cx->tick = timer_new(loop, on_tick, cx);
    if (cx->requests == NULL || cx->monitors == NULL || cx->tick == NULL)
        return diag_fail(diag, -ENOMEM, "PBX of node %s: not enough memory", cx->settings.node);
    return cx_link_new(loop, &cx->settings, &link_events, &cx->link, diag);
}

int csta_xml_open(uv_loop_t *loop, const struct pbx_settings *settings,
                  const struct pbx_events *events, struct pbx **ret_pbx, struct diag *diag)
{
    int r = check_settings(settings, diag);
    if (r < 0)
        return r;
    struct cx *cx = calloc(1, sizeof(*cx));
    if (cx == NULL)
        return diag_fail(diag, -ENOMEM, "PBX of node %s: not enough memory", settings->node);
    cx->settings = *settings;
    cx->events = *events;
    cx->pbx.ops = &ops;
    TAILQ_INIT(&cx->making);
    (void)snprintf(cx->pbx.node, sizeof(cx->pbx.node), "%s", settings->node);
    r = build(cx, loop, diag);
    if (r < 0) {
        free_cx(cx);
        return r;
    }
    *ret_pbx = &cx->pbx;
    return 0;
}
