/* cx_private.h - the driver as its parts see it. */
#ifndef OG_GATEWAY_CX_PRIVATE_H
#define OG_GATEWAY_CX_PRIVATE_H

#include "gateway/pbx/csta_xml/cx_directory.h"
#include "gateway/pbx/csta_xml/cx_link.h"
#include "gateway/pbx/csta_xml/cx_monitor_set.h"
#include "gateway/pbx/csta_xml/cx_requests.h"
#include "gateway/pbx/csta_xml/cx_session.h"
#include "gateway/pbx/pbx_settings.h"
#include "lib/common/timer.h"
#include "lib/csta/csta.h"

#include <sys/queue.h>

#define CX_LOG "pbx"

/* What a PBX does wrong without harm. Each kind is counted and logged at most every ten seconds. */
#define CX_ODDITIES(X)                                                                             \
    X(UNREADABLE, "a message cannot be read")                                                      \
    X(ANSWER, "an answer to no request")                                                           \
    X(MONITOR, "an event of no known monitor")                                                     \
    X(MESSAGE, "a message that is not used")                                                       \
    X(EVENT, "an event without a usable call identifier")                                          \
    X(REFUSED, "a device is refused")                                                              \
    X(DIRECTORY, "the device list cannot be read")
#define CX_ODDITY_ENUM(id, text) CX_ODD_##id,
enum cx_oddity { CX_ODDITIES(CX_ODDITY_ENUM) CX_ODDITY_COUNT };

struct wish; /* cx_calls.c */

struct cx {
    struct pbx pbx; /* first */
    struct pbx_settings settings;
    struct pbx_events events;
    struct cx_link *link;
    struct cx_requests *requests;
    struct timer *tick; /* runs while there is a connection */
    enum csta_version version;
    uint64_t heard_ms; /* when the last frame came */
    bool connected;    /* at all; pbx.up: and the session has begun */
    bool failing;      /* the present outage has been logged */
    struct cx_session session;
    struct cx_directory directory;
    struct cx_monitor_set *monitors;
    TAILQ_HEAD(, wish) making; /* calls that were asked for and are not told yet */
    struct {
        uint64_t count, logged_ms;
    } odd[CX_ODDITY_COUNT];
};

static inline struct cx *cx_of(struct pbx *pbx)
{
    return (struct cx *)pbx; /* its first member */
}

uint64_t cx__now_ms(void);
void cx__odd(struct cx *cx, enum cx_oddity oddity, const char *detail);
/* The link carries the gateway's work from now on. */
void cx__go_up(struct cx *cx);

/* cx_monitors.c. Device events, monitors and snapshots. */
void cx__monitors_pump(struct cx *cx); /* sends what there is room for */
void cx__monitors_event(struct cx *cx, const struct csta_message *event);
void cx__monitors_list(struct cx *cx, const struct csta_message *segment);
void cx__monitors_stopped(struct cx *cx, const char *monitor_id); /* by the PBX */

/* cx_calls.c. An event of the call was told at the device. */
void cx__calls_heard(struct cx *cx, const char *device, const char *call_id);
void cx__calls_tick(struct cx *cx, uint64_t now_ms);
void cx__calls_lost(struct cx *cx); /* no more events will come */
/* The requests of people, for struct pbx_ops. */
int cx__make_call(struct pbx *pbx, const struct pbx_make_call *call, pbx_done_fn done,
                  void *context);
int cx__answer(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
               void *context);
int cx__clear_connection(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
                         void *context);

#endif
