#include "gateway/digest_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 64 }; /* a power of two, like every later size */

void digest_of_text(const char *text, struct digest *ret_digest)
{
    secrets_sha256(text, strlen(text), ret_digest->bytes);
}

static size_t bucket_of(const struct digest *key, size_t bucket_count)
{
    size_t number;
    memcpy(&number, key->bytes, sizeof(number));
    return number & (bucket_count - 1);
}

static int grow(struct digest_table *table)
{
    size_t new_count = table->bucket_count == 0 ? BUCKETS_FIRST : table->bucket_count * 2;
    struct digest_link **buckets = calloc(new_count, sizeof(struct digest_link *));
    if (buckets == NULL)
        return -ENOMEM;

    for (size_t i = 0; i < table->bucket_count; i++) {
        struct digest_link *link = table->buckets[i];
        while (link != NULL) {
            struct digest_link *next = link->next;
            size_t at = bucket_of(&link->key, new_count);
            link->next = buckets[at];
            buckets[at] = link;
            link = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = new_count;
    return 0;
}

struct digest_link *digest_table_find(const struct digest_table *table, const struct digest *key)
{
    if (table->bucket_count == 0)
        return NULL;
    struct digest_link *link = table->buckets[bucket_of(key, table->bucket_count)];
    while (link != NULL && memcmp(&link->key, key, sizeof(*key)) != 0)
        link = link->next;
    return link;
}

int digest_table_add(struct digest_table *table, struct digest_link *link)
{
    if (digest_table_find(table, &link->key) != NULL)
        return -EEXIST;
    if (table->count >= table->bucket_count) {
        int r = grow(table);
        if (r < 0)
            return r;
    }
    size_t at = bucket_of(&link->key, table->bucket_count);
    link->next = table->buckets[at];
    table->buckets[at] = link;
    table->count++;
    return 0;
}

void digest_table_remove(struct digest_table *table, struct digest_link *link)
{
    if (table->bucket_count == 0)
        return;
    struct digest_link **place = &table->buckets[bucket_of(&link->key, table->bucket_count)];
    while (*place != NULL && *place != link)
        place = &(*place)->next;
    if (*place == NULL)
        return;
    *place = link->next;
    link->next = NULL;
    table->count--;
}

void digest_table_done(struct digest_table *table)
{
    free(table->buckets);
    *table = (struct digest_table){0};
}
