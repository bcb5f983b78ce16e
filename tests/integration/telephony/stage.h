/* stage.h - everything that a call scenario plays on: PostgreSQL, roxe-gateway and oxe-simulator,
 * each a real process, and actors: users and an administrator with a session over TLS. Processes
 * and sessions live through all scenarios, a subscription lives as long as one.
 *
 * Calls fail the running cmocka test when the surroundings fail. */
#ifndef OG_TESTS_TELEPHONY_STAGE_H
#define OG_TESTS_TELEPHONY_STAGE_H

#include "tests/integration/gateway/harness.h"

enum {
    STAGE_ACTORS_MAX = 12,
    STAGE_USERS = 20,  /* 1001 to 1020 */
    STAGE_PHONES = 22, /* 1021 and 1022 are second phones of 1010 and 1020 */
    STAGE_LINE_CHARS = 16 * 1024,
    STAGE_PATIENCE_MS = 8000,       /* for what must happen */
    STAGE_LONG_PATIENCE_MS = 20000, /* for what takes its time */
};
#define STAGE_FIRST  "1001"
#define STAGE_MARKER "1020" /* a phone that is never in service: scenarios leave it alone */

struct actor {
    char name[32];                 /* "1001" or "admin" */
    struct https_client rest, ear; /* requests; the event channel */
    bool listening;
    char subscription[64];
    unsigned owed; /* answers to snapshots that the scenario has asked for itself */
};

struct stage {
    struct harness harness;
    pid_t simulator;
    uint16_t csta_port, control_port;
    struct https_client control;
    struct actor actors[STAGE_ACTORS_MAX];
    unsigned actor_count;
    unsigned listening[STAGE_ACTORS_MAX], listening_count; /* in the order of the scenario */
    bool link_lost;  /* at least once since the gateway's start */
    bool unreliable; /* the simulator misbehaves: an answer of the PBX proves nothing */
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage);
/* The actor with an open session; logs in when it is the first time. */
struct actor *stage_actor(struct stage *stage, const char *name);
/* Subscribes and opens the channel; what the channel begins with stays to be read. ids: of the
 * users to hear of, blank-separated; "" for all that the session may see. */
void stage_listen(struct stage *stage, struct actor *actor, const char *ids);
void stage_stop_listening(struct stage *stage);
/* path: below the base of the interface. False: no answer. */
bool stage_ask(struct actor *actor, const char *method, const char *path, const char *body,
               struct answer *answer);
/* A request to the simulator's control interface; its status. */
int stage_control(struct stage *stage, const char *method, const char *path, const char *body,
                  struct answer *answer);

/* The gateway has treated everything that the simulator has sent so far, as far as that can be
 * known: it has answered a request that needs the PBX. */
void stage_reach_pbx(struct stage *stage);
/* Waits until the link is up and the calls of these users have been read since; numbers:
 * blank-separated, "" for all. */
void stage_wait_synced(struct stage *stage, const char *numbers);
/* No call, nothing wrong, all phones in service but the marker: as each scenario begins. */
void stage_tidy(struct stage *stage);

/* Is it this actor's marker? An answer to a snapshot that settling has asked for. */
bool stage_is_snapshot(const char *line);
/* Asks for the actor's marker; false: he gets none now. */
bool stage_ask_marker(struct stage *stage, struct actor *actor);

#endif
