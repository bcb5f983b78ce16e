/* tls.h - TLS settings (contexts) and byte channels over TCP, encrypted or plain.
 *
 * OpenSSL works on memory only (a BIO over the channel's own buffers); libuv moves the bytes. A
 * channel owns its TCP handle, its TLS state and a queue of unsent bytes. TLS 1.2 at least, no
 * compression, no renegotiation, session tickets (stateless). An idle TLS channel keeps no read or
 * write buffer.
 *
 * Order of callbacks: ready, then any of data/drained, end at most once, closed exactly once as the
 * last; after closed has returned the channel is gone. No callback comes from within a call of
 * this header. An accepted plain channel is ready at once, without a call of ready. */
#ifndef OG_COMMON_TLS_H
#define OG_COMMON_TLS_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* --- contexts --------------------------------------------------------------------------------- */
struct tls_context;

struct tls_options {
    const char *certificate_file; /* PEM chain, own certificate first; client: NULL for none */
    const char *key_file;         /* PEM; NULL with certificate_file NULL */
    const char *ca_file;          /* PEM; server: NULL = no client certificate asked for, else one
                                   * is required; client: NULL = the system's authorities */
};
/* Both read the files now; -EINVAL / -ENOENT / -EACCES with the file's name in the diag. */
int tls_server_context_new(const struct tls_options *options, struct tls_context **ret_context,
                           struct diag *diag);
int tls_client_context_new(const struct tls_options *options, struct tls_context **ret_context,
                           struct diag *diag);
/* Reads the files again; new channels use the new ones, open ones and session tickets go on. On an
 * error the present ones stay. */
int tls_context_reload(struct tls_context *context, struct diag *diag);
/* Channels keep what they need; NULL is fine. */
void tls_context_free(struct tls_context *context);

/* --- channels --------------------------------------------------------------------------------- */
struct tls_channel;

struct tls_channel_events {
    void (*ready)(void *context); /* connected and, with TLS, hands shaken; may be NULL */
    /* Bytes from the other side, borrowed for the call. */
    void (*data)(void *context, const char *bytes, size_t len_bytes);
    /* The other side sends no more; writing is still possible. NULL: the channel closes itself. */
    void (*end)(void *context);
    /* The queue fell to low_water_bytes or below after it had been above. May be NULL. */
    void (*drained)(void *context);
    /* error: 0 after tls_channel_shutdown()/close(), else negative errno; why: one sentence. */
    void (*closed)(void *context, int error, const char *why);
    void *context;
    size_t low_water_bytes;
    uint64_t handshake_ms; /* for connecting and shaking hands; 0: 10 s */
};

/* Takes the waiting connection of a listener. tls NULL: plain. */
int tls_channel_accept(uv_stream_t *listener, struct tls_context *tls,
                       const struct tls_channel_events *events, struct tls_channel **ret_channel);
/* Connects. host: the name or numeric address that the certificate must carry (also sent as SNI
 * when it is a name); ignored when plain, required with TLS. */
int tls_channel_connect(uv_loop_t *loop, const struct sockaddr *address, struct tls_context *tls,
                        const char *host, const struct tls_channel_events *events,
                        struct tls_channel **ret_channel);
/* Queues and sends bytes; copied. 0, -EPIPE after shutdown or close, -ENOMEM (channel then closes).
 * Before `ready` the bytes wait. */
int tls_channel_write(struct tls_channel *channel, const void *bytes, size_t len_bytes);
/* Bytes written that the kernel has not taken yet (with TLS: their encrypted form). */
size_t tls_channel_queued_bytes(const struct tls_channel *channel);
/* Changes events.low_water_bytes. */
void tls_channel_set_low_water(struct tls_channel *channel, size_t low_water_bytes);
/* Bytes that the kernel has taken so far: grows while the other side reads. */
uint64_t tls_channel_sent_bytes(const struct tls_channel *channel);
/* Stops and restarts reading: back-pressure towards the sender. After a pause the rest of the
 * present read (some 16 KiB) may still come. */
void tls_channel_pause(struct tls_channel *channel);
void tls_channel_resume(struct tls_channel *channel);
/* Sends what is queued, says goodbye, waits up to grace_ms for the other side's end (so that the
 * last bytes are not lost to a reset), closes. Data that still comes in is dropped. */
void tls_channel_shutdown(struct tls_channel *channel, uint64_t grace_ms);
/* Closes now; queued bytes are lost. closed comes from the loop. Calling it twice is fine. */
void tls_channel_close(struct tls_channel *channel);
bool tls_channel_is_tls(const struct tls_channel *channel);
/* Both ends' addresses; 0 or negative errno. */
int tls_channel_peer(const struct tls_channel *channel, struct sockaddr_storage *ret_address);
int tls_channel_local(const struct tls_channel *channel, struct sockaddr_storage *ret_address);

#endif
