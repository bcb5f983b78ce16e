/* disk.c - gives the guest's disks a volatile write cache, as real disks have one.
 *
 * The kernel writes to the files behind its disks with pwrite(), and the host keeps such a write
 * even when the guest is killed in the same moment. A power cut in the lab would then be kinder
 * than a real one, and software that forgets to flush would pass. So writes stay in this process's
 * memory until the guest flushes, and die with it.
 *
 * A flush should reach us as fsync(), but this kernel (Linux 6.1, ubd_kern.c) hands its disk thread
 * a flush as a request without segments, and the thread has no work for each of no segments. So
 * read() below looks at the requests that the disk thread takes from its pipe. That needs the
 * layout of one structure of that kernel; LAB_WRITE_CACHE=1 says that it is the right kernel, and
 * without it there is no cache. The story "power-cut" proves both: flushed blocks survive, others
 * do not.
 *
 * Kept by the file's inode, in blocks; files whose names end in ".cow" or ".disk" have a cache. A
 * file's blocks are written out when the guest flushes or trims it or nobody has it open any more;
 * all of them when the cache is full, and when the guest resets itself or panics, since that leaves
 * a disk its power.
 *
 * The kernel's disk thread shares this memory with the main thread; a spin lock keeps them apart.
 * Nothing here allocates, as the C library does not know that thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 4096,
    BLOCKS = 8192,      /* 32 MiB, what a disk of today has */
    SLOTS = 4 * BLOCKS, /* of the hash table: never more than a quarter full */
    FILES = 8,
    DESCRIPTORS = 1024,
    SPINS_BEFORE_FORCE = 2000000,
};

struct disk_file {
    dev_t device;
    ino_t inode;
    int64_t end; /* bytes: where the file ends once everything is written out */
    bool used;
};

struct disk_block {
    int64_t number;
    uint8_t file;
    bool dirty;
};

static struct {
    ssize_t (*pread)(int, void *, size_t, off64_t);
    ssize_t (*pwrite)(int, const void *, size_t, off64_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
    ssize_t (*read)(int, void *, size_t);
    int (*open)(const char *, int, ...);
    int (*close)(int);
    int (*fallocate)(int, int, off64_t, off64_t);
    int (*execv)(const char *, char *const[]);
    int (*execvp)(const char *, char *const[]);
    int (*kill)(pid_t, int);

    bool enabled;
    pid_t main_thread;
    atomic_flag lock;
    uint8_t file_of[DESCRIPTORS]; /* index + 1 into files; 0: no disk of ours */
    struct disk_file files[FILES];
    unsigned used; /* blocks; the clean ones are given back when all are used */
    struct disk_block blocks[BLOCKS];
    uint16_t slots[SLOTS]; /* block index + 1 */
    unsigned char data[BLOCKS][BLOCK_BYTES];
} disk = {.lock = ATOMIC_FLAG_INIT};

static void find(const char *name, void *place)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(place, &symbol, sizeof(symbol));
}

__attribute__((constructor)) static void disk_init(void)
{
    find("pread64", &disk.pread);
    find("pwrite64", &disk.pwrite);
    find("fsync", &disk.fsync);
    find("fdatasync", &disk.fdatasync);
    find("read", &disk.read);
    find("open64", &disk.open);
    find("close", &disk.close);
    find("fallocate64", &disk.fallocate);
    find("execv", &disk.execv);
    find("execvp", &disk.execvp);
    find("kill", &disk.kill);
    const char *wanted = getenv("LAB_WRITE_CACHE");
    disk.enabled = wanted != NULL && strcmp(wanted, "1") == 0;
    disk.main_thread = getpid();
}

/* The disk thread may have been killed with the lock in its hand, when the guest resets itself. */
static void disk_lock(void)
{
    unsigned spins = 0;
    while (atomic_flag_test_and_set(&disk.lock)) {
        if (++spins == SPINS_BEFORE_FORCE)
            return;
        (void)sched_yield();
    }
}

static void disk_unlock(void)
{
    atomic_flag_clear(&disk.lock);
}

static int file_index(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? disk.file_of[fd] - 1 : -1;
}

static unsigned first_slot(int file, int64_t number)
{
    uint64_t hash = ((uint64_t)number * FILES + (uint64_t)file) * 0x9e3779b97f4a7c15U;
    return (unsigned)(hash >> 40) % SLOTS;
}

/* The block's index, or -1. The slot where it is or would be comes back. */
static int block_find(int file, int64_t number, unsigned *ret_slot)
{
    unsigned slot = first_slot(file, number);
    while (disk.slots[slot] != 0) {
        const struct disk_block *block = &disk.blocks[disk.slots[slot] - 1];
        if (block->file == file && block->number == number)
            break;
        slot = (slot + 1) % SLOTS;
    }
    *ret_slot = slot;
    return disk.slots[slot] - 1;
}

/* Writes what belongs to the file out through fd. 0 or -errno. */
static int write_out_file(int file, int fd)
{
    int result = 0;
    for (unsigned i = 0; i < disk.used; i++) {
        struct disk_block *block = &disk.blocks[i];
        int64_t offset = block->number * BLOCK_BYTES;
        if (block->file != file || !block->dirty)
            continue;
        int64_t length = disk.files[file].end - offset;
        if (length > BLOCK_BYTES)
            length = BLOCK_BYTES;
        if (length > 0 && disk.pwrite(fd, disk.data[i], (size_t)length, offset) != length)
            result = errno != 0 ? -errno : -EIO;
        else
            block->dirty = false;
    }
    return result;
}

/* Everything of every file that is open, and the cache is empty again if that worked. */
static int write_out_all(void)
{
    int result = 0;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (file_index(fd) >= 0) {
            int r = write_out_file(file_index(fd), fd);
            if (r < 0)
                result = r;
        }
    for (unsigned i = 0; i < disk.used; i++)
        if (disk.blocks[i].dirty)
            return result < 0 ? result : -EIO; /* could not be written out: it must stay */
    disk.used = 0;
    memset(disk.slots, 0, sizeof(disk.slots));
    return result;
}

/* Forgets the blocks that are written out already. */
static void drop_clean_blocks(void)
{
    unsigned kept = 0;
    memset(disk.slots, 0, sizeof(disk.slots));
    for (unsigned i = 0; i < disk.used; i++) {
        unsigned slot;
        if (!disk.blocks[i].dirty)
            continue;
        if (kept != i) {
            disk.blocks[kept] = disk.blocks[i];
            memcpy(disk.data[kept], disk.data[i], BLOCK_BYTES);
        }
        (void)block_find(disk.blocks[kept].file, disk.blocks[kept].number, &slot);
        disk.slots[slot] = (uint16_t)++kept;
    }
    disk.used = kept;
}

/* The index of a block that may be written to, its old content in it; or -errno. */
static int block_take(int file, int fd, int64_t number)
{
    unsigned slot;
    int index = block_find(file, number, &slot);
    if (index >= 0)
        return index;
    if (disk.used == BLOCKS) {
        drop_clean_blocks();
        int r = disk.used > BLOCKS * 3 / 4 ? write_out_all() : 0;
        if (r < 0)
            return r;
        (void)block_find(file, number, &slot);
    }
    index = (int)disk.used;
    ssize_t got = disk.pread(fd, disk.data[index], BLOCK_BYTES, number * BLOCK_BYTES);
    if (got < 0)
        return -errno;
    memset(disk.data[index] + got, 0, BLOCK_BYTES - (size_t)got);
    disk.blocks[index] = (struct disk_block){.number = number, .file = (uint8_t)file};
    disk.used++;
    disk.slots[slot] = (uint16_t)(index + 1);
    return index;
}

static ssize_t cached_write(int file, int fd, const unsigned char *from, size_t length,
                            int64_t offset)
{
    size_t done = 0;
    while (done < length) {
        int64_t at = offset + (int64_t)done;
        size_t inside = (size_t)(at % BLOCK_BYTES);
        size_t part = BLOCK_BYTES - inside;
        if (part > length - done)
            part = length - done;
        int index = block_take(file, fd, at / BLOCK_BYTES);
        if (index < 0) {
            errno = -index;
            return done > 0 ? (ssize_t)done : -1;
        }
        memcpy(disk.data[index] + inside, from + done, part);
        disk.blocks[index].dirty = true;
        done += part;
        if (at + (int64_t)part > disk.files[file].end)
            disk.files[file].end = at + (int64_t)part;
    }
    return (ssize_t)done;
}

/* Reads the file, then lays the cached blocks over what was read. */
static ssize_t cached_read(int file, int fd, unsigned char *to, size_t length, int64_t offset)
{
    ssize_t got = disk.pread(fd, to, length, offset);
    if (got < 0)
        return got;
    int64_t known = disk.files[file].end - offset;
    if (known > (int64_t)length)
        known = (int64_t)length;
    if (known > got) { /* cached beyond the present end of the file */
        memset(to + got, 0, (size_t)(known - got));
        got = (ssize_t)known;
    }
    for (int64_t number = offset / BLOCK_BYTES; number * BLOCK_BYTES < offset + got; number++) {
        unsigned slot;
        int index = block_find(file, number, &slot);
        if (index < 0)
            continue;
        int64_t begin = number * BLOCK_BYTES;
        int64_t from = begin > offset ? begin : offset;
        int64_t end = begin + BLOCK_BYTES;
        if (end > offset + got)
            end = offset + got;
        memcpy(to + (from - offset), disk.data[index] + (from - begin), (size_t)(end - from));
    }
    return got;
}

static bool is_disk(const char *path)
{
    size_t length = strlen(path);
    return (length > 4 && strcmp(path + length - 4, ".cow") == 0) ||
           (length > 5 && strcmp(path + length - 5, ".disk") == 0);
}

static void remember(int fd)
{
    struct stat status;
    if (fd < 0 || fd >= DESCRIPTORS || fstat(fd, &status) != 0)
        return;
    disk_lock();
    for (int i = 0; i < FILES; i++) {
        struct disk_file *file = &disk.files[i];
        if (!file->used)
            *file =
                (struct disk_file){.device = status.st_dev, .inode = status.st_ino, .used = true};
        if (file->device != status.st_dev || file->inode != status.st_ino)
            continue;
        if (status.st_size > file->end)
            file->end = status.st_size;
        disk.file_of[fd] = (uint8_t)(i + 1);
        break;
    }
    disk_unlock();
}

static int open_any(const char *path, int flags, mode_t mode)
{
    int fd = disk.open(path, flags, mode);
    if (fd >= 0 && disk.enabled && is_disk(path))
        remember(fd);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_any(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_any(path, flags, mode);
}

int close(int fd)
{
    int file = file_index(fd);
    if (file >= 0) {
        disk_lock();
        disk.file_of[fd] = 0;
        bool open_elsewhere = false;
        for (int other = 0; other < DESCRIPTORS; other++)
            open_elsewhere |= file_index(other) == file;
        if (!open_elsewhere)
            (void)write_out_file(file, fd);
        disk_unlock();
    }
    return disk.close(fd);
}

ssize_t pread64(int fd, void *to, size_t length, off64_t offset)
{
    int file = file_index(fd);
    if (file < 0)
        return disk.pread(fd, to, length, offset);
    disk_lock();
    ssize_t result = cached_read(file, fd, to, length, offset);
    disk_unlock();
    return result;
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t offset)
{
    int file = file_index(fd);
    if (file < 0)
        return disk.pwrite(fd, from, length, offset);
    disk_lock();
    ssize_t result = cached_write(file, fd, from, length, offset);
    disk_unlock();
    return result;
}

static int flush(int fd, int (*real)(int))
{
    int r = 0;
    int file = file_index(fd);
    if (file >= 0) {
        disk_lock();
        r = write_out_file(file, fd);
        disk_unlock();
    }
    if (r < 0) {
        errno = -r;
        return -1;
    }
    return real(fd);
}

int fsync(int fd)
{
    return flush(fd, disk.fsync);
}

int fdatasync(int fd)
{
    return flush(fd, disk.fdatasync);
}

/* The head of struct io_thread_req of Linux 6.1, arch/um/drivers/ubd_kern.c. */
struct ubd_request {
    void *request;
    int fds[2]; /* the disk's file twice; with an overlay: its base and itself */
    unsigned long offsets[2];
    unsigned long long offset;
    int sector_bytes;
    int error;
    int segments; /* 0: a flush */
};

static void note_request(void *address)
{
    struct ubd_request request;
    struct iovec here = {.iov_base = &request, .iov_len = sizeof(request)};
    struct iovec there = {.iov_base = address, .iov_len = sizeof(request)};

    /* by way of the kernel: what is no address is refused, not followed */
    if (process_vm_readv(disk.main_thread, &here, 1, &there, 1, 0) != (ssize_t)sizeof(request))
        return;
    if (request.segments != 0 || request.error != 0)
        return;
    for (int i = 0; i < 2; i++) {
        int file = file_index(request.fds[i]);
        if (file < 0)
            continue;
        disk_lock();
        int r = write_out_file(file, request.fds[i]);
        disk_unlock();
        if (r < 0) { /* the guest would take as durable what is not: better no guest */
            dprintf(STDERR_FILENO, "lab: the host cannot store a flushed block: %s\n",
                    strerror(-r));
            (void)disk.kill(disk.main_thread, SIGKILL);
        }
    }
}

/* The disk thread takes addresses of requests from its pipe. Writes before a flush are done by
 * then, as the guest waits for them first; writes in the same batch need not be covered. */
ssize_t read(int fd, void *to, size_t length)
{
    ssize_t got = disk.read(fd, to, length);
    if (!disk.enabled || got < (ssize_t)sizeof(void *) || got % (ssize_t)sizeof(void *) != 0 ||
        getpid() == disk.main_thread)
        return got;
    for (size_t i = 0; i < (size_t)got / sizeof(void *); i++) {
        void *address;
        memcpy(&address, (const char *)to + i * sizeof(address), sizeof(address));
        note_request(address);
    }
    return got;
}

/* How the kernel trims and zeroes. What is cached of the file must not hide the result. */
int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    int file = file_index(fd);
    if (file < 0)
        return disk.fallocate(fd, mode, offset, length);
    disk_lock();
    int result = write_out_file(file, fd);
    if (result == 0) {
        drop_clean_blocks();
        result = disk.fallocate(fd, mode, offset, length);
    } else {
        errno = -result;
        result = -1;
    }
    disk_unlock();
    return result;
}

/* Only the kernel itself, not a helper that it has forked and that has a copy of this memory. */
static void before_end(void)
{
    if (getpid() != disk.main_thread)
        return;
    disk_lock();
    (void)write_out_all();
    disk_unlock();
}

int execv(const char *path, char *const args[])
{
    before_end();
    return disk.execv(path, args);
}

int execvp(const char *path, char *const args[])
{
    before_end();
    return disk.execvp(path, args);
}

/* A panic ends in the kernel's abort of itself. */
int kill(pid_t pid, int number)
{
    if (number == SIGABRT && pid == disk.main_thread)
        before_end();
    return disk.kill(pid, number);
}
