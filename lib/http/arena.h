/* arena.h - memory that lives exactly as long as one request.
 *
 * Allocations are never freed one by one; arena_done() frees all of them in one call. An arena
 * refuses to grow above its limit, so that one request cannot take the machine's memory: then, and
 * when memory is short, the functions return NULL. Memory is aligned for any type. */
#ifndef OG_HTTP_ARENA_H
#define OG_HTTP_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t total_bytes, limit_bytes;
};

/* limit_bytes: most bytes handed out in sum, management included; nothing is allocated yet. */
void arena_init(struct arena *arena, size_t limit_bytes);
void arena_done(struct arena *arena); /* frees everything; the arena may be used again */
void *arena_alloc(struct arena *arena, size_t size_bytes);                /* not cleared */
void *arena_calloc(struct arena *arena, size_t count, size_t size_bytes); /* cleared */
char *arena_strndup(struct arena *arena, const char *text, size_t len_bytes);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* Appends to a NUL-terminated text of *len bytes that this arena made (text may be NULL with *len
 * 0); extends in place where it can. Returns the text, perhaps moved, or NULL (text stays valid).
 */
char *arena_append(struct arena *arena, char *text, size_t *len_bytes, const char *more,
                   size_t more_bytes);

#endif
