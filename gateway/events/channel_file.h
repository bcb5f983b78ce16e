/* channel_file.h - the file with the TCP end points of the open event channels. It lies on the
 * replicated disk, so it is written on the thread pool (a frozen disk must not stop the loop),
 * synced, and replaced in one step. One line per channel:
 *
 *   4 10.77.1.100 443 10.77.1.1 51544
 *   6 fd00::100 443 fd00::1 51546
 *
 * family, local address and port, remote address and port. */
#ifndef OG_GATEWAY_CHANNEL_FILE_H
#define OG_GATEWAY_CHANNEL_FILE_H

#include "lib/common/buf.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

struct channel_file;
struct channel_file *channel_file_new(uv_loop_t *loop, const char *path); /* NULL: no memory */
void channel_file_free(struct channel_file *file); /* after a write under way; NULL is fine */
bool channel_file_is_busy(const struct channel_file *file);
bool channel_file_has_failed(const struct channel_file *file); /* the last write */
/* Begins to write; text is taken over. False when it could not begin: try again later. */
bool channel_file_write(struct channel_file *file, struct buf *text);
/* Appends a line; nothing for addresses that are no IP addresses. An IPv4 address in IPv6 form is
 * written as IPv4, which is what stands in the packets. */
void channel_file_add_line(struct buf *text, const struct sockaddr_storage *local,
                           const struct sockaddr_storage *remote);

#endif
