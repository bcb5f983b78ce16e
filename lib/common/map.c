/* Open addressing with linear probing; removal moves later entries back instead of leaving marks,
 * so a map that lives for months does not slow down. To make removal during a walk possible, the
 * walk goes from the last slot to the first: entries move towards slots already seen only when a
 * run wraps around, and map_next() therefore starts behind an empty slot. */
#include "lib/common/map.h"

#include "lib/common/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 16 }; /* a power of two, like all later sizes */

struct slot {
    char *key; /* NULL: empty */
    void *value;
    uint64_t hash;
};

struct map {
    struct slot *slots;
    size_t slot_count, count;
    uint8_t hash_key[16];
};

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = count; i-- > 0;)
        word = word << 8 | bytes[i];
    return word;
}

uint64_t map_siphash(const uint8_t key[16], const void *data, size_t len_bytes)
{
    const uint8_t *bytes = data;
    uint64_t k0 = little_endian(key, 8), k1 = little_endian(key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                     k1 ^ 0x7465646279746573};
    size_t left = len_bytes;
    for (; left >= 8; left -= 8, bytes += 8) {
        uint64_t word = little_endian(bytes, 8);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    uint64_t last = little_endian(bytes, left) | (uint64_t)len_bytes << 56;
    v[3] ^= last;
    sip_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct map *map_new(void)
{
    struct map *map = calloc(1, sizeof(*map));
    if (map == NULL)
        return NULL;
    map->slots = calloc(FIRST_SLOTS, sizeof(*map->slots));
    map->slot_count = FIRST_SLOTS;
    if (map->slots == NULL || secrets_random(map->hash_key, sizeof(map->hash_key)) < 0) {
        map_free(map, NULL);
        return NULL;
    }
    return map;
}

void map_free(struct map *map, void (*free_value)(void *))
{
    if (map == NULL)
        return;
    for (size_t i = 0; map->slots != NULL && i < map->slot_count; i++) {
        if (map->slots[i].key != NULL && free_value != NULL)
            free_value(map->slots[i].value);
        free(map->slots[i].key);
    }
    free(map->slots);
    free(map);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

/* The key's slot, or the empty one where it belongs. One slot at least is always empty. */
static struct slot *find_slot(const struct map *map, const char *key, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct slot *slot = &map->slots[at];
        if (slot->key == NULL || (slot->hash == hash && strcmp(slot->key, key) == 0))
            return slot;
    }
}

static int grow(struct map *map)
{
    struct map larger = *map;
    larger.slot_count = map->slot_count * 2;
    larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
    if (larger.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < map->slot_count; i++) {
        const struct slot *slot = &map->slots[i];
        if (slot->key != NULL)
            *find_slot(&larger, slot->key, slot->hash) = *slot;
    }
    free(map->slots);
    *map = larger;
    return 0;
}

int map_put(struct map *map, const char *key, void *value, void **ret_old)
{
    uint64_t hash = map_siphash(map->hash_key, key, strlen(key));
    struct slot *slot = find_slot(map, key, hash);
    void *old = slot->key != NULL ? slot->value : NULL;
    if (slot->key == NULL) {
        char *copy = strdup(key);
        if (copy == NULL)
            return -ENOMEM;
        /* two thirds full is where probing begins to cost */
        if ((map->count + 1) * 3 > map->slot_count * 2) {
            if (grow(map) < 0) {
                free(copy);
                return -ENOMEM;
            }
            slot = find_slot(map, key, hash);
        }
        slot->key = copy;
        slot->hash = hash;
        map->count++;
    }
    slot->value = value;
    if (ret_old != NULL)
        *ret_old = old;
    return 0;
}

void *map_get(const struct map *map, const char *key)
{
    return find_slot(map, key, map_siphash(map->hash_key, key, strlen(key)))->value;
}

/* Closes the gap at `hole`: each later entry of the run moves into it unless its own place lies
 * behind the hole. */
static void close_gap(struct map *map, size_t hole)
{
    size_t mask = map->slot_count - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].key != NULL; at = (at + 1) & mask) {
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = (struct slot){0};
}

void *map_remove(struct map *map, const char *key)
{
    struct slot *slot = find_slot(map, key, map_siphash(map->hash_key, key, strlen(key)));
    if (slot->key == NULL)
        return NULL;
    void *value = slot->value;
    free(slot->key);
    map->count--;
    close_gap(map, (size_t)(slot - map->slots));
    return value;
}

/* An empty slot: no run of entries goes across it. */
static size_t find_border(const struct map *map)
{
    size_t border = 0;
    while (map->slots[border].key != NULL)
        border++;
    return border;
}

bool map_next(const struct map *map, size_t *position, const char **ret_key, void **ret_value)
{
    size_t mask = map->slot_count - 1;
    /* *position is 0 at the start, else 1 + the distance walked down from the border, kept in the
     * low half beside the border in the high half: removals empty further slots, so the first
     * empty one may change during the walk. */
    size_t border = *position == 0 ? find_border(map) : *position >> 32;
    size_t walked = *position == 0 ? 0 : *position & 0xffffffff;
    while (walked < mask) {
        walked++;
        const struct slot *slot = &map->slots[(border - walked) & mask];
        if (slot->key == NULL)
            continue;
        *position = border << 32 | walked;
        if (ret_key != NULL)
            *ret_key = slot->key;
        if (ret_value != NULL)
            *ret_value = slot->value;
        return true;
    }
    return false;
}
