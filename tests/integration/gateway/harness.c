#include "tests/integration/gateway/harness.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/secrets.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { START_MS = 15000 };

/* The gateway binds the port again after each restart. A port below those that the kernel gives to
 * connections is not taken by another test's client meanwhile. */
static uint16_t free_port(void)
{
    enum { FIRST = 10240, COUNT = 20480, TRIES = 200 };
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < TRIES; i++) {
        uint16_t random;
        assert_int_equal(secrets_random(&random, sizeof(random)), 0);
        uint16_t port = (uint16_t)(FIRST + random % COUNT);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_port = htons(port);
        int r = bind(fd, (struct sockaddr *)&address, sizeof(address));
        (void)close(fd);
        if (r == 0)
            return port;
    }
    fail_msg("no free port in %d tries", TRIES);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_certificate(const char *folder)
{
    char path[256];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    assert_non_null(key);
    assert_non_null(certificate);
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"localhost", -1, -1, 0),
                     1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);

    (void)snprintf(path, sizeof(path), "%s/cert.pem", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(path, sizeof(path), "%s/key.pem", folder);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void write_administrators(const char *folder)
{
    char path[256], hash[SECRETS_HASH_CHARS];
    struct buf text = {0};
    assert_int_equal(secrets_password_hash(TEST_PASSWORD, hash, NULL), 0);
    buf_addf(&text,
             "{\"administrators\":[{\"login\":\"admin\",\"password_hash\":\"%s\"},"
             "{\"login\":\"second\",\"password_hash\":\"%s\"}]}",
             hash, hash);
    (void)snprintf(path, sizeof(path), "%s/administrators.json", folder);
    write_file(path, text.data);
    buf_done(&text);
}

static void write_settings(const struct harness *harness, const char *more)
{
    struct buf text = {0};
    const char *folder = harness->folder;
    buf_addf(&text,
             "{\"listen\":[\"127.0.0.1\"],\"https_port\":%u,\"http_port\":%u,"
             "\"public_url\":\"https://127.0.0.1:%u\",\"private_url\":\"https://localhost:%u\","
             "\"certificate_file\":\"%s/cert.pem\",\"key_file\":\"%s/key.pem\","
             "\"administrators_file\":\"%s/administrators.json\",",
             harness->port, harness->plain_port, harness->port, harness->port, folder, folder,
             folder);
    buf_addf(&text,
             "\"database_host\":\"%s\",\"database_port\":%s,\"database_user\":\"postgres\","
             "\"database_name\":\"postgres\","
             "\"channels_file\":\"%s\",\"health_socket\":\"%s\",\"log_level\":\"trace\"%s}",
             pg_server_folder(harness->pg), pg_server_port(harness->pg), harness->channels,
             harness->health, more);
    write_file(harness->settings, text.data);
    buf_done(&text);
}

void harness_open(struct harness *harness, const char *more)
{
    *harness = (struct harness){0};
    (void)snprintf(harness->folder, sizeof(harness->folder), "/tmp/roxe-gateway-test.XXXXXX");
    assert_non_null(mkdtemp(harness->folder));
    (void)snprintf(harness->settings, sizeof(harness->settings), "%s/gateway.json",
                   harness->folder);
    (void)snprintf(harness->log, sizeof(harness->log), "%s/log", harness->folder);
    (void)snprintf(harness->channels, sizeof(harness->channels), "%s/channels", harness->folder);
    (void)snprintf(harness->health, sizeof(harness->health), "%s/health.sock", harness->folder);
    harness->pg = pg_server_new(NULL);
    assert_non_null(harness->pg);
    harness->port = free_port();
    harness->plain_port = free_port();
    write_certificate(harness->folder);
    write_administrators(harness->folder);
    write_settings(harness, more);
}

void harness_close(struct harness *harness)
{
    static const char *const names[] = {"cert.pem",     "key.pem",     "administrators.json",
                                        "gateway.json", "log",         "channels",
                                        "health.sock",  "channels.new"};
    char path[256];
    if (harness->gateway > 0)
        (void)harness_stop(harness, SIGKILL);
    pg_server_free(harness->pg);
    harness->pg = NULL;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", harness->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(harness->folder);
}

static void run_gateway(const struct harness *harness)
{
    int log = open(harness->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    (void)execl(ROXE_GATEWAY, "roxe-gateway", "--config", harness->settings, (char *)NULL);
    _exit(127);
}

/* The gateway has ended instead of answering: its log says why. */
static void fail_start(struct harness *harness)
{
    AUTO(common_freep) char *log = harness_read_file(harness->log);
    harness->gateway = 0;
    fail_msg("roxe-gateway has ended: %s", log != NULL ? log : "no log");
}

void harness_start(struct harness *harness)
{
    static struct answer answer;
    static struct https_client client;
    uint64_t deadline_ms = common_boot_ms() + START_MS;
    harness->gateway = fork();
    assert_true(harness->gateway >= 0);
    if (harness->gateway == 0)
        run_gateway(harness);
    https_client_init(&client, harness->port);
    while (!https_client_ask(&client, "GET", "/api/rest", NULL, &answer)) {
        assert_true(common_boot_ms() < deadline_ms);
        if (waitpid(harness->gateway, NULL, WNOHANG) != 0)
            fail_start(harness);
        (void)usleep(10000);
    }
    https_client_close(&client);
    assert_int_equal(answer.status, 200);
}

int harness_stop(struct harness *harness, int signal)
{
    int status = -1;
    pid_t gateway = harness->gateway;
    harness->gateway = 0;
    if (gateway > 0) {
        (void)kill(gateway, signal);
        (void)waitpid(gateway, &status, 0);
    }
    return status;
}

void harness_basic(const char *login, const char *password, char *out, size_t cap_bytes)
{
    char clear[512], coded[1024];
    int len = snprintf(clear, sizeof(clear), "%s:%s", login, password);
    secrets_base64_encode((const uint8_t *)clear, (size_t)len, coded);
    (void)snprintf(out, cap_bytes, "Basic %s", coded);
}

void harness_text(const struct answer *answer, const char *name, char *out, size_t cap_bytes)
{
    AUTO(json_freep) cJSON *json = NULL;
    out[0] = '\0';
    if (json_parse(answer->body, strlen(answer->body), &json, NULL) == 0 &&
        json_string(json, name) != NULL)
        (void)snprintf(out, cap_bytes, "%s", json_string(json, name));
}

void harness_log_in(struct harness *harness, struct https_client *client, const char *login)
{
    static struct answer answer;
    char basic[512];
    https_client_init(client, harness->port);
    harness_basic(login, TEST_PASSWORD, basic, sizeof(basic));
    client->authorization = basic;
    assert_true(
        https_client_ask(client, "GET", "/api/rest/authenticate?version=1.0", NULL, &answer));
    client->authorization = NULL;
    assert_int_equal(answer.status, 200);
    harness_text(&answer, "credential", client->cookie, sizeof(client->cookie));
    assert_true(strlen(client->cookie) >= 32);
}

void harness_open_session(struct harness *harness, struct https_client *client)
{
    static struct answer answer;
    harness_log_in(harness, client, TEST_LOGIN);
    assert_true(https_client_ask(client, "POST", "/api/rest/1.0/sessions",
                                 "{\"applicationName\":\"tests\"}", &answer));
    assert_int_equal(answer.status, 200);
}

int harness_subscribe(struct https_client *client, const char *more, char ret_id[64])
{
    static _Thread_local struct answer answer;
    char body[512], status[32];
    (void)snprintf(body, sizeof(body),
                   "{\"filter\":{\"selectors\":[{\"ids\":[],\"names\":[\"system\"]}]},"
                   "\"version\":\"1.0\"%s}",
                   more);
    ret_id[0] = '\0';
    if (!https_client_ask(client, "POST", "/api/rest/1.0/subscriptions", body, &answer))
        return 0;
    harness_text(&answer, "status", status, sizeof(status));
    if (answer.status == 200)
        assert_string_equal(status, "ACCEPTED");
    harness_text(&answer, "subscriptionId", ret_id, 64);
    return answer.status;
}

char *harness_read_file(const char *path)
{
    struct buf text = {0};
    char piece[4096];
    size_t got;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(&text, piece, got);
    (void)fclose(file);
    buf_adds(&text, "");
    return buf_take(&text);
}
