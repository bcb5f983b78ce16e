#include "lib/common/small_file.h"

#include "lib/common/common.h"
#include "lib/common/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, GROUP_TEXT_BYTES = 16384 };
static const gid_t NO_GROUP = (gid_t)-1;

/* --- reading ------------------------------------------------------------------------------------
 */

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

static int fail_path(struct diag *diag, int code, const char *path)
{
    return diag_fail(diag, code, "%s: cannot be read: %s", path, strerrordesc_np(-code));
}

static int check_secret(const struct stat *st, const char *path, struct diag *diag)
{
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return diag_fail(diag, -EPERM, "%s belongs to another user; chown root %s", path, path);
    if (st->st_mode & 077)
        return diag_fail(diag, -EPERM, "%s holds secrets, but others may use it; chmod 600 %s",
                         path, path);
    return 0;
}

struct wish {
    const char *path;
    size_t max_bytes;
    bool secret;
};

static int check_kind(const struct wish *wish, const struct stat *st, struct diag *diag)
{
    if (!S_ISREG(st->st_mode))
        return diag_fail(diag, -EINVAL, "%s is no regular file", wish->path);
    if (st->st_size < 0 || (size_t)st->st_size > wish->max_bytes)
        return diag_fail(diag, -EFBIG, "%s has more than %zu bytes", wish->path, wish->max_bytes);
    return wish->secret ? check_secret(st, wish->path, diag) : 0;
}

static int read_file(const struct wish *wish, char **ret_text, size_t *ret_len_bytes,
                     struct diag *diag)
{
    struct stat st;
    /* O_NONBLOCK: somebody may name a fifo */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (wish->secret ? O_NOFOLLOW : 0);
    AUTO(common_closep) int fd = open(wish->path, flags);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_path(diag, -errno, wish->path);
    int r = check_kind(wish, &st, diag);
    if (r < 0)
        return r;
    size_t size_bytes = (size_t)st.st_size, len_bytes = 0;
    char *text = malloc(size_bytes + 1);
    if (text == NULL)
        return diag_fail(diag, -ENOMEM, "no memory to read %s", wish->path);
    r = read_all(fd, text, size_bytes, &len_bytes);
    if (r < 0) {
        small_file_free(text, size_bytes);
        return fail_path(diag, r, wish->path);
    }
    text[len_bytes] = '\0';
    *ret_text = text;
    *ret_len_bytes = len_bytes;
    return 0;
}

int small_file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len_bytes,
                    struct diag *diag)
{
    const struct wish wish = {.path = path, .max_bytes = max_bytes};
    return read_file(&wish, ret_text, ret_len_bytes, diag);
}

int small_file_read_secret(const char *path, size_t max_bytes, char **ret_text,
                           size_t *ret_len_bytes, struct diag *diag)
{
    const struct wish wish = {.path = path, .max_bytes = max_bytes, .secret = true};
    return read_file(&wish, ret_text, ret_len_bytes, diag);
}

void small_file_free(char *text, size_t len_bytes)
{
    if (text == NULL)
        return;
    secrets_wipe(text, len_bytes);
    free(text);
}

/* --- writing ------------------------------------------------------------------------------------
 */

struct content {
    const char *bytes;
    size_t len_bytes;
    mode_t mode;
    gid_t group; /* NO_GROUP: the process's own */
};

static int find_group(const char *name, gid_t *ret_group)
{
    char text[GROUP_TEXT_BYTES];
    struct group entry, *found = NULL;
    *ret_group = NO_GROUP;
    if (name == NULL)
        return 0;
    int error = getgrnam_r(name, &entry, text, sizeof(text), &found);
    if (found == NULL)
        return error != 0 ? -error : -ENOENT;
    *ret_group = found->gr_gid;
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
    int len = slash == NULL ? 0 : (int)(slash - path);
    (void)snprintf(folder, sizeof(folder), "%.*s%s", len, path,
                   slash == NULL ? "."
                   : len == 0    ? "/"
                                 : "");
    AUTO(common_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The content under a name of its own, durable, with its mode; nothing is left on an error. */
static int write_beside(char *beside, const struct content *content)
{
    AUTO(common_closep) int fd = mkostemp(beside, O_CLOEXEC); /* 0600 until fchmod */
    if (fd < 0)
        return -errno;
    int r = write_all(fd, content->bytes, content->len_bytes);
    if (r == 0 && content->group != NO_GROUP && fchown(fd, (uid_t)-1, content->group) < 0)
        r = -errno;
    if (r == 0 && (fchmod(fd, content->mode) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r < 0)
        (void)unlink(beside);
    return r;
}

static int put(const char *path, const struct content *content, bool replace)
{
    char beside[PATH_BYTES];
    int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof(beside))
        return -ENAMETOOLONG;
    int r = write_beside(beside, content);
    if (r < 0)
        return r;
    /* link() refuses to replace, rename() does it atomically */
    if ((replace ? rename(beside, path) : link(beside, path)) < 0)
        r = -errno;
    if (r < 0 || !replace)
        (void)unlink(beside);
    return r < 0 ? r : sync_folder(path);
}

static bool is_there(const char *path, const struct content *content)
{
    char *text = NULL;
    size_t len_bytes = 0;
    struct stat st;
    if (lstat(path, &st) < 0 || (st.st_mode & 07777) != content->mode ||
        (content->group != NO_GROUP && st.st_gid != content->group) ||
        small_file_read(path, content->len_bytes, &text, &len_bytes, NULL) < 0)
        return false;
    bool same = S_ISREG(st.st_mode) && len_bytes == content->len_bytes &&
                memcmp(text, content->bytes, len_bytes) == 0;
    small_file_free(text, len_bytes);
    return same;
}

static int fail_write(struct diag *diag, int code, const char *path)
{
    return diag_fail(diag, code, "cannot write %s: %s", path, strerrordesc_np(-code));
}

int small_file_replace(const char *path, const void *bytes, size_t len_bytes,
                       const struct small_file_mode *how, struct diag *diag)
{
    struct content content = {.bytes = bytes, .len_bytes = len_bytes, .mode = how->mode};
    int r = find_group(how->group, &content.group);
    if (r == 0)
        r = put(path, &content, true);
    return r < 0 ? fail_write(diag, r, path) : 0;
}

int small_file_update(const char *path, const void *bytes, size_t len_bytes,
                      const struct small_file_mode *how, struct diag *diag)
{
    struct content content = {.bytes = bytes, .len_bytes = len_bytes, .mode = how->mode};
    int r = find_group(how->group, &content.group);
    if (r == 0 && is_there(path, &content))
        return 0;
    if (r == 0)
        r = put(path, &content, true);
    return r < 0 ? fail_write(diag, r, path) : 1;
}

int small_file_create(const char *path, const void *bytes, size_t len_bytes,
                      const struct small_file_mode *how, struct diag *diag)
{
    struct content content = {.bytes = bytes, .len_bytes = len_bytes, .mode = how->mode};
    int r = find_group(how->group, &content.group);
    if (r == 0)
        r = put(path, &content, false);
    return r < 0 ? fail_write(diag, r, path) : 0;
}
