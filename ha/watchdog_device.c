#include "ha/watchdog_device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <linux/watchdog.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "lib/common/common.h"

static const char software_identity[] = "Software Watchdog";

/* --- the real kernel ----------------------------------------------------------------------- */

static int real_open(void *context, const char *path)
{
    (void)context;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

static int real_get_identity(void *context, int fd, char *out, size_t cap_chars)
{
    (void)context;
    struct watchdog_info info = {0};
    if (ioctl(fd, WDIOC_GETSUPPORT, &info) < 0)
        return -errno;
    (void)snprintf(out, cap_chars, "%.*s", (int)sizeof(info.identity), (const char *)info.identity);
    return 0;
}

static int real_set_timeout(void *context, int fd, unsigned timeout_s)
{
    (void)context;
    int value = (int)timeout_s;
    return ioctl(fd, WDIOC_SETTIMEOUT, &value) < 0 ? -errno : 0;
}

static int real_get_timeout(void *context, int fd, unsigned *ret_timeout_s)
{
    (void)context;
    int value = 0;
    if (ioctl(fd, WDIOC_GETTIMEOUT, &value) < 0)
        return -errno;
    *ret_timeout_s = value > 0 ? (unsigned)value : 0;
    return 0;
}

static int real_kick(void *context, int fd)
{
    (void)context;
    return ioctl(fd, WDIOC_KEEPALIVE, 0) < 0 ? -errno : 0;
}

static void real_close(void *context, int fd, bool magic)
{
    (void)context;
    if (magic) {
        ssize_t written = write(fd, "V", 1);
        (void)written; /* a device without magic close goes on; the daemon says so at start */
    }
    (void)close(fd);
}

/* Runs at start only, before the loop: waiting for the tool is fine here. */
static int real_load_softdog(void *context, unsigned timeout_s)
{
    (void)context;
    char margin[32];
    (void)snprintf(margin, sizeof(margin), "soft_margin=%u", timeout_s);
    char tool[] = "modprobe", module[] = "softdog", stop[] = "nowayout=0";
    char *const arguments[] = {tool, module, margin, stop, NULL};
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = {path, NULL};

    pid_t pid = -1;
    int code = posix_spawnp(&pid, "/sbin/modprobe", NULL, NULL, arguments, environment);
    if (code != 0)
        return -code;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENODEV;
}

static void real_reset(void *context)
{
    (void)context;
    /* The plain system call: unlike the shell's reboot it syncs nothing and stops nothing. */
    (void)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART,
                  NULL);
    int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, "b", 1);
    (void)written; /* the device's time-out is the last resort */
    (void)close(fd);
}

const struct watchdog_kernel *watchdog_kernel_real(void)
{
    static const struct watchdog_kernel real = {
        .open = real_open,
        .get_identity = real_get_identity,
        .set_timeout = real_set_timeout,
        .get_timeout = real_get_timeout,
        .kick = real_kick,
        .close = real_close,
        .load_softdog = real_load_softdog,
        .reset = real_reset,
        .class_folder = "/sys/class/watchdog",
    };
    return &real;
}

/* --- choosing ------------------------------------------------------------------------------ */

static bool says_software(const char *identity)
{
    return strncmp(identity, software_identity, sizeof(software_identity) - 1) == 0;
}

static bool read_identity_file(const char *class_folder, const char *name, char *out,
                               size_t cap_chars)
{
    char path[512];
    int len = snprintf(path, sizeof(path), "%s/%s/identity", class_folder, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool read = fgets(out, (int)cap_chars, file) != NULL;
    (void)fclose(file);
    if (read)
        out[strcspn(out, "\n")] = '\0';
    return read;
}

static int by_preference(const void *left, const void *right)
{
    const struct watchdog_candidate *a = left, *b = right;
    if (a->software != b->software)
        return a->software ? 1 : -1;
    return a->number < b->number ? -1 : a->number > b->number;
}

unsigned watchdog_candidates_list(const char *class_folder,
                                  struct watchdog_candidate out[WATCHDOG_CANDIDATES_MAX])
{
    DIR *folder = opendir(class_folder);
    if (folder == NULL)
        return 0;
    unsigned count = 0;
    static const char prefix[] = "watchdog";
    for (struct dirent *entry = readdir(folder); entry != NULL && count < WATCHDOG_CANDIDATES_MAX;
         entry = readdir(folder)) {
        const char *digits = entry->d_name + sizeof(prefix) - 1;
        if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) != 0 || digits[0] < '0' ||
            digits[0] > '9')
            continue;
        char *end = NULL;
        unsigned long number = strtoul(digits, &end, 10);
        if (*end != '\0' || number > 1000)
            continue;
        struct watchdog_candidate *candidate = &out[count++];
        char identity[WATCHDOG_TEXT_CHARS] = "";
        /* A kernel that does not show the identity: taken for hardware, asked again when open. */
        (void)read_identity_file(class_folder, entry->d_name, identity, sizeof(identity));
        candidate->number = (unsigned)number;
        candidate->software = says_software(identity);
        (void)snprintf(candidate->path, sizeof(candidate->path), "/dev/watchdog%lu", number);
    }
    (void)closedir(folder);
    qsort(out, count, sizeof(out[0]), by_preference);
    return count;
}

/* --- arming -------------------------------------------------------------------------------- */

static int open_one(const struct watchdog_kernel *kernel, const char *path, unsigned timeout_s,
                    struct watchdog_device *ret_device, struct diag *diag)
{
    struct watchdog_device device = {.fd = kernel->open(kernel->context, path)};
    if (device.fd < 0)
        return diag_fail(diag, device.fd, "watchdog %s: cannot open it: %s%s", path,
                         uv_strerror(device.fd),
                         device.fd == -EBUSY ? " (another program holds it)" : "");
    (void)snprintf(device.path, sizeof(device.path), "%s", path);
    if (kernel->get_identity(kernel->context, device.fd, device.identity, sizeof(device.identity)) <
        0)
        (void)snprintf(device.identity, sizeof(device.identity), "unknown");
    device.software = says_software(device.identity);

    int code = kernel->set_timeout(kernel->context, device.fd, timeout_s);
    if (code == 0)
        code = kernel->get_timeout(kernel->context, device.fd, &device.timeout_s);
    /* A shorter time than asked is safe since we kick ten times a second; a longer one breaks the
     * waiting time of the other node. */
    if (code == 0 && (device.timeout_s == 0 || device.timeout_s > timeout_s))
        code = -ERANGE;
    if (code < 0) {
        kernel->close(kernel->context, device.fd, true);
        return diag_fail(diag, code, "watchdog %s (%s) does not take a time-out of %u s: %s", path,
                         device.identity, timeout_s, uv_strerror(code));
    }
    *ret_device = device;
    return 0;
}

static int open_best(const struct watchdog_kernel *kernel, unsigned timeout_s,
                     struct watchdog_device *ret_device, struct diag *diag)
{
    struct watchdog_candidate candidates[WATCHDOG_CANDIDATES_MAX];
    unsigned count = watchdog_candidates_list(kernel->class_folder, candidates);
    int code = -ENODEV;
    for (unsigned i = 0; i < count; i++) {
        code = open_one(kernel, candidates[i].path, timeout_s, ret_device, diag);
        if (code == 0)
            return 0;
    }
    return code;
}

static bool softdog_listed(const struct watchdog_kernel *kernel)
{
    struct watchdog_candidate candidates[WATCHDOG_CANDIDATES_MAX];
    unsigned count = watchdog_candidates_list(kernel->class_folder, candidates);
    for (unsigned i = 0; i < count; i++)
        if (candidates[i].software)
            return true;
    return false;
}

int watchdog_device_open(const struct watchdog_kernel *kernel, const char *path, unsigned timeout_s,
                         struct watchdog_device *ret_device, struct diag *diag)
{
    if (path != NULL)
        return open_one(kernel, path, timeout_s, ret_device, diag);
    int code = open_best(kernel, timeout_s, ret_device, diag);
    if (code == 0 || softdog_listed(kernel))
        return code;

    int load = kernel->load_softdog(kernel->context, timeout_s);
    if (load < 0 && code == -ENODEV)
        return diag_fail(diag, -ENODEV,
                         "this machine has no watchdog and softdog cannot be loaded: %s",
                         uv_strerror(load));
    /* udev may need a moment to create the device file */
    for (int i = 0; i < 40; i++) {
        code = open_best(kernel, timeout_s, ret_device, diag);
        if (code == 0 || load < 0 || (code != -ENODEV && code != -ENOENT))
            return code;
        (void)usleep(50 * 1000);
    }
    return code == -ENODEV
               ? diag_fail(diag, code, "softdog is loaded but no watchdog device has appeared")
               : code;
}
