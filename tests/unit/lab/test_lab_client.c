/* The figures of the lab are only as good as its client: here it meets a server whose failures are
 * known, and must tell them exactly. The server is a few threads on loopback with TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGS = 40, MAX_IDS = 5000 };

/* What the server does; the tests set it while it runs. */
static struct {
    int listener;
    char port[8];
    SSL_CTX *tls;
    pthread_t thread;
    atomic_int threads;
    atomic_bool ending;
    atomic_int swallow_after;  /* the write with this number gets no answer; 0: none */
    atomic_bool refuse_writes; /* 503 */
    atomic_bool sick;          /* the health resource says 503 */
    atomic_bool mute;          /* no request is answered */
    atomic_bool reset_channel; /* the open channel is reset once */
    atomic_int writes;         /* asked for */
    atomic_int answered;       /* and answered with an id */
    atomic_int channels;       /* opened so far */
} server = {.listener = -1};

static char folder[] = "/tmp/og-lab-client-XXXXXX";

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    const struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&length, NULL);
}

static const char *in_folder(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- the server ---- */

static void answer(SSL *tls, const char *status, const char *head, const char *body)
{
    char text[4096];
    int length = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s",
                          status, head, strlen(body), body);
    (void)SSL_write(tls, text, length);
}

static void serve_write(SSL *tls, int fd)
{
    char body[256];
    int number = atomic_fetch_add(&server.writes, 1) + 1;
    if (number == atomic_load(&server.swallow_after)) {
        (void)shutdown(fd, SHUT_RDWR);
        return;
    }
    if (atomic_load(&server.refuse_writes)) {
        answer(tls, "503 Service Unavailable", "", "{}");
        return;
    }
    (void)snprintf(body, sizeof(body),
                   "{\"subscriptionId\":\"id-%d\",\"status\":\"ACCEPTED\","
                   "\"publicPollingUrl\":\"https://127.0.0.1/api/rest/1.0/events?id=%d\"}",
                   number, number);
    answer(tls, "200 OK", "Content-Type: application/json\r\n", body);
    (void)atomic_fetch_add(&server.answered, 1);
}

/* Two lines in three chunks that do not end where the lines do, then silence, then a reset. */
static void serve_channel(SSL *tls, int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char *const chunks[] = {"7\r\n{\"event\r\n", "b\r\nName\":1}\n{\"\r\n",
                                         "9\r\nlast\":2}\n\r\n"};
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)atomic_fetch_add(&server.channels, 1);
    (void)SSL_write(tls, head, sizeof(head) - 1);
    for (int i = 0; i < 3; i++) {
        (void)SSL_write(tls, chunks[i], (int)strlen(chunks[i]));
        pause_ms(20);
    }
    while (!atomic_load(&server.ending) && !atomic_exchange(&server.reset_channel, false))
        pause_ms(5);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Returns whether the connection goes on. */
static bool serve_request(SSL *tls, int fd, const char *request)
{
    static const char session[] =
        "{\"admin\":true,\"publicBaseUrl\":\"https://127.0.0.1/api/rest/1.0\",\"services\":[]}";
    bool known = strstr(request, "\r\nCookie: AlcUserId=abc\r\n") != NULL;

    while (atomic_load(&server.mute) && !atomic_load(&server.ending))
        pause_ms(5);
    if (strncmp(request, "GET /api/rest HTTP", 18) == 0) {
        answer(tls, "200 OK", "",
               "{\"versions\":[{\"id\":\"1.0\",\"status\":\"CURRENT\",\"publicUrl\":"
               "\"https://127.0.0.1/api/rest/authenticate?version=1.0\"}]}");
    } else if (strncmp(request, "GET /api/rest/authenticate", 26) == 0) {
        /* admin:secret */
        if (strstr(request, "\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n") != NULL)
            answer(tls, "200 OK", "Set-Cookie: AlcUserId=abc; Secure; Path=/api\r\n",
                   "{\"credential\":\"abc\",\"publicUrl\":"
                   "\"https://127.0.0.1/api/rest/1.0/sessions\"}");
        else
            answer(tls, "401 Unauthorized", "", "");
    } else if (strncmp(request, "GET /api/sysstat/health?commit=1", 32) == 0) {
        answer(tls, atomic_load(&server.sick) ? "503 Service Unavailable" : "200 OK", "", "{}");
    } else if (strncmp(request, "POST /api/rest/1.0/events", 25) == 0) {
        serve_channel(tls, fd);
        return false;
    } else if (!known) {
        answer(tls, "401 Unauthorized", "", "");
    } else if (strncmp(request, "POST /api/rest/1.0/subscriptions ", 33) == 0) {
        serve_write(tls, fd);
    } else if (strncmp(request, "POST /api/rest/1.0/sessions/keepalive ", 38) == 0) {
        answer(tls, "204 No Content", "", "");
    } else if (strncmp(request, "DELETE /api/rest/1.0/subscriptions/", 35) == 0) {
        answer(tls, "204 No Content", "", "");
    } else {
        answer(tls, "200 OK", "", session);
    }
    return true;
}

/* Reads head and body. The text stays valid until the next call. */
static bool read_request(SSL *tls, char *text, size_t size)
{
    size_t length = 0;
    for (;;) {
        int got = SSL_read(tls, text + length, (int)(size - 1 - length));
        if (got <= 0)
            return false;
        length += (size_t)got;
        text[length] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *field = strstr(text, "Content-Length: ");
        if (end != NULL && field != NULL &&
            length >= (size_t)(end - text) + 4 + strtoul(field + 16, NULL, 10))
            return true;
    }
}

static void *serve_connection(void *argument)
{
    char request[16384];
    int fd = (int)(intptr_t)argument;
    SSL *tls = SSL_new(server.tls);

    (void)SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1)
        while (!atomic_load(&server.ending) && read_request(tls, request, sizeof(request)) &&
               serve_request(tls, fd, request))
            ;
    SSL_free(tls);
    (void)close(fd);
    (void)atomic_fetch_sub(&server.threads, 1);
    return NULL;
}

static void *serve(void *argument)
{
    (void)argument;
    for (;;) {
        pthread_t thread;
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        const struct timeval limit = {.tv_sec = 5};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        (void)atomic_fetch_add(&server.threads, 1);
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) != 0)
            abort();
        (void)pthread_detach(thread);
    }
}

/* A certificate for 127.0.0.1 that is its own authority. */
static void make_certificate(const char *path, EVP_PKEY *key, X509 **ret_certificate)
{
    X509 *certificate = X509_new();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    assert_non_null(certificate);
    assert_non_null(names);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    (void)X509_set_version(certificate, X509_VERSION_3);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    (void)X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1,
                                     -1, 0);
    (void)X509_set_issuer_name(certificate, name);
    (void)X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    (void)fclose(file);
    *ret_certificate = certificate;
}

static int server_start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    X509 *certificate = NULL;
    X509 *other = NULL;
    (void)state;

    (void)signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other_key = EVP_EC_gen("P-256");
    make_certificate(in_folder("ca.crt"), key, &certificate);
    make_certificate(in_folder("other.crt"), other_key, &other);
    write_file(in_folder("account"), "admin:secret\n");
    write_file(in_folder("wrong"), "admin:wrong\n");
    server.tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(server.tls, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server.tls, key), 1);
    X509_free(certificate);
    X509_free(other);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);

    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server.listener, 64), 0);
    assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(server.port, sizeof(server.port), "%u", ntohs(address.sin_port));
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int remove_folder(void)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries != NULL)
        (void)closedir(entries);
    return rmdir(folder);
}

static int server_end(void **state)
{
    (void)state;
    atomic_store(&server.ending, true);
    (void)shutdown(server.listener, SHUT_RDWR);
    (void)pthread_join(server.thread, NULL);
    (void)close(server.listener);
    while (atomic_load(&server.threads) > 0)
        pause_ms(10);
    SSL_CTX_free(server.tls);
    return remove_folder();
}

/* ---- the client as a child ---- */

struct client {
    pid_t pid;
    char out[128];
};

/* Starts "og-lab-client WORDS --address 127.0.0.1 --port N"; words are separated by blanks. */
__attribute__((format(printf, 1, 2))) static struct client client_start(const char *format, ...)
{
    static unsigned runs;
    struct client client;
    char words[1024];
    char *args[MAX_ARGS];
    unsigned count = 0;
    char *rest = NULL;
    va_list list;

    va_start(list, format);
    (void)vsnprintf(words, sizeof(words), format, list);
    va_end(list);
    (void)snprintf(client.out, sizeof(client.out), "%s/out-%u", folder, runs++);
    args[count++] = (char *)(uintptr_t) "og-lab-client";
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        args[count++] = word;
    args[count++] = (char *)(uintptr_t) "--address";
    args[count++] = (char *)(uintptr_t) "127.0.0.1";
    args[count++] = (char *)(uintptr_t) "--port";
    args[count++] = server.port;
    args[count] = NULL;
    client.pid = fork();
    if (client.pid == 0) {
        int fd = open(client.out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || freopen("/dev/null", "w", stderr) == NULL)
            _exit(99);
        (void)execv(LAB_CLIENT, args);
        _exit(99);
    }
    assert_true(client.pid > 0);
    return client;
}

/* Waits for its end. The exit status; the JSON that it printed, or NULL, is the caller's. */
static int client_end(struct client *client, cJSON **ret_object)
{
    char text[65536];
    int status = 0;

    assert_int_equal(waitpid(client->pid, &status, 0), client->pid);
    assert_true(WIFEXITED(status));
    FILE *file = fopen(client->out, "re");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    *ret_object = cJSON_Parse(text);
    return WEXITSTATUS(status);
}

static cJSON *client_result(struct client client)
{
    cJSON *object = NULL;
    assert_int_equal(client_end(&client, &object), 0);
    assert_non_null(object);
    return object;
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsNumber(value));
    return cJSON_GetNumberValue(value);
}

/* Lines of the record that begin with word; bad: any ACK of this id. */
static unsigned count_lines(const char *path, const char *word, const char *absent_id)
{
    char line[512];
    unsigned count = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char id[128] = "";
        (void)sscanf(line, "ACK %*s %127s", id);
        if (absent_id != NULL)
            assert_string_not_equal(id, absent_id);
        count += strncmp(line, word, strlen(word)) == 0 && line[strlen(word)] == ' ';
    }
    (void)fclose(file);
    return count;
}

/* A session file for the other modes; made once for each test that needs one. */
static const char *session_file(void)
{
    struct client client = client_start("session --subscribe --account %s", in_folder("account"));
    cJSON_Delete(client_result(client));
    (void)rename(client.out, in_folder("session"));
    atomic_store(&server.writes, 0);
    atomic_store(&server.answered, 0);
    return in_folder("session");
}

/* ---- the tests ---- */

static void a_session_is_opened_and_found_good(void **state)
{
    (void)state;
    cJSON *object = client_result(client_start("check --session %s", session_file()));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "good")));
    cJSON_Delete(object);
}

static void a_lost_session_is_found_bad(void **state)
{
    cJSON *object = NULL;
    (void)state;
    write_file(in_folder("lost"), "{\"cookie\":\"AlcUserId=other\",\"base\":\"/api/rest/1.0\"}");
    struct client client = client_start("check --session %s", in_folder("lost"));
    assert_int_equal(client_end(&client, &object), 1);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(object, "good")));
    cJSON_Delete(object);
}

static void a_wrong_password_opens_no_session(void **state)
{
    cJSON *object = NULL;
    (void)state;
    struct client client = client_start("session --account %s", in_folder("wrong"));
    assert_int_equal(client_end(&client, &object), 1);
    assert_null(object);
}

static void only_the_given_authority_is_trusted(void **state)
{
    cJSON *object = NULL;
    (void)state;
    cJSON_Delete(client_result(
        client_start("session --account %s --ca %s", in_folder("account"), in_folder("ca.crt"))));
    struct client client =
        client_start("session --account %s --ca %s", in_folder("account"), in_folder("other.crt"));
    assert_int_equal(client_end(&client, &object), 1);
    assert_null(object);
}

static void every_acknowledged_write_is_in_the_record(void **state)
{
    (void)state;
    const char *session = session_file();
    cJSON *object = client_result(
        client_start("write --session %s --rate 100 --connections 3 --seconds 1 --out %s", session,
                     in_folder("all")));
    assert_true(number(object, "acknowledged") > 10);
    assert_int_equal((int)number(object, "acknowledged"), atomic_load(&server.answered));
    assert_int_equal((int)number(object, "unknown"), 0);
    assert_int_equal(count_lines(in_folder("all"), "ACK", NULL), atomic_load(&server.answered));
    cJSON_Delete(object);
}

static void a_write_without_answer_is_unknown_and_not_acknowledged(void **state)
{
    (void)state;
    const char *session = session_file();
    atomic_store(&server.swallow_after, 10);
    cJSON *object = client_result(client_start(
        "write --session %s --rate 100 --seconds 0.6 --out %s", session, in_folder("swallowed")));
    atomic_store(&server.swallow_after, 0);
    assert_int_equal((int)number(object, "unknown"), 1);
    assert_int_equal(count_lines(in_folder("swallowed"), "UNKNOWN", "id-10"), 1);
    assert_true(number(object, "acknowledged") > 9); /* it went on with a new connection */
    cJSON_Delete(object);
}

static void a_refused_write_is_neither(void **state)
{
    (void)state;
    const char *session = session_file();
    atomic_store(&server.refuse_writes, true);
    cJSON *object = client_result(
        client_start("write --session %s --seconds 0.4 --out %s", session, in_folder("refused")));
    atomic_store(&server.refuse_writes, false);
    assert_int_equal((int)number(object, "acknowledged"), 0);
    assert_int_equal((int)number(object, "unknown"), 0);
    assert_true(number(object, "refused") > 0);
    cJSON_Delete(object);
}

/* Runs a probe, spoils the service for 500 ms and returns the longest outage seen. */
static double outage_of(atomic_bool *fault, int expected_outages)
{
    struct client client = client_start("probe --request-ms 100 --first-ms 300");
    pause_ms(500);
    atomic_store(fault, true);
    pause_ms(500);
    atomic_store(fault, false);
    pause_ms(700);
    assert_int_equal(kill(client.pid, SIGTERM), 0);
    cJSON *object = client_result(client);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(object, "outages")),
                     expected_outages);
    double longest_ms = number(object, "max_outage_ms");
    assert_int_equal((int)number(object, "open_outage_ms"), 0);
    cJSON_Delete(object);
    return longest_ms;
}

static void an_outage_is_as_long_as_the_service_was_bad(void **state)
{
    (void)state;
    double ms = outage_of(&server.sick, 1);
    assert_true(ms >= 480 && ms < 1500);
}

static void silence_is_an_outage_too(void **state)
{
    (void)state;
    double ms = outage_of(&server.mute, 1);
    assert_true(ms >= 480 && ms < 1500);
}

static void an_outage_that_lasts_is_told_as_open(void **state)
{
    (void)state;
    struct client client = client_start("probe --request-ms 100 --first-ms 200");
    pause_ms(500);
    atomic_store(&server.sick, true);
    pause_ms(500);
    assert_int_equal(kill(client.pid, SIGTERM), 0);
    cJSON *object = client_result(client);
    atomic_store(&server.sick, false);
    assert_true(number(object, "open_outage_ms") >= 400);
    cJSON_Delete(object);
}

static void a_reset_of_the_channel_is_timed_from_the_mark(void **state)
{
    char mark[64];
    (void)state;
    const char *session = session_file();
    int before = atomic_load(&server.channels);
    struct client client = client_start("channel --session %s --mark %s --out %s", session,
                                        in_folder("marks"), in_folder("channel"));
    for (int i = 0; i < 200 && atomic_load(&server.channels) == before; i++)
        pause_ms(10);
    pause_ms(200);
    (void)snprintf(mark, sizeof(mark), "%lld\n", (long long)wall_ms());
    write_file(in_folder("marks"), mark);
    pause_ms(300);
    atomic_store(&server.reset_channel, true);
    for (int i = 0; i < 200 && atomic_load(&server.channels) < before + 2; i++)
        pause_ms(10);
    pause_ms(200);
    assert_int_equal(kill(client.pid, SIGTERM), 0);
    cJSON *object = client_result(client);
    const cJSON *resets = cJSON_GetObjectItemCaseSensitive(object, "channel_reset_ms");
    assert_int_equal(cJSON_GetArraySize(resets), 1);
    double ms = cJSON_GetNumberValue(cJSON_GetArrayItem(resets, 0));
    assert_true(ms >= 290 && ms < 1500);
    assert_int_equal((int)number(object, "opened"), 2);
    assert_int_equal((int)number(object, "events"), 4); /* two lines, cut over chunks, twice */
    assert_int_equal(count_lines(in_folder("channel"), "RESET", NULL), 1);
    cJSON_Delete(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_opened_and_found_good),
        cmocka_unit_test(a_lost_session_is_found_bad),
        cmocka_unit_test(a_wrong_password_opens_no_session),
        cmocka_unit_test(only_the_given_authority_is_trusted),
        cmocka_unit_test(every_acknowledged_write_is_in_the_record),
        cmocka_unit_test(a_write_without_answer_is_unknown_and_not_acknowledged),
        cmocka_unit_test(a_refused_write_is_neither),
        cmocka_unit_test(an_outage_is_as_long_as_the_service_was_bad),
        cmocka_unit_test(silence_is_an_outage_too),
        cmocka_unit_test(an_outage_that_lasts_is_told_as_open),
        cmocka_unit_test(a_reset_of_the_channel_is_timed_from_the_mark),
    };
    return cmocka_run_group_tests(tests, server_start, server_end);
}
