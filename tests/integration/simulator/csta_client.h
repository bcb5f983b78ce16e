/* csta_client.h - a blocking CSTA client for tests. Every PDU that it gets must be a message in the
 * schema's strict form (csta_check), else the running test fails. */
#ifndef OG_TESTS_CSTA_CLIENT_H
#define OG_TESTS_CSTA_CLIENT_H

#include "lib/csta/csta.h"
#include "lib/csta/csta_frame.h"

#include <stdint.h>

struct csta_client {
    int fd;
    struct csta_frames frames;
    unsigned invoke; /* of the last request */
    bool lenient;    /* takes PDUs that are no CSTA; they show as "nonsense" */
    char session_id[64];
};

void csta_client_connect(struct csta_client *client, uint16_t port);
void csta_client_close(struct csta_client *client);
/* Asks for a session in edition 6; see csta_client_ask(). */
void csta_client_start(struct csta_client *client, const char *expected);
/* Connects and starts a session. */
void csta_client_open(struct csta_client *client, uint16_t port);

/* Sends a request; its invoke identifier. */
unsigned csta_client_send(struct csta_client *client, const struct csta_message *message);
void csta_client_send_bytes(struct csta_client *client, const void *bytes, size_t len_bytes);
/* One line for the next PDU, appended to lines; false: the connection has ended, or nothing came
 * for wait_ms. Responses begin with their invoke identifier, events with their monitor:
 *   "3 MonitorStartResponse 1", "4 CSTAErrorCode operation invalidDeviceID",
 *   "monitor 1 DeliveredEvent 1002 connected newCall" */
bool csta_client_line(struct csta_client *client, unsigned wait_ms, struct buf *lines);
/* Everything until the answer to a request that this sends behind all others. */
void csta_client_expect(struct csta_client *client, const char *expected);
/* Sends and compares all that comes until then; "N" at a line's beginning stands for its own
 * invoke identifier. */
void csta_client_ask(struct csta_client *client, const struct csta_message *message,
                     const char *expected);
/* The same that returns the lines instead; free them. */
char *csta_client_collect(struct csta_client *client);
/* True when the other side closes within 10 s; lines gets what came before. */
bool csta_client_ends(struct csta_client *client, struct buf *lines);

/* Messages. */
struct csta_message csta_client_monitor(const char *number);
struct csta_message csta_client_make_call(const char *caller, const char *callee);

#endif
