/* watchdog_device.h - the watchdog device: choosing, arming, kicking, closing.
 *
 * Choice without a configured path: the devices of /sys/class/watchdog, a hardware one before softdog
 * (whose identity is "Software Watchdog"), lower numbers first. Only that folder counts: a file
 * /dev/watchdog alone may belong to something else. No device: softdog is loaded, then we look again. */
#ifndef OG_HA_WATCHDOG_DEVICE_H
#define OG_HA_WATCHDOG_DEVICE_H

#include "ha/watchdog.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>

/* Everything that touches the kernel; tests put their own functions here. int: 0 or -errno. */
struct watchdog_kernel {
    int (*open)(void *context, const char *path); /* a descriptor or -errno */
    int (*get_identity)(void *context, int fd, char *out, size_t cap_chars);
    int (*set_timeout)(void *context, int fd, unsigned timeout_s);
    int (*get_timeout)(void *context, int fd, unsigned *ret_timeout_s);
    int (*kick)(void *context, int fd);
    void (*close)(void *context, int fd, bool magic); /* magic: the device stops */
    int (*load_softdog)(void *context, unsigned timeout_s);
    void (*reset)(void *context); /* reboot(2), then sysrq b */
    const char *class_folder;     /* "/sys/class/watchdog" */
    void *context;
};
const struct watchdog_kernel *watchdog_kernel_real(void);

enum { WATCHDOG_CANDIDATES_MAX = 16 };
struct watchdog_candidate {
    char path[WATCHDOG_TEXT_CHARS]; /* "/dev/watchdog1" */
    bool software;
    unsigned number;
};
/* Lists the class folder in order of preference; returns the count (0: none). */
unsigned watchdog_candidates_list(const char *class_folder,
                                  struct watchdog_candidate out[WATCHDOG_CANDIDATES_MAX]);

struct watchdog_device {
    int fd;
    char path[WATCHDOG_TEXT_CHARS], identity[WATCHDOG_TEXT_CHARS];
    unsigned timeout_s;
    bool software;
};
/* Opens, arms and checks a device. path NULL: choose. See watchdog_new() for the errors. */
int watchdog_device_open(const struct watchdog_kernel *kernel, const char *path, unsigned timeout_s,
                         struct watchdog_device *ret_device, struct diag *diag);

/* watchdog_new() with another kernel. */
int watchdog_new_with(const struct watchdog_kernel *kernel, const struct watchdog_options *options,
                      struct watchdog **ret_watchdog, struct diag *diag);

#endif
