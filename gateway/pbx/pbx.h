/* pbx.h - the seam between the gateway and one PBX: what a driver can be asked, what it tells.
 *
 * A driver is a folder, gateway/pbx/<driver>/, that speaks one wire. It keeps its link up by itself
 * (back-off, pacing), keeps the wanted monitors over every loss, and after each new link brings the
 * model up to date by snapshots. It knows nothing of users, sessions or REST.
 *
 * What is told, in this order after each link: link up, the directory (a whole list), then for each
 * monitored device one snapshot, requested devices first; calls' events at any time from a device's
 * monitor on. Events of one PBX come in the order in which the PBX sent them. A link that goes down
 * says so once; what was asked and not answered ends with TELEPHONY_SERVICE_UNAVAILABLE.
 *
 * Everything is on the loop's thread; texts in what is told are borrowed during the call; callbacks
 * may ask the driver anything but must not close it.
 *
 * Words: ECMA-269. A connection is one device's part in one call; an event describes its subject
 * connection, as seen from the monitored device, whose own state in the call is `local`. */
#ifndef OG_GATEWAY_PBX_H
#define OG_GATEWAY_PBX_H

#include "gateway/model/words.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    PBX_NUMBER_CHARS = 64,  /* a device number and its NUL; longer ones are refused at the wire */
    PBX_CALL_ID_CHARS = 65, /* a PBX's own call identifier and its NUL */
    PBX_ANSWER_MS = 5000,   /* that the PBX has for an answer, then TELEPHONY_REQUEST_TIMEOUT */
    PBX_PARTIES_MAX = 64,   /* of one call in a snapshot; more are left out */
};

/* State of a connection (ECMA-269 6.1.5); NONE: it has ended. */
#define PBX_LOCALS(X)                                                                              \
    X(NONE, "null")                                                                                \
    X(INITIATED, "initiated")                                                                      \
    X(ALERTING, "alerting")                                                                        \
    X(CONNECTED, "connected")                                                                      \
    X(HOLD, "hold")                                                                                \
    X(QUEUED, "queued")                                                                            \
    X(FAIL, "fail")
#define PBX_LOCAL_ENUM(id, text) PBX_LOCAL_##id,
enum pbx_local { PBX_LOCALS(PBX_LOCAL_ENUM) PBX_LOCAL_COUNT };
const char *pbx_local_name(enum pbx_local local); /* "?" out of range */

#define PBX_EVENTS(X)                                                                              \
    X(INITIATED, "service initiated") /* off hook, nothing dialled */                              \
    X(ORIGINATED, "originated")       /* dialled, the call is on its way */                        \
    X(DELIVERED, "delivered")         /* rings at the subject */                                   \
    X(ESTABLISHED, "established")     /* answered by the subject */                                \
    X(HELD, "held")                                                                                \
    X(RETRIEVED, "retrieved")                                                                      \
    X(DIVERTED, "diverted")          /* leaves the subject for another device */                   \
    X(FAILED, "failed")              /* cannot reach the subject, cause says why */                \
    X(CLEARED, "connection cleared") /* the subject has left the call */
#define PBX_EVENT_ENUM(id, text) PBX_EVENT_##id,
enum pbx_event_type { PBX_EVENTS(PBX_EVENT_ENUM) PBX_EVENT_COUNT };
const char *pbx_event_name(enum pbx_event_type type); /* "?" out of range */

struct pbx_party {
    const char *number; /* NULL: not known */
    const char *name;   /* as the PBX shows it; NULL: none */
    bool restricted;    /* its owner does not want it shown; number is NULL then */
};

struct pbx_event {
    enum pbx_event_type type;
    const char *monitored;    /* the device whose monitor tells it */
    const char *call_id;      /* of the subject connection */
    struct pbx_party subject; /* whose connection changed */
    struct pbx_party calling, called;
    struct pbx_party redirecting; /* last device that sent the call on */
    const char *new_destination;  /* DIVERTED; NULL: not known */
    enum pbx_local local;         /* of the monitored device after the event */
    enum call_cause cause;        /* CAUSE_ABSENT: nothing special */
    const char *correlator;       /* hexadecimal digits; NULL: none */
};

/* One call at a device, as the PBX has it now. */
struct pbx_snapshot_call {
    const char *call_id;
    enum pbx_local local;             /* of the snapshot's device */
    struct pbx_party calling, called; /* number NULL where the PBX does not say */
    struct {
        struct pbx_party party;
        enum pbx_local local;
    } parties[PBX_PARTIES_MAX]; /* the others in the call, without the device itself */
    unsigned party_count;
};

/* A line of the directory. */
struct pbx_device {
    const char *number;
    const char *name;        /* "Nora Lindqvist"; NULL: the PBX gives none */
    const char *main_number; /* of the user it belongs to; its own number for a main device */
    enum device_type type;
    const char *model; /* NULL: not known */
};

struct pbx;
struct pbx_events {
    void (*link)(void *context, struct pbx *pbx, bool up, const char *why); /* why: NULL when up */
    /* The whole list of stations, each number once; a list that ends early is not told. */
    void (*directory)(void *context, struct pbx *pbx, const struct pbx_device *devices,
                      size_t count);
    void (*device_state)(void *context, struct pbx *pbx, const char *number,
                         enum operational_state state);
    /* False: it contradicts what is known of the device: its calls are to be read again. */
    bool (*call)(void *context, struct pbx *pbx, const struct pbx_event *event);
    /* All calls of a monitored device; what the model has beside them has ended. */
    void (*snapshot)(void *context, struct pbx *pbx, const char *number,
                     const struct pbx_snapshot_call *calls, size_t count);
    void *context;
};

struct pbx_error {
    enum telephony_error_type type;
    enum telephony_error_cause cause;
    const char *text; /* for developers: the PBX's own words; borrowed */
};
/* error NULL: done. call_id: of the call that pbx_make_call() has begun, else NULL; its first event
 * has been told by then, unless the PBX is late with it. Comes exactly once, from the loop; when
 * the call itself returned an error it does not come. */
typedef void (*pbx_done_fn)(void *context, const struct pbx_error *error, const char *call_id);

struct pbx_make_call {
    const char *device, *callee;
    bool auto_answer;       /* the callee is called at once; else the caller's device rings first */
    const char *correlator; /* hexadecimal digits, NULL: none */
};

/* What a driver does. Numbers and identifiers are checked texts, not longer than the limits above.
 * 0, -EAGAIN (no link), -ENOBUFS (too many requests wait), -ENOTSUP (this PBX cannot), -ENOMEM. */
struct pbx_ops {
    int (*make_call)(struct pbx *pbx, const struct pbx_make_call *call, pbx_done_fn done,
                     void *context);
    int (*answer)(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
                  void *context);
    /* Ends one device's part in the call. */
    int (*clear_connection)(struct pbx *pbx, const char *call_id, const char *device,
                            pbx_done_fn done, void *context);
    /* Wants the device's events from now on, over every loss of the link. Twice is fine. */
    int (*monitor)(struct pbx *pbx, const char *device);
    void (*unmonitor)(struct pbx *pbx, const char *device);
    /* Somebody waits for this device: its monitor and snapshot come before the others'. */
    void (*hasten)(struct pbx *pbx, const char *device);
    /* Fails what is under way (SERVICE_UNAVAILABLE) before it returns; nothing is told after that.
     */
    void (*close)(struct pbx *pbx);
};

/* First member of every driver's own struct. */
struct pbx {
    const struct pbx_ops *ops;
    char node[16]; /* node number as a text, "1" */
    bool up;       /* kept by the driver */
};

/* The same by name, for readers. */
int pbx_make_call(struct pbx *pbx, const struct pbx_make_call *call, pbx_done_fn done,
                  void *context);
int pbx_answer(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
               void *context);
int pbx_clear_connection(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
                         void *context);
int pbx_monitor(struct pbx *pbx, const char *device);
void pbx_unmonitor(struct pbx *pbx, const char *device);
void pbx_hasten(struct pbx *pbx, const char *device);
void pbx_close(struct pbx *pbx); /* NULL is fine */

#endif
