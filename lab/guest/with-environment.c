/* with-environment.c - runs the program behind a kernel helper with the lab's two processor
 * variables set. The guest's kernel starts its helpers (modprobe; DRBD's drbdadm) with an
 * environment of its own, so nothing that init or systemd sets would reach them.
 *
 * Installed as /usr/lib/og-lab/NAME it runs /usr/sbin/NAME. Without the C library, since that
 * would already pick the string functions that these variables forbid.
 */
#include <asm/unistd_64.h>

enum { MAX_VARIABLES = 250 };
static const char prefix[] = "/usr/sbin/";
static const char glibc[] =
    "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD";
static const char openssl[] = "OPENSSL_ia32cap=:~0xd0230000";

static long system_call3(long number, const void *one, const void *two, const void *three)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(one), "S"(two), "d"(three)
                     : "rcx", "r11", "memory");
    return result;
}

/* stack: argc, argv[0..argc-1], NULL, envp[0..], NULL, as the kernel leaves it */
__attribute__((used, noreturn)) static void run(const void *const *stack)
{
    char path[64];
    const char *env[MAX_VARIABLES + 3];
    long argc = (long)stack[0];
    const void *const *argv = stack + 1;
    const void *const *envp = argv + argc + 1;
    unsigned used = 0;

    const char *self = argv[0];
    const char *name = self;
    for (; *self != '\0'; self++)
        if (*self == '/')
            name = self + 1;
    for (const char *p = prefix; *p != '\0'; p++)
        path[used++] = *p;
    while (*name != '\0' && used < sizeof(path) - 1)
        path[used++] = *name++;
    path[used] = '\0';

    unsigned count = 0;
    while (count < MAX_VARIABLES && envp[count] != 0) {
        env[count] = envp[count];
        count++;
    }
    env[count++] = glibc;
    env[count++] = openssl;
    env[count] = 0;

    (void)system_call3(__NR_execve, path, argv, env);
    for (;;)
        (void)system_call3(__NR_exit_group, (const void *)127, 0, 0);
}

__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall run\n");
