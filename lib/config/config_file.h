/* config_file.h - files that must be whole or not there, and secret ones that others must not read. */
#ifndef OG_CONFIG_CONFIG_FILE_H
#define OG_CONFIG_CONFIG_FILE_H

#include "lib/common/diag.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads a regular file of at most max_bytes; *ret_text is NUL-terminated, free it with
 * config_file_free(). -EFBIG when larger. */
int config_file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len_bytes,
                     struct diag *diag);
void config_file_free(char *text, size_t len_bytes); /* wipes; NULL is fine */

/* -EPERM with advice when group or others have any right on the file, or it is not ours. */
int config_file_check_private(const char *path, struct diag *diag);

/* Writes beside it, fsyncs, renames over it, fsyncs the folder: after a power cut there is the old or
 * the new content. The folder must exist. */
int config_file_replace(const char *path, const void *bytes, size_t len_bytes, mode_t mode,
                        struct diag *diag);
/* The same for a file that must not be there yet: -EEXIST leaves it alone. */
int config_file_create(const char *path, const void *bytes, size_t len_bytes, mode_t mode,
                       struct diag *diag);

#endif
