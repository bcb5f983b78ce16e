/* scene.h - a node of the pair in a named situation, for table tests of the arbiter. */
#ifndef OG_TESTS_SCENE_H
#define OG_TESTS_SCENE_H

#include "ha/arbiter.h"

enum { SCENE_NOW_MS = 1000000, SCENE_RUN = 77 };

struct scene {
    struct arb_config config;
    struct arb_state state;
    struct arb_facts facts;
    struct arb_plan plan; /* of the last scene_decide() */
};

/* Node 1 of a pair, profile fast, durable right PAIR of term 5, register known and equal, the peer
 * fresh in standby, both copies UpToDate and connected, everything saved. */
struct scene scene_new(enum arb_phase phase);
/* The active node, everything well. */
struct scene scene_active(void);
/* The standby of an active peer, everything well. */
struct scene scene_standby(void);

void scene_peer_silent(struct scene *scene); /* silent for long, not a member any more */
void scene_link_lost(struct scene *scene);   /* DRBD's connection, just now */
void scene_contact_lost(struct scene *scene, uint64_t for_ms);
void scene_right(struct scene *scene, enum arb_mode mode, uint32_t owner, uint64_t term);
void scene_register(struct scene *scene, enum arb_mode mode, uint32_t owner, uint64_t term);
void scene_peer_right(struct scene *scene, enum arb_mode mode, uint32_t owner, uint64_t term);

uint32_t scene_decide(struct scene *scene); /* returns the actions; plan.next becomes the state */
void scene_pass(struct scene *scene, uint64_t ms);
void scene_saved(struct scene *scene); /* the wanted durable state is on disk */
/* The question in flight is answered. GRANTED gives what was wanted. */
void scene_answer(struct scene *scene, enum arb_outcome outcome, struct arb_right right);
void scene_granted(struct scene *scene);

#endif
