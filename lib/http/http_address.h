/* http_address.h - counts connections per client address. Pure apart from its own memory. */
#ifndef OG_HTTP_HTTP_ADDRESS_H
#define OG_HTTP_HTTP_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

enum { HTTP_ADDRESS_CHARS = 46 };

/* An IPv4 address (also in its IPv6 form) or the first 64 bits of an IPv6 address, since one client
 * usually owns all of those. */
struct http_address {
    uint8_t bytes[16];
};
struct http_address http_address_of(const struct sockaddr_storage *socket_address);
/* "10.77.1.1", "::1"; an IPv4 address in IPv6 form is shown as IPv4; "?" for other families. */
void http_address_format(const struct sockaddr_storage *socket_address,
                         char out[HTTP_ADDRESS_CHARS]);

struct http_addresses;
struct http_addresses *http_addresses_new(void); /* NULL: no memory */
void http_addresses_free(struct http_addresses *addresses);
/* One more; returns the number now, or 0 when memory is short (nothing was counted). */
unsigned http_addresses_add(struct http_addresses *addresses, const struct http_address *address);
/* One less; the address must have been added. */
void http_addresses_remove(struct http_addresses *addresses, const struct http_address *address);

#endif
