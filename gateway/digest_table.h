/* digest_table.h - hash table of things found by a SHA-256 digest, linked through a member of them.
 *
 * The keys are digests of secrets or of keyed text, hence evenly spread: their first bytes choose
 * the bucket, and nobody outside can aim at one. The table never owns what is linked. */
#ifndef OG_GATEWAY_DIGEST_TABLE_H
#define OG_GATEWAY_DIGEST_TABLE_H

#include "lib/common/secrets.h"

#include <stddef.h>
#include <stdint.h>

struct digest {
    uint8_t bytes[SECRETS_SHA256_BYTES];
};

struct digest_link { /* embedded in the thing; key is set by the caller before adding */
    struct digest_link *next;
    struct digest key;
};

struct digest_table { /* start it as {0} */
    struct digest_link **buckets;
    size_t bucket_count, count;
};

void digest_of_text(const char *text, struct digest *ret_digest);
/* 0, -EEXIST, or -ENOMEM. */
int digest_table_add(struct digest_table *table, struct digest_link *link);
struct digest_link *digest_table_find(const struct digest_table *table, const struct digest *key);
/* Harmless when the link is not in the table. */
void digest_table_remove(struct digest_table *table, struct digest_link *link);
void digest_table_done(struct digest_table *table);

/* The thing around a link. */
#define DIGEST_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

#endif
