#include "lib/http/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK_BYTES = 2048, LARGEST_BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used_bytes, cap_bytes;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_done(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    arena->blocks = NULL;
    arena->total_bytes = 0;
}

/* Blocks double up to a bound; a large wish gets a block of its own size. */
static struct arena_block *add_block(struct arena *arena, size_t size_bytes)
{
    size_t cap = FIRST_BLOCK_BYTES;
    if (arena->blocks != NULL && arena->blocks->cap_bytes < LARGEST_BLOCK_BYTES)
        cap = 2 * arena->blocks->cap_bytes;
    else if (arena->blocks != NULL)
        cap = LARGEST_BLOCK_BYTES;
    size_t room = arena->limit_bytes - arena->total_bytes;
    if (room < sizeof(struct arena_block) || size_bytes > room - sizeof(struct arena_block))
        return NULL;
    if (cap > room - sizeof(struct arena_block))
        cap = room - sizeof(struct arena_block);
    if (cap < size_bytes)
        cap = size_bytes;

    struct arena_block *block = malloc(sizeof(*block) + cap);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.next = arena->blocks, .cap_bytes = cap};
    arena->blocks = block;
    arena->total_bytes += sizeof(*block) + cap;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        return NULL;
    size_t align = alignof(max_align_t);
    struct arena_block *block = arena->blocks;
    size_t start = 0;
    if (block != NULL)
        start = (block->used_bytes + align - 1) / align * align;
    if (block == NULL || start > block->cap_bytes || size_bytes > block->cap_bytes - start) {
        block = add_block(arena, size_bytes);
        if (block == NULL)
            return NULL;
        start = 0;
    }
    block->used_bytes = start + size_bytes;
    return block->data + start;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size_bytes)
{
    if (size_bytes != 0 && count > SIZE_MAX / size_bytes)
        return NULL;
    void *memory = arena_alloc(arena, count * size_bytes);
    if (memory != NULL)
        memset(memory, 0, count * size_bytes);
    return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len_bytes)
{
    char *copy = len_bytes < SIZE_MAX ? arena_alloc(arena, len_bytes + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (len_bytes > 0)
        memcpy(copy, text, len_bytes);
    copy[len_bytes] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = len >= 0 ? arena_alloc(arena, (size_t)len + 1) : NULL;
    if (text != NULL)
        (void)vsnprintf(text, (size_t)len + 1, format, arguments);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

/* The text is the newest allocation and its block has room: no copy is needed. */
static char *extend_in_place(struct arena *arena, char *text, size_t len_bytes, const char *more,
                             size_t more_bytes)
{
    struct arena_block *block = arena->blocks;
    if (text == NULL || block == NULL || text + len_bytes + 1 != block->data + block->used_bytes ||
        more_bytes > block->cap_bytes - block->used_bytes)
        return NULL;
    memcpy(text + len_bytes, more, more_bytes);
    text[len_bytes + more_bytes] = '\0';
    block->used_bytes += more_bytes;
    return text;
}

char *arena_append(struct arena *arena, char *text, size_t *len_bytes, const char *more,
                   size_t more_bytes)
{
    if (more_bytes > SIZE_MAX / 4 || *len_bytes > SIZE_MAX / 4)
        return NULL;
    size_t len = *len_bytes;
    char *longer = extend_in_place(arena, text, len, more, more_bytes);
    if (longer == NULL) {
        longer = arena_alloc(arena, len + more_bytes + 1);
        if (longer == NULL)
            return NULL;
        if (len > 0)
            memcpy(longer, text, len);
        if (more_bytes > 0)
            memcpy(longer + len, more, more_bytes);
        longer[len + more_bytes] = '\0';
    }
    *len_bytes = len + more_bytes;
    return longer;
}
