/* gateway.h - roxe-gateway: the REST API on the active node.
 *
 * It does: TLS and HTTP through lib/http, authentication, sessions, subscriptions, event channels,
 * health. It does not: decide which node is active, own addresses or start PostgreSQL; that is
 * solution-control, which starts it with a configuration file and talks to its health socket.
 *
 * Owner of everything is struct gateway, made by gateway_new(); one libuv loop, no other threads
 * than libuv's pool (password hashes, the channels file).
 *
 * Reading order:
 *   gateway_settings.h      what it was told to be
 *   digest_table.h          hash table by SHA-256
 *   auth/                   administrators, throttle, passwords (scrypt), sessions, identity
 *   events/                 filter, event_queue, subscriptions, bus, channel, channel_file
 *   model/                  words, users and devices, calls (pure)
 *   pbx/                    the seam to a PBX, its drivers; pbxs.h: all of them, and who is
 * monitored intake.h                where what the PBXs tell enters store/ PostgreSQL: migrations,
 * load, sessions, group commit of subscriptions api/<service>/          routes, handlers,
 * representations; api/services.h joins them admin/                  beat (heartbeat row), health
 * resource, health socket directory.h, roster.h   users from the PBXs' directories; what follows
 * when one comes or goes housekeeping.h          merge after a load, expiry, flush of last use
 *   cors.h, gateway.c       the rest; main.c is the command line
 *
 * Truth lies in PostgreSQL, memory follows: an object is added to memory after its COMMIT and
 * removed after the COMMIT of its deletion. Requests that only read memory (keep-alive, channels)
 * go on while the database is away; changes are answered 503 with Retry-After. */
#ifndef OG_GATEWAY_GATEWAY_H
#define OG_GATEWAY_GATEWAY_H

#include "gateway/auth/sessions.h"
#include "gateway/events/initial_states.h"
#include "gateway/events/subscriptions.h"
#include "gateway/gateway_settings.h"

#include <uv.h>

struct users;     /* model/users.h */
struct calls;     /* model/calls.h */
struct pbxs;      /* pbx/pbxs.h */
struct directory; /* directory.h */

struct gateway {
    uv_loop_t *loop;
    const struct gateway_settings *settings;
    char public_base[GATEWAY_TEXT_CHARS + 32], private_base[GATEWAY_TEXT_CHARS + 32];
    struct administrators *administrators;
    struct throttle *throttle;
    struct passwords *passwords;
    struct sessions sessions;
    struct subscriptions subscriptions;
    struct store *store;
    struct channels *channels;
    struct initial_states initial_states; /* that channels begin with */
    struct users *users;
    struct directory *directory;
    struct calls *calls;
    struct pbxs *pbxs;
    struct beat *beat;
    struct health_socket *health_socket;
    struct snapshots *snapshots; /* api/telephony/snapshots.h */
    struct housekeeping *housekeeping;
    struct http_router *router;
    struct http_server *server;
    struct tls_context *tls;
    struct timer *timer; /* begins to accept also without database; steps of the stop */
    bool accepting, draining;
    unsigned stop_parts;            /* that gateway_stop() still waits for */
    void (*stopped)(void *context); /* of gateway_stop() */
    void *stopped_context;
};

/* Binds the ports and the health socket, becomes settings->user, starts to connect to the database.
 * Connections wait in the kernel until everything is loaded (at most 5 s). settings: borrowed. */
int gateway_new(uv_loop_t *loop, const struct gateway_settings *settings,
                struct gateway **ret_gateway, struct diag *diag);
/* Ends channels after their last event, lets requests in flight end within settings->drain_ms, then
 * closes everything; stopped(context) comes once, from the loop. Twice is fine. */
void gateway_stop(struct gateway *gateway, void (*stopped)(void *context), void *context);
/* Reads the administrators and the certificate again; on an error the present ones stay. */
void gateway_reload(struct gateway *gateway);
void gateway_free(struct gateway *gateway); /* NULL is fine */

/* Removes it from memory, with its channel. */
void gateway_drop_subscription(struct gateway *gateway, struct subscription *subscription);
void gateway_drop_session(struct gateway *gateway, struct session *session);

#endif
