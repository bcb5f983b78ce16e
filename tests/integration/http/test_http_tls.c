/* TLS channels: both ends are ours, on one loop; the server's end is the real HTTP server where the
 * promise is about it. Certificates are made with the openssl program in a temporary folder. */
#include "tests/integration/http/http_test_client.h"
#include "tests/integration/http/http_test_server.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST  "Host: test\r\n"
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"

static char folder[] = "/tmp/tls-test-XXXXXX";

static const char *file(const char *name)
{
    static char paths[8][96];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* Runs "sh -c command" with the folder as $0. */
static void shell(const char *command)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, folder, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s: status %d", command, status);
}

/* An authority; a.* and b.* for localhost and 127.0.0.1 by it; other.* signed by itself; client.*
 */
static int make_certificates(void **unused)
{
    (void)unused;
    assert_non_null(mkdtemp(folder));
    shell("cd \"$0\" && exec 2>/dev/null && k='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes' "
          "&& "
          "openssl req -x509 $k -keyout ca.key -out ca.crt -days 3 -subj /CN=authority && "
          "for n in a b client; do openssl req $k -keyout $n.key -out $n.csr -subj /CN=$n && "
          "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >ext && "
          "openssl x509 -req -in $n.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
          "-extfile ext -out $n.crt; done && "
          "openssl req -x509 $k -keyout other.key -out other.crt -days 3 -subj /CN=other && "
          "openssl ec -in a.key -aes128 -passout pass:x -out locked.key && "
          "cp a.crt live.crt && cp a.key live.key && echo nonsense >bad.crt");
    return 0;
}

static int remove_certificates(void **unused)
{
    (void)unused;
    shell("rm -r \"$0\"");
    return 0;
}

static struct tls_context *server_context(const char *name, const char *ca)
{
    char certificate[32], key[32];
    (void)snprintf(certificate, sizeof(certificate), "%s.crt", name);
    (void)snprintf(key, sizeof(key), "%s.key", name);
    const struct tls_options options = {.certificate_file = file(certificate),
                                        .key_file = file(key),
                                        .ca_file = ca != NULL ? file(ca) : NULL};
    struct tls_context *context = NULL;
    struct diag diag = {0};
    if (tls_server_context_new(&options, &context, &diag) < 0)
        fail_msg("%s", diag.text);
    return context;
}

static struct tls_context *client_context(const char *ca, const char *certificate, const char *key)
{
    const struct tls_options options = {
        .ca_file = file(ca), .certificate_file = certificate, .key_file = key};
    struct tls_context *context = NULL;
    struct diag diag = {0};
    if (tls_client_context_new(&options, &context, &diag) < 0)
        fail_msg("%s", diag.text);
    return context;
}

/* --- a client over our own channel ------------------------------------------------------------ */
struct client {
    struct tls_channel *channel;
    struct buf got;
    const char *request;
    size_t close_after_bytes; /* closes once so much has come; 0: never */
    bool ready, closed;
    int error;
    char why[128];
};

static void client_ready(void *context)
{
    struct client *client = context;
    client->ready = true;
    if (client->request != NULL)
        assert_int_equal(
            tls_channel_write(client->channel, client->request, strlen(client->request)), 0);
}

static void client_data(void *context, const char *bytes, size_t len_bytes)
{
    struct client *client = context;
    buf_add(&client->got, bytes, len_bytes);
    if (client->close_after_bytes > 0 && client->got.len_bytes >= client->close_after_bytes)
        tls_channel_shutdown(client->channel, 1000);
}

static void client_closed(void *context, int error, const char *why)
{
    struct client *client = context;
    client->closed = true;
    client->error = error;
    (void)snprintf(client->why, sizeof(client->why), "%s", why);
}

/* Connects to the port, sends the request, runs until the channel has closed. */
static void run_client(struct client *client, uint16_t port, struct tls_context *context,
                       const char *host)
{
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    const struct tls_channel_events events = {.ready = client_ready,
                                              .data = client_data,
                                              .closed = client_closed,
                                              .context = client,
                                              .handshake_ms = 500};
    assert_int_equal(tls_channel_connect(&loop, (const struct sockaddr *)&address, context, host,
                                         &events, &client->channel),
                     0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(client->closed);
    assert_int_equal(uv_loop_close(&loop), 0);
}

#define ONE_REQUEST "GET /plain HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"

static void a_request_goes_through_and_the_end_is_clean(void **unused)
{
    (void)unused;
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    struct tls_context *tls = server_context("a", NULL),
                       *trust = client_context("ca.crt", NULL, NULL);
    struct http_test_server *server = http_test_server_start(NULL, tls);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct client client = {.request = ONE_REQUEST};
        run_client(&client, http_test_server_port(server), trust, hosts[i]);
        assert_int_equal(client.error, 0);
        assert_non_null(strstr(client.got.data, "{\"ok\":true}"));
        buf_done(&client.got);
    }
    http_test_server_stop(server);
    tls_context_free(trust);
    tls_context_free(tls);
}

static void large_answers_arrive_whole(void **unused)
{
    (void)unused;
    struct tls_context *tls = server_context("a", NULL),
                       *trust = client_context("ca.crt", NULL, NULL);
    struct http_test_server *server = http_test_server_start(NULL, tls);
    struct client client = {.request = "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"};
    run_client(&client, http_test_server_port(server), trust, "localhost");
    assert_int_equal(client.error, 0);
    const char *body = strstr(client.got.data, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(client.got.len_bytes - (size_t)(body + 4 - client.got.data), 4 * 1024 * 1024);
    buf_done(&client.got);
    http_test_server_stop(server);
    tls_context_free(trust);
    tls_context_free(tls);
}

static void certificates_that_prove_nothing_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *certificate, *ca, *host, *says;
    } rows[] = {
        {"other", "ca.crt", "localhost", "self-signed"},
        {"a", "other.crt", "localhost", "unable to get local issuer"},
        {"a", "ca.crt", "example.test", "hostname mismatch"},
        {"a", "ca.crt", "127.0.0.2", "IP address mismatch"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_context *tls = server_context(rows[i].certificate, NULL),
                           *trust = client_context(rows[i].ca, NULL, NULL);
        struct http_test_server *server = http_test_server_start(NULL, tls);
        struct client client = {.request = ONE_REQUEST};
        run_client(&client, http_test_server_port(server), trust, rows[i].host);
        assert_false(client.ready);
        assert_int_equal(client.error, -EPROTO);
        if (strstr(client.why, rows[i].says) == NULL)
            fail_msg("%s", client.why);
        http_test_await(http_test_server_stats(server).connections == 0);
        http_test_server_stop(server);
        tls_context_free(trust);
        tls_context_free(tls);
    }
}

static void a_server_may_ask_for_the_clients_certificate(void **unused)
{
    (void)unused;
    struct tls_context *tls = server_context("a", "ca.crt");
    struct http_test_server *server = http_test_server_start(NULL, tls);
    struct tls_context *known = client_context("ca.crt", file("client.crt"), file("client.key")),
                       *stranger = client_context("ca.crt", file("other.crt"), file("other.key")),
                       *nobody = client_context("ca.crt", NULL, NULL);
    struct client good = {.request = ONE_REQUEST}, bad = good, none = good;
    run_client(&good, http_test_server_port(server), known, "localhost");
    assert_int_equal(good.error, 0);
    assert_non_null(strstr(good.got.data, "200 OK"));
    run_client(&bad, http_test_server_port(server), stranger, "localhost");
    run_client(&none, http_test_server_port(server), nobody, "localhost");
    assert_int_equal(bad.got.len_bytes + none.got.len_bytes, 0);
    assert_int_not_equal(bad.error, 0);
    assert_int_not_equal(none.error, 0);
    buf_done(&good.got);
    http_test_server_stop(server);
    tls_context_free(nobody);
    tls_context_free(stranger);
    tls_context_free(known);
    tls_context_free(tls);
}

static void nobody_holds_a_handshake_open_for_long(void **unused)
{
    (void)unused;
    static const char *const says[] = {"", "\x16\x03\x01\x02\x00\x01\x00\x01"};
    const struct http_limits limits = {.handshake_ms = 300};
    struct tls_context *tls = server_context("a", NULL);
    struct http_test_server *server = http_test_server_start(&limits, tls);
    for (size_t i = 0; i < COUNT_OF(says); i++) {
        int fd = http_test_connect(http_test_server_port(server));
        uint64_t begin_ms = http_test_now_ms();
        http_test_send(fd, says[i]);
        assert_true(http_test_is_closed(fd));
        assert_in_range(http_test_now_ms() - begin_ms, 290, 1500);
        (void)close(fd);
    }
    http_test_server_stop(server);
    tls_context_free(tls);
}

static void what_is_no_tls_is_cut_at_once(void **unused)
{
    (void)unused;
    struct tls_context *tls = server_context("a", NULL);
    struct http_test_server *server = http_test_server_start(NULL, tls);
    int fd = http_test_connect(http_test_server_port(server));
    uint64_t begin_ms = http_test_now_ms();
    http_test_send(fd, PLAIN);
    char byte;
    while (recv(fd, &byte, 1, 0) == 1) /* the alert */
        ;
    assert_true(http_test_now_ms() - begin_ms < 1000);
    (void)close(fd);
    http_test_await(http_test_server_stats(server).connections == 0);
    http_test_server_stop(server);
    tls_context_free(tls);
}

static void a_server_that_never_answers_costs_the_client_its_time_out_only(void **unused)
{
    (void)unused;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    struct tls_context *trust = client_context("ca.crt", NULL, NULL);
    struct client client = {0};
    run_client(&client, ntohs(address.sin_port), trust, "localhost");
    assert_int_equal(client.error, -ETIMEDOUT);
    tls_context_free(trust);
    (void)close(listener);
}

/* --- contexts --------------------------------------------------------------------------------- */
static void faulty_files_are_named(void **unused)
{
    (void)unused;
    static const struct {
        const char *certificate, *key;
        int error;
        const char *says;
    } rows[] = {
        {"missing.crt", "a.key", -ENOENT, "missing.crt"},
        {"a.crt", "missing.key", -ENOENT, "missing.key"},
        {"bad.crt", "a.key", -EINVAL, "bad.crt"},
        {"a.crt", "bad.crt", -EINVAL, "bad.crt"},
        {"a.crt", "b.key", -EINVAL, "b.key"},
        {"a.crt", "locked.key", -EINVAL, "locked.key"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct tls_options options = {.certificate_file = file(rows[i].certificate),
                                            .key_file = file(rows[i].key)};
        struct tls_context *context = NULL;
        struct diag diag = {0};
        assert_int_equal(tls_server_context_new(&options, &context, &diag), rows[i].error);
        if (strstr(diag.text, rows[i].says) == NULL)
            fail_msg("%s", diag.text);
        assert_null(context);
    }
}

/* A blocking TLS client by OpenSSL alone, so that our own code is not its own judge. */
static SSL *openssl_connect(SSL_CTX *context, uint16_t port, SSL_SESSION *session)
{
    SSL *ssl = SSL_new(context);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, http_test_connect(port)), 1);
    if (session != NULL)
        assert_int_equal(SSL_set_session(ssl, session), 1);
    assert_int_equal(SSL_connect(ssl), 1);
    return ssl;
}

static void openssl_close(SSL *ssl)
{
    (void)SSL_shutdown(ssl);
    (void)close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

static void peer_name(SSL *ssl, char *out, int out_bytes)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    assert_non_null(certificate);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, out,
                                    out_bytes);
    X509_free(certificate);
}

static void ask_plain(SSL *ssl)
{
    char got[1024] = "";
    assert_int_equal(SSL_write(ssl, PLAIN, sizeof(PLAIN) - 1), sizeof(PLAIN) - 1);
    assert_true(SSL_read(ssl, got, sizeof(got) - 1) > 0);
    assert_non_null(strstr(got, "200 OK"));
}

struct reload {
    struct tls_context *context;
    int result;
    struct diag diag;
};

static void do_reload(void *context)
{
    struct reload *reload = context;
    reload->result = tls_context_reload(reload->context, &reload->diag);
}

static void a_new_certificate_is_used_without_disturbing_anybody(void **unused)
{
    (void)unused;
    struct tls_context *tls = server_context("live", NULL);
    struct http_test_server *server = http_test_server_start(NULL, tls);
    uint16_t port = http_test_server_port(server);
    SSL_CTX *clients = SSL_CTX_new(TLS_client_method());
    char name[32];
    SSL *old = openssl_connect(clients, port, NULL);
    peer_name(old, name, sizeof(name));
    assert_string_equal(name, "a");
    ask_plain(old);

    struct reload reload = {.context = tls};
    shell("cd \"$0\" && cp b.crt live.crt"); /* does not fit the key: refused, the old one stays */
    http_test_server_call(server, do_reload, &reload);
    assert_int_equal(reload.result, -EINVAL);
    SSL *still = openssl_connect(clients, port, NULL);
    peer_name(still, name, sizeof(name));
    assert_string_equal(name, "a");
    openssl_close(still);

    shell("cd \"$0\" && cp b.key live.key");
    http_test_server_call(server, do_reload, &reload);
    assert_int_equal(reload.result, 0);
    SSL *fresh = openssl_connect(clients, port, NULL);
    peer_name(fresh, name, sizeof(name));
    assert_string_equal(name, "b");
    ask_plain(fresh);
    ask_plain(old); /* open connections go on */

    /* a ticket from before the reload is still good */
    SSL_SESSION *session = SSL_get1_session(old);
    SSL *resumed = openssl_connect(clients, port, session);
    assert_int_equal(SSL_session_reused(resumed), 1);
    ask_plain(resumed);
    SSL_SESSION_free(session);
    openssl_close(resumed);
    openssl_close(fresh);
    openssl_close(old);
    SSL_CTX_free(clients);
    http_test_server_stop(server);
    tls_context_free(tls);
}

static void old_protocol_versions_are_refused(void **unused)
{
    (void)unused;
    struct tls_context *tls = server_context("a", NULL);
    struct http_test_server *server = http_test_server_start(NULL, tls);
    SSL_CTX *clients = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(clients, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(clients, TLS1_VERSION), 1);
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        assert_int_equal(SSL_CTX_set_max_proto_version(clients, versions[i]), 1);
        SSL *ssl = SSL_new(clients);
        assert_int_equal(SSL_set_fd(ssl, http_test_connect(http_test_server_port(server))), 1);
        assert_int_equal(SSL_connect(ssl) == 1, versions[i] >= TLS1_2_VERSION);
        openssl_close(ssl);
    }
    SSL_CTX_free(clients);
    http_test_server_stop(server);
    tls_context_free(tls);
}

/* The clients live in another process, so that only the server's memory is counted. It is made
 * before the server's thread: after a fork beside threads the allocator's locks may stay held. */
struct idle_clients {
    pid_t pid;
    int port_fd, ready_fd; /* the port goes in, a byte comes out once all have been answered */
};

static void be_idle_clients(int port_fd, int ready_fd, unsigned count)
{
    uint16_t port;
    if (read(port_fd, &port, sizeof(port)) == sizeof(port)) {
        SSL_CTX *clients = SSL_CTX_new(TLS_client_method());
        for (unsigned i = 0; i < count; i++)
            ask_plain(openssl_connect(clients, port, NULL));
        (void)!write(ready_fd, "r", 1);
        (void)pause();
    }
    _exit(0);
}

static struct idle_clients idle_clients_start(unsigned count)
{
    int port[2], ready[2];
    assert_int_equal(pipe(port), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(port[1]);
        be_idle_clients(port[0], ready[1], count);
    }
    (void)close(port[0]);
    (void)close(ready[1]);
    return (struct idle_clients){pid, port[1], ready[0]};
}

static void idle_clients_connect(const struct idle_clients *clients, uint16_t port)
{
    char byte;
    assert_int_equal(write(clients->port_fd, &port, sizeof(port)), sizeof(port));
    assert_int_equal(read(clients->ready_fd, &byte, 1), 1);
}

static void idle_clients_end(const struct idle_clients *clients)
{
    (void)kill(clients->pid, SIGKILL);
    assert_int_equal(waitpid(clients->pid, NULL, 0), clients->pid);
    (void)close(clients->port_fd);
    (void)close(clients->ready_fd);
}

/* The address sanitizer has an allocator of its own with a counter of its own. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t memory_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    return mallinfo2().uordblks;
}

static void an_idle_channel_takes_little_memory(void **unused)
{
    (void)unused;
    enum { CHANNELS = 200, LIMIT_BYTES = 40 * 1024 };
    const struct idle_clients clients = idle_clients_start(CHANNELS);
    struct tls_context *tls = server_context("a", NULL);
    struct http_test_server *server = http_test_server_start(NULL, tls);
    size_t before = memory_in_use();
    idle_clients_connect(&clients, http_test_server_port(server));
    assert_int_equal(http_test_server_stats(server).connections, CHANNELS);
    size_t each = (memory_in_use() - before) / CHANNELS;
    print_message("an idle TLS channel takes %zu bytes\n", each);
    assert_in_range(each, 1024, LIMIT_BYTES);
    idle_clients_end(&clients);
    http_test_server_stop(server);
    tls_context_free(tls);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's own socket BIO writes with write() */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_through_and_the_end_is_clean),
        cmocka_unit_test(large_answers_arrive_whole),
        cmocka_unit_test(certificates_that_prove_nothing_are_refused),
        cmocka_unit_test(a_server_may_ask_for_the_clients_certificate),
        cmocka_unit_test(nobody_holds_a_handshake_open_for_long),
        cmocka_unit_test(what_is_no_tls_is_cut_at_once),
        cmocka_unit_test(a_server_that_never_answers_costs_the_client_its_time_out_only),
        cmocka_unit_test(faulty_files_are_named),
        cmocka_unit_test(a_new_certificate_is_used_without_disturbing_anybody),
        cmocka_unit_test(old_protocol_versions_are_refused),
        cmocka_unit_test(an_idle_channel_takes_little_memory),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
