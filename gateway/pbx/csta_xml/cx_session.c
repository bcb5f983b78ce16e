#include "gateway/pbx/csta_xml/cx_session.h"

#include "gateway/pbx/csta_xml/cx_errors.h"
#include "gateway/pbx/csta_xml/cx_private.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/csta/csta_frame.h"

#include <stdlib.h>
#include <string.h>

static int ask(struct cx *cx, const struct csta_message *message, cx_answer_fn answer)
{
    const struct cx_request request = {
        .class = CX_CLASS_SESSION, .message = message, .answer = answer, .context = cx};
    return cx_requests_add(cx->requests, &request, cx__now_ms());
}

/* Without this request the connection is of no use. */
static void ask_or_drop(struct cx *cx, const struct csta_message *message, cx_answer_fn answer)
{
    int r = ask(cx, message, answer);
    if (r == 0)
        return;
    struct diag why = {0};
    (void)diag_fail(&why, r, "%s cannot be sent: %s", csta_type_name(message->type),
                    strerrordesc_np(-r));
    cx_link_drop(cx->link, why.text);
}

static bool has_session(const struct cx *cx)
{
    return strcmp(cx->settings.session, "none") != 0;
}

static void drop(struct cx *cx, const char *what, enum cx_outcome outcome,
                 const struct csta_message *answer)
{
    if (outcome == CX_LOST)
        return;
    struct diag why = {0};
    if (outcome == CX_TIMED_OUT) {
        (void)diag_fail(&why, 0, "%s: no answer within %d ms", what, PBX_ANSWER_MS);
    } else if (answer->type == CSTA_ERROR) {
        char text[CX_ERROR_TEXT_CHARS];
        (void)diag_fail(&why, 0, "%s: refused, %s", what, cx_error_of(answer, text).text);
    } else {
        const char *reason = answer->reason != NULL ? answer->reason : answer->private_reason;
        (void)diag_fail(&why, 0, "%s: refused, %.100s", what,
                        reason != NULL ? reason : "no reason");
    }
    cx_link_drop(cx->link, why.text);
}

/* ---- signs of life ----------------------------------------------------------------------- */

static void note_status(struct cx *cx, const char *status)
{
    if (status == NULL)
        return;
    log_debug(CX_LOG, "node %s: the PBX is %.40s", cx->pbx.node, status);
    cx->session.messages_lost = cx->session.messages_lost || strcmp(status, "messagesLost") == 0;
}

/* Not each time that it says so: reading everything is work for both sides. */
static void read_lost_messages(struct cx *cx, uint64_t now_ms)
{
    if (!cx->session.messages_lost || now_ms < cx->session.read_again_ms)
        return;
    log_notice(CX_LOG, "node %s: the PBX has lost messages, all calls are read again",
               cx->pbx.node);
    cx->session.messages_lost = false;
    cx->session.read_again_ms = now_ms + CX_READ_AGAIN_MS;
    cx_monitor_set_read_all_again(cx->monitors);
}

static void on_life(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    struct cx *cx = context;
    cx->session.asking = false;
    if (outcome == CX_TIMED_OUT && cx__now_ms() - cx->heard_ms >= PBX_ANSWER_MS)
        cx_link_drop(cx->link, "the PBX is silent");
    else if (outcome == CX_ANSWERED)
        note_status(cx, answer->system_status);
}

/* Without a session whatever the PBX says, even that it does not know the question, tells that it
 * is there. */
void cx_session_heard(struct cx *cx)
{
    if (!cx->pbx.up && !has_session(cx))
        cx__go_up(cx);
}

static void ask_for_life(struct cx *cx)
{
    cx->session.asking = true;
    ask_or_drop(cx, &(struct csta_message){.type = CSTA_REQUEST_STATUS}, on_life);
}

void cx_session_status(struct cx *cx, unsigned invoke_id, const struct csta_message *message)
{
    bool asked = message->type == CSTA_REQUEST_STATUS;
    const struct csta_message answer = {
        .type = asked ? CSTA_REQUEST_STATUS_DONE : CSTA_SYSTEM_STATUS_DONE,
        .system_status = asked ? "normal" : NULL,
    };
    AUTO(buf_done) struct buf xml = {0};
    if (invoke_id != CSTA_INVOKE_EVENT && csta_write(&answer, cx->version, &xml, NULL) == 0)
        (void)cx_link_send(cx->link, invoke_id, xml.data, xml.len_bytes);
    if (!asked)
        note_status(cx, message->system_status);
}

/* ---- ECMA-354 ---------------------------------------------------------------------------- */

static void plan_renewal(struct cx *cx, const struct csta_message *answer)
{
    int64_t granted_s = answer->session_s.set ? answer->session_s.value : cx->settings.session_s;
    if (granted_s < CX_SESSION_MIN_S)
        granted_s = CX_SESSION_MIN_S;
    if (granted_s > CX_SESSION_MAX_S)
        granted_s = CX_SESSION_MAX_S;
    cx->session.renew_at_ms = cx__now_ms() + (uint64_t)granted_s * 500;
}

static void on_renewed(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    struct cx *cx = context;
    if (outcome == CX_ANSWERED && answer->type == CSTA_RESET_TIMER_DONE)
        plan_renewal(cx, answer);
    else
        drop(cx, "the session's renewal", outcome, answer);
}

static void renew(struct cx *cx)
{
    cx->session.renew_at_ms = 0;
    const struct csta_message message = {
        .type = CSTA_RESET_TIMER,
        .session_id = cx->session.id,
        .session_s = {.set = true, .value = cx->settings.session_s},
    };
    ask_or_drop(cx, &message, on_renewed);
}

static void begin(struct cx *cx, const struct csta_message *answer)
{
    enum csta_version version =
        answer->version != NULL ? csta_version_parse(answer->version) : CSTA_VERSION_NONE;
    if (version == CSTA_VERSION_NONE) {
        cx_link_drop(cx->link, "the session: the PBX chose a protocol that nobody offered");
        return;
    }
    cx->session.id = strdup(answer->session_id != NULL ? answer->session_id : "");
    if (cx->session.id == NULL) {
        cx_link_drop(cx->link, "the session: not enough memory");
        return;
    }
    cx->version = version;
    cx_requests_open(cx->requests, version);
    plan_renewal(cx, answer);
    cx__go_up(cx);
}

/* Some products refuse the whole list when they do not know its first member: offer the editions
 * one at a time from the next connection on. */
static void on_started(void *context, enum cx_outcome outcome, struct csta_message *answer)
{
    struct cx *cx = context;
    if (outcome == CX_ANSWERED && answer->type == CSTA_START_SESSION_DONE) {
        begin(cx, answer);
        return;
    }
    if (outcome == CX_ANSWERED && answer->reason != NULL &&
        strcmp(answer->reason, "requestedProtocolVersionNotSupported") == 0) {
        cx->session.offered += cx->session.refused;
        cx->session.refused = true;
    }
    drop(cx, "the session", outcome, answer);
}

static size_t offer(const struct cx *cx, const char *versions[PBX_PROTOCOLS_MAX])
{
    const struct pbx_settings *settings = &cx->settings;
    size_t count = 0;
    for (unsigned i = 0; i < settings->protocol_count; i++) {
        bool turn = i == cx->session.offered % settings->protocol_count;
        if (!cx->session.refused || turn)
            versions[count++] = csta_version_uri(csta_version_parse(settings->protocols[i]));
    }
    return count;
}

static const char *given(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void start_ecma354(struct cx *cx)
{
    const char *versions[PBX_PROTOCOLS_MAX];
    size_t version_count = offer(cx, versions);
    const struct csta_message message = {
        .type = CSTA_START_SESSION,
        .application_id = cx->settings.application_id,
        .user = given(cx->settings.user),
        .password = given(cx->settings.password),
        .versions = versions,
        .version_count = version_count,
        .session_s = {.set = true, .value = cx->settings.session_s},
    };
    ask_or_drop(cx, &message, on_started);
}

void cx_session_start(struct cx *cx)
{
    cx->version = csta_version_parse(cx->settings.protocols[0]);
    cx_requests_open(cx->requests, cx->version);
    if (has_session(cx))
        start_ecma354(cx);
    else
        ask_for_life(cx);
}

void cx_session_tick(struct cx *cx, uint64_t now_ms)
{
    if (cx->session.renew_at_ms != 0 && cx->session.renew_at_ms <= now_ms)
        renew(cx);
    else if (!cx->session.asking && now_ms - cx->heard_ms >= CX_SILENCE_MS)
        ask_for_life(cx);
    if (cx->pbx.up)
        read_lost_messages(cx, now_ms);
}

void cx_session_stop(struct cx *cx)
{
    if (cx->session.id == NULL)
        return;
    const struct csta_message message = {
        .type = CSTA_STOP_SESSION, .session_id = cx->session.id, .reason = "normal"};
    (void)ask(cx, &message, NULL);
}

void cx_session_clear(struct cx *cx)
{
    free(cx->session.id);
    cx->session.id = NULL;
    cx->session.renew_at_ms = 0;
    cx->session.asking = cx->session.messages_lost = false;
}
