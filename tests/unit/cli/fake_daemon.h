/* fake_daemon.h - the other end of the control socket, played by a thread of the test: it takes
 * one connection for each scene, reads the question and does what the scene says. */
#ifndef OG_TEST_FAKE_DAEMON_H
#define OG_TEST_FAKE_DAEMON_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { FAKE_SCENES_MAX = 16, FAKE_REQUEST_CHARS = 1024 };

struct fake_scene {
    const char *answer; /* sent as it is; NULL: nothing */
    bool keep_open;     /* then the connection stays until fake_daemon_done() */
    bool before_asked;  /* answers and closes without reading */
    size_t fill_bytes;  /* so many 'x' are sent behind the answer */
    unsigned drip_ms;   /* between single bytes of the answer */
};

struct fake_daemon {
    char folder[64], socket[96];
    const struct fake_scene *scenes;
    size_t scene_count;
    size_t served; /* connections, read after fake_daemon_done() */
    char requests[FAKE_SCENES_MAX][FAKE_REQUEST_CHARS];
    int server, stop[2], kept[FAKE_SCENES_MAX];
    pthread_t thread;
};

/* The last scene is repeated for further connections. */
void fake_daemon_init(struct fake_daemon *fake, const struct fake_scene *scenes, size_t count);
void fake_daemon_done(struct fake_daemon *fake);

#endif
