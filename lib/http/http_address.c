#include "lib/http/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, PREFIX_BYTES = 8, V4_AT = 12, V4_BYTES = 4 };

struct entry {
    struct entry *next;
    struct http_address address;
    unsigned count;
};
struct http_addresses {
    struct entry *buckets[BUCKETS];
};

static const uint8_t mapped_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};

struct http_address http_address_of(const struct sockaddr_storage *socket_address)
{
    struct http_address address = {{0}};
    if (socket_address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)socket_address;
        memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
        memcpy(address.bytes + V4_AT, &v4->sin_addr, V4_BYTES);
    } else if (socket_address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)socket_address;
        size_t kept = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? sizeof(address.bytes) : PREFIX_BYTES;
        memcpy(address.bytes, &v6->sin6_addr, kept);
    }
    return address;
}

void http_address_format(const struct sockaddr_storage *socket_address,
                         char out[HTTP_ADDRESS_CHARS])
{
    const char *text = NULL;
    if (socket_address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)socket_address;
        text = inet_ntop(AF_INET, &v4->sin_addr, out, HTTP_ADDRESS_CHARS);
    } else if (socket_address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)socket_address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            text = inet_ntop(AF_INET, v6->sin6_addr.s6_addr + V4_AT, out, HTTP_ADDRESS_CHARS);
        else
            text = inet_ntop(AF_INET6, &v6->sin6_addr, out, HTTP_ADDRESS_CHARS);
    }
    if (text == NULL)
        (void)snprintf(out, HTTP_ADDRESS_CHARS, "?");
}

struct http_addresses *http_addresses_new(void)
{
    return calloc(1, sizeof(struct http_addresses));
}

void http_addresses_free(struct http_addresses *addresses)
{
    if (addresses == NULL)
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct entry *entry = addresses->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free(entry);
        }
    free(addresses);
}

/* The link that points at the entry, or at the NULL where it would stand. */
static struct entry **find(struct http_addresses *addresses, const struct http_address *address)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (unsigned i = 0; i < sizeof(address->bytes); i++)
        hash = (hash ^ address->bytes[i]) * 16777619u;
    struct entry **link = &addresses->buckets[(hash ^ (hash >> 16)) % BUCKETS];
    while (*link != NULL && memcmp(&(*link)->address, address, sizeof(*address)) != 0)
        link = &(*link)->next;
    return link;
}

unsigned http_addresses_add(struct http_addresses *addresses, const struct http_address *address)
{
    struct entry **link = find(addresses, address);
    if (*link == NULL) {
        *link = calloc(1, sizeof(**link));
        if (*link == NULL)
            return 0;
        (*link)->address = *address;
    }
    return ++(*link)->count;
}

void http_addresses_remove(struct http_addresses *addresses, const struct http_address *address)
{
    struct entry **link = find(addresses, address);
    struct entry *entry = *link;
    if (entry == NULL || --entry->count > 0)
        return;
    *link = entry->next;
    free(entry);
}
