#include "gateway/events/channel_file.h"

#include "lib/common/log.h"
#include "lib/common/small_file.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "channel";

struct channel_file {
    uv_loop_t *loop;
    uv_work_t work;
    char *path;
    struct buf text; /* being written */
    int result;
    bool busy, freed, failing;
};

static void destroy(struct channel_file *file)
{
    free(file->path);
    buf_done(&file->text);
    free(file);
}

struct channel_file *channel_file_new(uv_loop_t *loop, const char *path)
{
    struct channel_file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->loop = loop;
    file->work.data = file;
    file->path = strdup(path);
    if (file->path == NULL) {
        destroy(file);
        return NULL;
    }
    return file;
}

void channel_file_free(struct channel_file *file)
{
    if (file == NULL)
        return;
    file->freed = true;
    if (!file->busy)
        destroy(file);
}

bool channel_file_is_busy(const struct channel_file *file)
{
    return file->busy;
}

bool channel_file_has_failed(const struct channel_file *file)
{
    return file->failing;
}

static void on_work(uv_work_t *work)
{
    struct channel_file *file = work->data;
    const struct small_file_mode how = {.mode = 0640};
    file->result = small_file_replace(file->path, file->text.data != NULL ? file->text.data : "",
                                      file->text.len_bytes, &how, NULL);
}

static void on_worked(uv_work_t *work, int status)
{
    struct channel_file *file = work->data;
    int r = status < 0 ? status : file->result;
    file->busy = false;
    if (r < 0 && !file->failing)
        log_warning(module,
                    "%s cannot be written: %s; after a crash of this machine, clients that "
                    "only read will notice late",
                    file->path, strerror(-r));
    file->failing = r < 0;
    if (file->freed)
        destroy(file);
}

bool channel_file_write(struct channel_file *file, struct buf *text)
{
    if (file->busy || text->failed)
        return false;
    buf_done(&file->text);
    file->text = *text;
    *text = (struct buf){0};
    file->busy = uv_queue_work(file->loop, &file->work, on_work, on_worked) == 0;
    return file->busy;
}

/* Family 4 or 6 and the text of an address; 0 for others. */
static int address_text(const struct sockaddr_storage *address, char text[INET6_ADDRSTRLEN],
                        unsigned *ret_port)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    if (address->ss_family == AF_INET) {
        *ret_port = ntohs(four->sin_port);
        return inet_ntop(AF_INET, &four->sin_addr, text, INET6_ADDRSTRLEN) == NULL ? 0 : 4;
    }
    if (address->ss_family != AF_INET6)
        return 0;
    *ret_port = ntohs(six->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, INET6_ADDRSTRLEN) == NULL ? 0
                                                                                               : 4;
    return inet_ntop(AF_INET6, &six->sin6_addr, text, INET6_ADDRSTRLEN) == NULL ? 0 : 6;
}

void channel_file_add_line(struct buf *text, const struct sockaddr_storage *local,
                           const struct sockaddr_storage *remote)
{
    char local_text[INET6_ADDRSTRLEN], remote_text[INET6_ADDRSTRLEN];
    unsigned local_port, remote_port;
    int family = address_text(local, local_text, &local_port);
    if (family != 0 && address_text(remote, remote_text, &remote_port) == family)
        buf_addf(text, "%d %s %u %s %u\n", family, local_text, local_port, remote_text,
                 remote_port);
}
