/* control_client.h - asks solution-control one question over its control socket.
 *
 * One JSON object a line in each direction. The call blocks, never longer than its budget: a daemon
 * that hangs must not hang the administrator's terminal. The answer is outside text: it is bounded,
 * and parsed strictly. */
#ifndef OG_CLI_CONTROL_CLIENT_H
#define OG_CLI_CONTROL_CLIENT_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_CLIENT_SOCKET "/run/open-gateway/control.sock"

enum { CONTROL_CLIENT_BUDGET_MS = 5000, CONTROL_CLIENT_ANSWER_MAX_BYTES = 16 << 20 };

struct control_client {
    const char *socket;      /* path, borrowed */
    uint32_t budget_ms;      /* for connecting, asking and the whole answer together */
    size_t answer_max_bytes; /* without the end of the line */
};

/* Sends the request (one line without its end) and waits for the answer line. On success
 * *ret_answer is a JSON object that the caller deletes, and line, which the caller frees in any
 * case, holds its text.
 *   -ENOENT, -ECONNREFUSED  nobody listens
 *   -EACCES                 this user may not connect
 *   -ETIMEDOUT              no whole answer within the budget
 *   -ECONNRESET             closed before the whole answer had come
 *   -EMSGSIZE               the answer is too long
 *   -EPROTO                 the answer is not a JSON object
 * or another errno, each with a sentence in the diag. */
int control_client_ask(const struct control_client *client, const char *request, struct buf *line,
                       cJSON **ret_answer, struct diag *diag);

#endif
