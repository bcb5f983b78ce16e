/* sim_session.c - application sessions (ECMA-354): one for each connection. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/secrets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { POLLS_UNANSWERED_MAX = 2 };

/* --- time ------------------------------------------------------------------------------------- */
static void on_session_due(void *context)
{
    struct sim_link *link = context;
    if (link->simulator->misbehave.wishes.silent) { /* as dead as can be */
        timer_start(link->session_timer, 1000, 0);
        return;
    }
    if (link->session_id[0] == '\0')
        sim__link_close(link, true, "no session was started");
    else
        sim__session_terminate(link, "serverTimeout");
}

static void on_poll_due(void *context)
{
    struct sim_link *link = context;
    if (link->unanswered >= POLLS_UNANSWERED_MAX) {
        sim__link_close(link, true, "the client does not answer SystemStatus");
        return;
    }
    link->unanswered++;
    link->invoke = link->invoke % CSTA_INVOKE_MAX + 1;
    sim__send(link, link->invoke,
              &(struct csta_message){.type = CSTA_SYSTEM_STATUS, .system_status = "normal"});
}

void sim__poll_answered(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    (void)message;
    if (invoke == link->invoke)
        link->unanswered = 0;
}

int sim__session_init(struct sim_link *link)
{
    const struct simulator_options *options = &link->simulator->options;
    uint64_t poll_ms = (uint64_t)options->status_poll_s * 1000;
    link->session_timer = timer_new(link->simulator->loop, on_session_due, link);
    link->poll_timer = timer_new(link->simulator->loop, on_poll_due, link);
    if (link->session_timer == NULL || link->poll_timer == NULL)
        return -ENOMEM;
    for (int edition = CSTA_ED3; edition < CSTA_VERSION_COUNT; edition++)
        if ((options->editions & 1U << (edition - CSTA_ED3)) != 0)
            link->version = (enum csta_version)edition;
    if (!options->without_session)
        timer_start(link->session_timer, SIM__NO_SESSION_MS, 0);
    if (poll_ms > 0)
        timer_start(link->poll_timer, poll_ms, poll_ms);
    return 0;
}

void sim__session_done(struct sim_link *link)
{
    timer_free(TAKE(link->session_timer));
    timer_free(TAKE(link->poll_timer));
    link->session_id[0] = '\0';
}

/* What is wished within what is allowed; renews the time. */
static int64_t grant_time(struct sim_link *link, const struct csta_number *wish)
{
    unsigned most_s = link->simulator->options.session_s;
    link->session_s = most_s;
    if (wish->set && wish->value > 0 && wish->value < most_s)
        link->session_s = (unsigned)wish->value;
    timer_start(link->session_timer, (uint64_t)link->session_s * 1000, 0);
    return link->session_s;
}

/* --- start ------------------------------------------------------------------------------------ */
static enum csta_version agree(const struct simulator_options *options,
                               const struct csta_message *message)
{
    for (size_t i = 0; i < message->version_count; i++) {
        enum csta_version version = csta_version_parse(message->versions[i]);
        if (version != CSTA_VERSION_NONE &&
            (options->editions & 1U << (unsigned)(version - CSTA_ED3)) != 0)
            return version;
    }
    return CSTA_VERSION_NONE;
}

static bool same_text(const char *a, const char *b)
{
    size_t len = strlen(a);
    return b != NULL && strlen(b) == len && secrets_equal(a, b, len);
}

static bool may_start(const struct simulator_options *options, const struct csta_message *message)
{
    if (options->user != NULL && !same_text(options->user, message->user))
        return false;
    return options->password == NULL || same_text(options->password, message->password);
}

/* NULL: nothing speaks against it. */
static const char *refusal(const struct sim_link *link, const struct csta_message *message)
{
    const struct simulator *simulator = link->simulator;
    if (simulator->misbehave.wishes.refuse_sessions)
        return "serverResourcesBusy";
    if (link->session_id[0] != '\0')
        return "maxNumberSessions";
    if (!may_start(&simulator->options, message))
        return "invalidApplicationInfo";
    if (agree(&simulator->options, message) == CSTA_VERSION_NONE)
        return "requestedProtocolVersionNotSupported";
    return NULL;
}

void sim__start_session(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    const char *reason = refusal(link, message);
    if (reason != NULL) {
        log_notice(SIM__LOG, "link %" PRIu64 ": session refused, %s", link->id, reason);
        sim__send(link, invoke,
                  &(struct csta_message){.type = CSTA_START_SESSION_REFUSED, .reason = reason});
        return;
    }
    link->version = agree(&link->simulator->options, message);
    (void)snprintf(link->session_id, sizeof(link->session_id), "%llX-%" PRIu64,
                   (unsigned long long)time(NULL), ++link->simulator->session_ids);
    int64_t granted_s = grant_time(link, &message->session_s);
    log_info(SIM__LOG, "link %" PRIu64 ": session %s of %s, %s, %" PRId64 " s", link->id,
             link->session_id, message->application_id, csta_version_name(link->version),
             granted_s);
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_START_SESSION_DONE,
                                     .session_id = link->session_id,
                                     .version = csta_version_uri(link->version),
                                     .session_s = {granted_s, true}});
}

/* --- renewal and end -------------------------------------------------------------------------- */
static bool is_own_session(const struct sim_link *link, const struct csta_message *message)
{
    return link->session_id[0] != '\0' && strcmp(message->session_id, link->session_id) == 0;
}

void sim__reset_timer(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    if (!is_own_session(link, message)) {
        sim__send(
            link, invoke,
            &(struct csta_message){.type = CSTA_RESET_TIMER_REFUSED, .reason = "invalidSessionID"});
        return;
    }
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_RESET_TIMER_DONE,
                                     .session_s = {grant_time(link, &message->session_s), true}});
}

void sim__stop_session(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    if (!is_own_session(link, message)) {
        sim__send(link, invoke,
                  &(struct csta_message){.type = CSTA_STOP_SESSION_REFUSED,
                                         .reason = "invalidSessionID"});
        return;
    }
    sim__answer(link, invoke, CSTA_STOP_SESSION_DONE);
    sim__link_close(link, false, "the client has stopped its session");
}

void sim__session_terminate(struct sim_link *link, const char *reason)
{
    if (link->session_id[0] != '\0')
        sim__send(link, CSTA_INVOKE_EVENT,
                  &(struct csta_message){.type = CSTA_SESSION_TERMINATED,
                                         .session_id = link->session_id,
                                         .reason = reason});
    sim__link_close(link, false, reason);
}
