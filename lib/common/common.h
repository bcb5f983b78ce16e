/* common.h - the few words that every room uses, and the way round this folder.
 *
 * lib/common holds what two or more rooms need and depends on none of them. Nothing in it decides
 * anything about the product; it has no state at file scope but the log's levels. In reading order:
 *
 *   common, diag, banned    words, error texts, calls that do not compile here
 *   buf, utf8, map          growing text, well-formed text, text -> pointer
 *   log (log_text)          journal and terminal; nothing in it waits
 *   timer, child (launch)   the event loop's clock, other programs
 *   pg (pg_statement)       PostgreSQL without blocking
 *   json (json_check), xml  outside text under limits
 *   small_file, log_limit   files as a whole; log lines that others provoke
 *   secrets, tls            random ids, passwords, codes; TLS on the loop
 *   rtnl                    addresses, routes, links by netlink
 */
#ifndef OG_COMMON_COMMON_H
#define OG_COMMON_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* AUTO(fn) frees a variable at the end of its scope; TAKE(p) hands its value on and leaves NULL. */
#define AUTO(fn) __attribute__((cleanup(fn)))
#define TAKE(pointer)                                                                              \
    (__extension__({                                                                               \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    }))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Defines type##_freep for AUTO(). */
#define DEFINE_FREEP(name, type, free_fn)                                                          \
    static inline void name(type *pointer)                                                         \
    {                                                                                              \
        if (*pointer != NULL)                                                                      \
            free_fn(*pointer);                                                                     \
    }

void common_freep(void *pointer_to_pointer); /* AUTO(common_freep) char *text = …; */
void common_closep(int *fd);                 /* AUTO(common_closep) int fd = -1; */

/* CLOCK_BOOTTIME in ms: goes on while the machine sleeps, never jumps. */
uint64_t common_boot_ms(void);

#endif
