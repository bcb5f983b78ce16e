/* tls_private.h - shared by tls_context.c and tls_channel.c only. */
#ifndef OG_COMMON_TLS_PRIVATE_H
#define OG_COMMON_TLS_PRIVATE_H

#include "lib/common/tls.h"

#include <openssl/ssl.h>

/* Reads what the peer sent / takes what OpenSSL wants to send; data is the owner of the SSL. */
struct tls__io {
    int (*take)(void *data, char *bytes, int cap_bytes); /* 0: nothing there yet */
    int (*give)(void *data, const char *bytes, int len_bytes);
    void *data;
};

struct tls_context *tls__context_ref(struct tls_context *context);
/* A fresh SSL whose bytes go through io (borrowed, must outlive the SSL). host NULL for servers.
 * NULL: no memory, or a host that cannot be checked. */
SSL *tls__context_new_ssl(struct tls_context *context, const char *host, const struct tls__io *io);
/* OpenSSL's oldest queued reason as text; empties the queue. */
const char *tls__reason(void);

#endif
