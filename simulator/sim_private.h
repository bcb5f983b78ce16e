/* sim_private.h - shared by the sim_*.c files and simulator.c only. */
#ifndef OG_SIMULATOR_SIM_PRIVATE_H
#define OG_SIMULATOR_SIM_PRIVATE_H

#include "lib/common/map.h"
#include "lib/common/timer.h"
#include "lib/common/tls.h"
#include "lib/csta/csta.h"
#include "lib/csta/csta_frame.h"
#include "lib/http/http_server.h"
#include "simulator/exchange.h"
#include "simulator/misbehave.h"
#include "simulator/pdu_log.h"
#include "simulator/simulator.h"

#include <sys/queue.h>

#define SIM__LOG "simulator"

enum {
    SIM__LINKS_MAX = 64,
    SIM__MONITORS_MAX = 200000,           /* of one connection */
    SIM__QUEUED_BYTES_MAX = 64 * 1048576, /* a client that does not read is cut off */
    SIM__ID_CHARS = 40,
    SIM__GOODBYE_MS = 2000,
    SIM__NO_SESSION_MS = 30000, /* a connection may be without a session for so long */
};

struct sim_link;

/* One monitor: a connection wants the events of one phone. */
struct sim_monitor {
    TAILQ_ENTRY(sim_monitor) of_link, of_watch;
    struct sim_link *link;
    struct sim_watch *watch;
    char id[SIM__ID_CHARS];
};
TAILQ_HEAD(sim_monitors, sim_monitor);

/* All monitors of one phone. */
struct sim_watch {
    char number[EXCHANGE_NUMBER_CHARS];
    struct sim_monitors monitors; /* never empty */
};

/* A PDU that waits: delayed, or going out in pieces. */
struct sim_frame {
    TAILQ_ENTRY(sim_frame) next;
    uint64_t due_ms;
    size_t sent_bytes, len_bytes;
    char bytes[];
};
TAILQ_HEAD(sim_frames, sim_frame);

/* One TCP connection of a client. */
struct sim_link {
    TAILQ_ENTRY(sim_link) next;
    struct simulator *simulator;
    uint64_t id; /* from 1, for logs */
    char peer[64];
    struct tls_channel *channel;
    struct csta_frames frames;
    enum csta_version version;
    bool closing;         /* nothing is sent or read any more */
    const char *given_up; /* why it is about to be closed; NULL: it is not */

    char session_id[SIM__ID_CHARS]; /* "": no session */
    unsigned session_s;
    struct timer *session_timer; /* end of the session, or of the time without one */
    struct timer *poll_timer;
    unsigned invoke;     /* last number used for a request of ours */
    unsigned unanswered; /* polls */
    struct sim_monitors monitors;
    size_t monitor_count;

    struct sim_frames waiting;
    size_t waiting_bytes;
    struct timer *waiting_timer;
    struct sim_frame *held; /* comes after the next event, or when held_timer rings */
    struct timer *held_timer;
};
TAILQ_HEAD(sim_links, sim_link);

struct simulator {
    struct simulator_options options;
    uv_loop_t *loop;
    unsigned references; /* owner, listener, connections */

    struct exchange *exchange;
    struct timer *exchange_timer;

    uv_tcp_t listener;
    uint16_t csta_port, control_port;
    struct sim_links links;
    unsigned link_count;
    uint64_t link_ids, session_ids, monitor_ids, list_ids;
    struct map *watches;  /* number -> struct sim_watch */
    struct map *monitors; /* id -> struct sim_monitor */

    struct misbehave misbehave;
    struct pdu_log log;

    struct http_router *router;
    struct http_server *http;
};

/* --- simulator.c ------------------------------------------------------------------------------ */
/* Before an action: time-outs that are due come first. */
void sim__begin(struct simulator *simulator);
/* After it, and after its answer: its events go out. */
void sim__settle(struct simulator *simulator);
void sim__unref(struct simulator *simulator);

/* --- sim_server.c ----------------------------------------------------------------------------- */
int sim__server_listen(struct simulator *simulator, struct diag *diag);
void sim__server_close(struct simulator *simulator);
/* Sends one message. Every PDU of ours goes through here. */
void sim__send(struct sim_link *link, unsigned invoke, const struct csta_message *message);
/* Bytes as they are, as one frame or not. */
void sim__send_raw(struct sim_link *link, const char *bytes, size_t len_bytes);
/* The connection ends; at once, or after what is queued. */
void sim__link_close(struct sim_link *link, bool at_once, const char *why);

/* --- sim_session.c ---------------------------------------------------------------------------- */
int sim__session_init(struct sim_link *link); /* 0 or -ENOMEM */
void sim__session_done(struct sim_link *link);
/* Tells the client that its session is over and closes; reason: one of ECMA-354's words. */
void sim__session_terminate(struct sim_link *link, const char *reason);
void sim__start_session(struct sim_link *link, unsigned invoke, const struct csta_message *message);
void sim__reset_timer(struct sim_link *link, unsigned invoke, const struct csta_message *message);
void sim__stop_session(struct sim_link *link, unsigned invoke, const struct csta_message *message);
void sim__poll_answered(struct sim_link *link, unsigned invoke, const struct csta_message *message);

/* --- sim_services.c --------------------------------------------------------------------------- */
void sim__serve(struct sim_link *link, const struct csta_pdu *pdu);
void sim__answer(struct sim_link *link, unsigned invoke, enum csta_type type);
void sim__answer_error(struct sim_link *link, unsigned invoke, enum csta_error error,
                       const char *value);
/* The number in a device identifier; NULL when there is none. out: EXCHANGE_NUMBER_CHARS. */
const char *sim__number_of(const struct csta_device *device, char *out);

/* --- sim_monitors.c --------------------------------------------------------------------------- */
void sim__monitor_start(struct sim_link *link, unsigned invoke, const struct csta_message *message);
void sim__monitor_stop(struct sim_link *link, unsigned invoke, const struct csta_message *message);
void sim__monitors_drop(struct sim_link *link);
/* The phone is no more: nobody can watch it. */
void sim__monitors_forget(struct simulator *simulator, const char *number);
void sim__tell(struct simulator *simulator, const struct exchange_event *event);
enum csta_local sim__local(enum exchange_state state);
struct csta_party sim__party(const char *number); /* "": absent */

/* --- sim_control.c ---------------------------------------------------------------------------- */
int sim__control_open(struct simulator *simulator, struct diag *diag);
void sim__control_close(struct simulator *simulator);
/* Answers with the text and frees it; 503 when it has failed. */
void sim__answer_json(struct http_request *request, int status, struct buf *text);
/* Appends ,"name":"value". */
void sim__add_member(struct buf *out, const char *name, const char *value);
/* A row of a route table. */
#define SIM__ROUTE(method_, path_, request_, handler_, summary_)                                   \
    {                                                                                              \
        .method = HTTP_##method_, .path = (path_), .request = (request_), .handler = (handler_),   \
        .summary = (summary_)                                                                      \
    }

/* --- sim_phones.c, sim_trouble.c ---------------------------------------------------------------
 */
/* Add their routes; 0 or negative errno. */
int sim__phones_route(struct http_router *router, struct diag *diag);
int sim__trouble_route(struct http_router *router, struct diag *diag);

#endif
