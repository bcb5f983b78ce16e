#include "gateway/events/event_index.h"

#include "lib/common/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct index_entry {
    TAILQ_ENTRY(index_entry) of_list;
    struct index_entry *next; /* of the same subscription */
    struct subscription *subscription;
    uint32_t packages;
    struct index_list *list;
    struct bucket *bucket; /* the list's, NULL for a package's list */
};

struct bucket { /* of one id */
    struct index_list entries;
    char id[];
};

void event_index_init(struct event_index *index)
{
    *index = (struct event_index){0};
    for (unsigned i = 0; i < EVENT_PACKAGE_COUNT; i++) {
        TAILQ_INIT(&index->everybody[i]);
        TAILQ_INIT(&index->listed[i]);
    }
}

void event_index_done(struct event_index *index)
{
    assert(index->by_id == NULL || map_count(index->by_id) == 0);
    map_free(index->by_id, NULL);
    index->by_id = NULL;
}

static struct bucket *bucket_of(struct event_index *index, const char *id)
{
    if (index->by_id == NULL)
        index->by_id = map_new();
    if (index->by_id == NULL)
        return NULL;
    struct bucket *bucket = map_get(index->by_id, id);
    if (bucket != NULL)
        return bucket;
    size_t size_bytes = strlen(id) + 1;
    bucket = calloc(1, sizeof(*bucket) + size_bytes);
    if (bucket == NULL)
        return NULL;
    TAILQ_INIT(&bucket->entries);
    memcpy(bucket->id, id, size_bytes);
    if (map_put(index->by_id, id, bucket, NULL) == 0)
        return bucket;
    free(bucket);
    return NULL;
}

static void drop_bucket_if_empty(struct event_index *index, struct bucket *bucket)
{
    if (!TAILQ_EMPTY(&bucket->entries))
        return;
    (void)map_remove(index->by_id, bucket->id);
    free(bucket);
}

/* Into the list, and in front of the subscription's own chain. */
static int add_entry(struct index_list *list, const struct index_entry *form,
                     struct index_entry **chain)
{
    struct index_entry *entry = malloc(sizeof(*entry));
    if (entry == NULL)
        return -ENOMEM;
    *entry = *form;
    entry->list = list;
    entry->next = *chain;
    *chain = entry;
    TAILQ_INSERT_TAIL(list, entry, of_list);
    return 0;
}

static int add_packages(struct index_list lists[EVENT_PACKAGE_COUNT], uint32_t packages,
                        struct subscription *subscription, struct index_entry **chain)
{
    int r = 0;
    for (unsigned i = 0; i < EVENT_PACKAGE_COUNT && r == 0; i++) {
        const struct index_entry form = {.subscription = subscription, .packages = 1u << i};
        if (packages & form.packages)
            r = add_entry(&lists[i], &form, chain);
    }
    return r;
}

static int add_ids(struct event_index *index, const struct filter *filter,
                   struct subscription *subscription, struct index_entry **chain)
{
    size_t count;
    const struct filter_id *ids = filter_ids(filter, &count);
    for (size_t i = 0; i < count; i++) {
        struct bucket *bucket = bucket_of(index, ids[i].id);
        if (bucket == NULL)
            return -ENOMEM;
        const struct index_entry form = {
            .subscription = subscription, .packages = ids[i].packages, .bucket = bucket};
        if (add_entry(&bucket->entries, &form, chain) < 0) {
            drop_bucket_if_empty(index, bucket);
            return -ENOMEM;
        }
    }
    return 0;
}

int event_index_add(struct event_index *index, struct subscription *subscription,
                    const struct filter *filter, struct index_entry **ret_entries)
{
    struct index_entry *chain = NULL;
    int r = add_packages(index->everybody, filter_everybody(filter), subscription, &chain);
    if (r == 0)
        r = add_packages(index->listed, filter_listed(filter), subscription, &chain);
    if (r == 0)
        r = add_ids(index, filter, subscription, &chain);
    if (r < 0) {
        event_index_remove(index, chain);
        return r;
    }
    *ret_entries = chain;
    return 0;
}

void event_index_remove(struct event_index *index, struct index_entry *entries)
{
    while (entries != NULL) {
        struct index_entry *entry = entries;
        entries = entry->next;
        TAILQ_REMOVE(entry->list, entry, of_list);
        if (entry->bucket != NULL)
            drop_bucket_if_empty(index, entry->bucket);
        free(entry);
    }
}

static void walk_list(const struct index_list *list, uint32_t package_bit,
                      void (*fn)(void *context, struct subscription *subscription), void *context)
{
    const struct index_entry *entry;
    TAILQ_FOREACH(entry, list, of_list)
    {
        if (entry->packages & package_bit)
            fn(context, entry->subscription);
    }
}

void event_index_walk(const struct event_index *index, enum event_package package, const char *id,
                      void (*fn)(void *context, struct subscription *subscription), void *context)
{
    uint32_t bit = 1u << package;
    walk_list(&index->everybody[package], bit, fn, context);
    if (id == NULL) {
        walk_list(&index->listed[package], bit, fn, context);
        return;
    }
    const struct bucket *bucket = index->by_id == NULL ? NULL : map_get(index->by_id, id);
    if (bucket != NULL)
        walk_list(&bucket->entries, bit, fn, context);
}
