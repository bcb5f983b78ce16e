/* map.h - hash map from text to pointer: constant time whatever the keys, since they are hashed
 * with SipHash-2-4 under a random key of the process (clients choose many of our keys). Keys are
 * copied; values are borrowed, except that map_free() can be given their free function. */
#ifndef OG_COMMON_MAP_H
#define OG_COMMON_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

struct map *map_new(void);                                  /* NULL: no memory or random numbers */
void map_free(struct map *map, void (*free_value)(void *)); /* map and function may be NULL */
size_t map_count(const struct map *map);
/* Sets key's value (not NULL); an earlier value goes to *ret_old, NULL if there was none (ret_old
 * may be NULL). 0 or -ENOMEM, then nothing changed. */
int map_put(struct map *map, const char *key, void *value, void **ret_old);
void *map_get(const struct map *map, const char *key); /* NULL when absent */
void *map_remove(struct map *map, const char *key);    /* the value it had; NULL when absent */

/* Walks all entries in no order: start with position 0, go on while it returns true. Removing
 * the entry just seen is allowed during the walk, any other change is not. ret_key and ret_value
 * may be NULL; the key is borrowed. */
bool map_next(const struct map *map, size_t *position, const char **ret_key, void **ret_value);

/* SipHash-2-4 (Aumasson, Bernstein 2012). */
uint64_t map_siphash(const uint8_t key[16], const void *data, size_t len_bytes);

#endif
