#include "fake_daemon.h"

#include "lib/common/common.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* False when the test is over. */
static bool wait_readable(const struct fake_daemon *fake, int fd)
{
    struct pollfd fds[] = {{.fd = fake->stop[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(fds, COUNT_OF(fds), -1) < 0 && errno == EINTR)
        ;
    return fds[0].revents == 0;
}

static void read_request(const struct fake_daemon *fake, int fd, char *request)
{
    size_t used = 0;
    while (used + 1 < FAKE_REQUEST_CHARS && memchr(request, '\n', used) == NULL) {
        if (!wait_readable(fake, fd))
            return;
        ssize_t n = read(fd, request + used, FAKE_REQUEST_CHARS - 1 - used);
        if (n <= 0)
            return;
        used += (size_t)n;
    }
    request[strcspn(request, "\n")] = '\0';
}

static void send_answer(int fd, const struct fake_scene *scene)
{
    const char *answer = scene->answer != NULL ? scene->answer : "";
    size_t step = scene->drip_ms > 0 ? 1 : strlen(answer);
    for (size_t at = 0, len = strlen(answer); at < len; at += step) {
        if (send(fd, answer + at, step, MSG_NOSIGNAL) < 0)
            return;
        (void)usleep(scene->drip_ms * 1000);
    }
    char filling[4096];
    memset(filling, 'x', sizeof(filling));
    for (size_t sent = 0; sent < scene->fill_bytes; sent += sizeof(filling))
        if (send(fd, filling, sizeof(filling), MSG_NOSIGNAL) < 0)
            return;
}

static void *play(void *context)
{
    struct fake_daemon *fake = context;
    while (fake->served < FAKE_SCENES_MAX && wait_readable(fake, fake->server)) {
        size_t scene_at = fake->served < fake->scene_count ? fake->served : fake->scene_count - 1;
        const struct fake_scene *scene = &fake->scenes[scene_at];
        int fd = accept(fake->server, NULL, NULL);
        if (fd < 0)
            break;
        if (!scene->before_asked)
            read_request(fake, fd, fake->requests[fake->served]);
        send_answer(fd, scene);
        if (scene->keep_open)
            fake->kept[fake->served] = fd;
        else
            (void)close(fd);
        fake->served++;
    }
    return NULL;
}

void fake_daemon_init(struct fake_daemon *fake, const struct fake_scene *scenes, size_t count)
{
    *fake = (struct fake_daemon){.scenes = scenes, .scene_count = count};
    for (size_t i = 0; i < FAKE_SCENES_MAX; i++)
        fake->kept[i] = -1;
    (void)snprintf(fake->folder, sizeof(fake->folder), "/tmp/og-cli-XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    (void)snprintf(fake->socket, sizeof(fake->socket), "%s/control.sock", fake->folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, fake->socket, strlen(fake->socket) + 1);
    fake->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fake->server >= 0);
    assert_int_equal(bind(fake->server, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fake->server, 8), 0);
    assert_int_equal(pipe(fake->stop), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, play, fake), 0);
}

void fake_daemon_done(struct fake_daemon *fake)
{
    assert_int_equal(write(fake->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(fake->thread, NULL), 0);
    for (size_t i = 0; i < FAKE_SCENES_MAX; i++)
        if (fake->kept[i] >= 0)
            (void)close(fake->kept[i]);
    (void)close(fake->server);
    (void)close(fake->stop[0]);
    (void)close(fake->stop[1]);
    assert_int_equal(unlink(fake->socket), 0);
    assert_int_equal(rmdir(fake->folder), 0);
}
