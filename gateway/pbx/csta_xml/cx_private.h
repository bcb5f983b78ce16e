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

/* cx_calls.c: the requests of people, for struct pbx_ops. */
int cx__make_call(struct pbx *pbx, const struct pbx_make_call *call, pbx_done_fn done,
                  void *context);
int cx__answer(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
               void *context);
int cx__clear_connection(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
                         void *context);

#endif
