/* simulator.h - a PBX for tests, demonstrations and developers: oxe-simulator.
 *
 * It answers the same wire as a real PBX, CSTA III in XML over TCP (ECMA-323) with application
 * sessions (ECMA-354), so that a client cannot tell it from one. Beside that wire, and only there,
 * it has an HTTP interface that presses the keys of its phones and makes it misbehave.
 * It does not do: sound, trunks, groups, anything that survives its end.
 *
 * In reading order:
 *   exchange, numbering    phones and calls, the company that fills them (pure)
 *   misbehave, pdu_log     what goes wrong on purpose; what was sent and received (pure)
 *   sim_server             connections of clients, what leaves them
 *   sim_session            application sessions: start, duration, end
 *   sim_services           requests of clients
 *   sim_monitors           who watches which phone, and the events for them
 *   sim_control            the HTTP interface; sim_phones its keys, sim_trouble its mischief
 *   simulator              life, and the way from an action to its events
 *
 * Everything runs on one loop's thread. */
#ifndef OG_SIMULATOR_SIMULATOR_H
#define OG_SIMULATOR_SIMULATOR_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    SIMULATOR_EDITION_3 = 1,
    SIMULATOR_EDITION_4 = 2,
    SIMULATOR_EDITION_5 = 4,
    SIMULATOR_EDITION_6 = 8,
    SIMULATOR_EDITIONS_ALL = 15
};

struct simulator_options {
    const char *address;   /* numeric; of both interfaces */
    uint16_t csta_port;    /* 0: any free one */
    uint16_t control_port; /* likewise */
    const char *node;      /* shown to people */
    unsigned users;
    const char *first_number;
    uint64_t no_answer_ms, tone_ms;
    unsigned session_s;     /* longest session without renewal */
    unsigned status_poll_s; /* asks its clients for their state; 0: never */
    unsigned list_devices;  /* devices in one segment of the device list */
    unsigned editions;      /* SIMULATOR_EDITION_… that it agrees to */
    bool without_session;   /* requests need no session */
    const char *user;       /* that a session must show; NULL: anybody may */
    const char *password;   /* with user; NULL: not looked at */
};
/* What oxe-simulator does without options; ports are 0. */
void simulator_options_init(struct simulator_options *options);

struct simulator;
/* Both interfaces listen when it returns. Texts of the options are borrowed until the end. */
int simulator_new(uv_loop_t *loop, const struct simulator_options *options,
                  struct simulator **ret_simulator, struct diag *diag);
uint16_t simulator_csta_port(const struct simulator *simulator);
uint16_t simulator_control_port(const struct simulator *simulator);
/* Closes everything; the memory goes during the loop's next turns. NULL is fine. */
void simulator_free(struct simulator *simulator);

#endif
