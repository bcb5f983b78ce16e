#include "lib/common/common.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void common_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;
    free(*pointer);
    *pointer = NULL;
}

void common_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

uint64_t common_boot_ms(void)
{
    struct timespec now = {0};
    /* cannot fail: Linux has had this clock since 2.6.39 */
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
