/* preload.c - makes Debian's User-mode Linux kernel fit for the lab. Loaded with LD_PRELOAD into
 * linux.uml only; the guests' programs are not touched by it.
 *
 * 1. The kernel writes the floating point state of a guest process with a register set of the
 *    size that was usual when it was built. A processor with more state (AMX: 11008 bytes) refuses
 *    anything but a complete area, and the guest dies before its first program. ptrace() below
 *    completes such a write; the added part is in its initial state.
 * 2. A guest that reboots runs linux.uml anew in the same process with the old descriptors open,
 *    and its own network taps are then busy. They are closed when the program starts.
 * 3. A reboot by a watchdog comes from inside a signal handler. The new kernel would begin with
 *    that handler's signals blocked, never see its timer and hang. It gets a clean signal state.
 */
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    XSAVE_LEAF = 0xd,
    XSAVE_LEGACY_BYTES = 576, /* x87 and SSE part and the header: the least a valid area has */
    XSAVE_FEATURES_OFFSET = 512,
    XSAVE_MAX_BYTES = 65536,
};
/* Features whose state lies in the part the guest kernel knows: x87 ... AVX-512, PKRU. */
static const uint64_t xsave_known_features = 0x2ff;

typedef long ptrace_fn(int request, long pid, void *addr, void *data);

static struct {
    ptrace_fn *ptrace;
    size_t area_bytes; /* what this processor has; 0: not known, pass everything on */
    _Alignas(64) unsigned char area[XSAVE_MAX_BYTES];
} preload;

/* What the kernel before this one in the same process left: timers, pending and blocked signals. */
static void preload_clean_signals(void)
{
    const struct itimerval off = {0};
    sigset_t none;

    (void)setitimer(ITIMER_REAL, &off, NULL);
    (void)setitimer(ITIMER_VIRTUAL, &off, NULL);
    (void)setitimer(ITIMER_PROF, &off, NULL);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_IGN); /* drops what is pending */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
}

__attribute__((constructor)) static void preload_init(void)
{
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;

    /* memcpy: ISO C knows no conversion from an object to a function pointer */
    void *symbol = dlsym(RTLD_NEXT, "ptrace");
    memcpy(&preload.ptrace, &symbol, sizeof(symbol));
    if (__get_cpuid_count(XSAVE_LEAF, 0, &eax, &ebx, &ecx, &edx) && ebx <= XSAVE_MAX_BYTES)
        preload.area_bytes = ebx;
    if (strcmp(program_invocation_short_name, "linux.uml") != 0)
        return;
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    preload_clean_signals();
}

/* Only the kernel's main thread traces, so one static area is enough. */
long ptrace(enum __ptrace_request request, ...)
{
    va_list args;
    va_start(args, request);
    long pid = va_arg(args, long);
    void *addr = va_arg(args, void *);
    void *data = va_arg(args, void *);
    va_end(args);

    const struct iovec *given = data;
    if ((int)request != PTRACE_SETREGSET || (uintptr_t)addr != NT_X86_XSTATE ||
        given->iov_len < XSAVE_LEGACY_BYTES || given->iov_len >= preload.area_bytes)
        return preload.ptrace((int)request, pid, addr, data);

    uint64_t features;
    struct iovec whole = {.iov_base = preload.area, .iov_len = preload.area_bytes};
    memcpy(preload.area, given->iov_base, given->iov_len); /* the rest stays zero */
    memcpy(&features, preload.area + XSAVE_FEATURES_OFFSET, sizeof(features));
    features &= xsave_known_features;
    memcpy(preload.area + XSAVE_FEATURES_OFFSET, &features, sizeof(features));
    return preload.ptrace((int)request, pid, addr, &whole);
}
