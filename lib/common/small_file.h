/* small_file.h - files that are read and written as a whole: settings, keys, certificates.
 *
 * Written beside their place, synced, renamed over it, folder synced: after a power cut there is
 * the old or the new content, never a part. They get their final mode and group before anybody can
 * see them under their name. BLOCKS: on the loop only at start. */
#ifndef OG_COMMON_SMALL_FILE_H
#define OG_COMMON_SMALL_FILE_H

#include "lib/common/diag.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads a regular file of at most max_bytes; *ret_text is NUL-terminated, free it with
 * small_file_free(). -EFBIG when it is larger, -EINVAL for what is no regular file. */
int small_file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len_bytes,
                    struct diag *diag);
/* The same for a file with secrets: -EPERM with advice when group or others have any right on it or
 * it belongs to somebody else than root or ourselves, -ELOOP for a symbolic link. */
int small_file_read_secret(const char *path, size_t max_bytes, char **ret_text,
                           size_t *ret_len_bytes, struct diag *diag);
void small_file_free(char *text, size_t len_bytes); /* wipes; NULL is fine */

struct small_file_mode {
    mode_t mode;
    const char *group; /* NULL: the process's own */
};
/* The folder must exist. 0, or the errno with what could not be written; -ENOENT also for a group
 * that does not exist. A symbolic link is replaced, not followed. */
int small_file_replace(const char *path, const void *bytes, size_t len_bytes,
                       const struct small_file_mode *how, struct diag *diag);
/* Only when content, mode or group differ: 1 written, 0 it was so already. */
int small_file_update(const char *path, const void *bytes, size_t len_bytes,
                      const struct small_file_mode *how, struct diag *diag);
/* Only when there is no such file yet: -EEXIST leaves it alone. */
int small_file_create(const char *path, const void *bytes, size_t len_bytes,
                      const struct small_file_mode *how, struct diag *diag);

#endif
