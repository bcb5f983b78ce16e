#include "lib/config/config_file.h"

#include "lib/common/common.h"
#include "lib/common/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static int read_all(int fd, char *out, size_t max_bytes, size_t *ret_len_bytes)
{
    size_t used = 0;
    while (used < max_bytes) {
        ssize_t got = read(fd, out + used, max_bytes - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    *ret_len_bytes = used;
    return 0;
}

int config_file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len_bytes,
                     struct diag *diag)
{
    struct stat st;
    /* O_NONBLOCK: somebody may name a fifo */
    AUTO(common_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return diag_fail(diag, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        return diag_fail(diag, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return diag_fail(diag, -EINVAL, "%s is no regular file", path);
    if (st.st_size < 0 || (size_t)st.st_size > max_bytes)
        return diag_fail(diag, -EFBIG, "%s has more than %zu bytes", path, max_bytes);

    size_t cap_bytes = (size_t)st.st_size + 1, len_bytes = 0;
    char *text = malloc(cap_bytes);
    if (text == NULL)
        return diag_fail(diag, -ENOMEM, "no memory to read %s", path);
    int r = read_all(fd, text, cap_bytes - 1, &len_bytes);
    if (r < 0) {
        free(text);
        return diag_fail(diag, r, "%s: %s", path, strerror(-r));
    }
    text[len_bytes] = '\0';
    *ret_text = text;
    *ret_len_bytes = len_bytes;
    return 0;
}

void config_file_free(char *text, size_t len_bytes)
{
    if (text == NULL)
        return;
    secrets_wipe(text, len_bytes);
    free(text);
}

int config_file_check_private(const char *path, struct diag *diag)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return diag_fail(diag, -errno, "%s: %s", path, strerror(errno));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return diag_fail(diag, -EPERM, "%s belongs to another user; chown root %s", path, path);
    if (st.st_mode & 077)
        return diag_fail(diag, -EPERM, "%s holds secrets, but others may use it; chmod 600 %s",
                         path, path);
    return 0;
}

static int write_all(int fd, const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t put = write(fd, bytes, len_bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        bytes += put;
        len_bytes -= (size_t)put;
    }
    return 0;
}

static int sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len >= sizeof(folder))
        return -ENAMETOOLONG;
    (void)snprintf(folder, sizeof(folder), "%.*s%s", (int)len, path,
                   slash == NULL ? "."
                   : len == 0    ? "/"
                                 : "");
    AUTO(common_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

/* The new content under a name of its own, durable, with its mode. */
static int write_beside(char *beside, const void *bytes, size_t len_bytes, mode_t mode)
{
    AUTO(common_closep) int fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 until fchmod */
    if (fd < 0)
        return -errno;
    int r = write_all(fd, bytes, len_bytes);
    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r < 0)
        (void)unlink(beside);
    return r;
}

static int put(const char *path, const void *bytes, size_t len_bytes, mode_t mode, bool replace,
               struct diag *diag)
{
    char beside[PATH_BYTES];
    int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof(beside))
        return diag_fail(diag, -ENAMETOOLONG, "the path %.60s... is too long", path);
    int r = write_beside(beside, bytes, len_bytes, mode);
    if (r == 0) {
        /* link() refuses to replace, rename() does it atomically */
        if ((replace ? rename(beside, path) : link(beside, path)) < 0)
            r = -errno;
        if (r < 0 || !replace)
            (void)unlink(beside);
    }
    if (r == 0)
        r = sync_folder(path);
    return r < 0 ? diag_fail(diag, r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

int config_file_replace(const char *path, const void *bytes, size_t len_bytes, mode_t mode,
                        struct diag *diag)
{
    return put(path, bytes, len_bytes, mode, true, diag);
}

int config_file_create(const char *path, const void *bytes, size_t len_bytes, mode_t mode,
                       struct diag *diag)
{
    return put(path, bytes, len_bytes, mode, false, diag);
}
