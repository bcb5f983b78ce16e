#include "tests/support/pg_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64, ANSWER_WITHIN_MS = 60000, LOOK_EVERY_MS = 20 };

struct pg_server {
    char folder[256];
    char data[300], log[300];
    char programs[256]; /* folder of initdb and postgres */
    char port[8];
    bool tcp, tls;
    char tls_settings[2][320];
    const char *settings[16]; /* the caller's, borrowed */
    bool root;
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

static int find_programs(struct pg_server *server)
{
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0) {
        (void)fprintf(stderr, "no PostgreSQL server programs found (package postgresql)\n");
        return -1;
    }
    const char *last = found.gl_pathv[found.gl_pathc - 1];
    (void)snprintf(server->programs, sizeof(server->programs), "%.*s",
                   (int)(strrchr(last, '/') - last), last);
    globfree(&found);
    return 0;
}

static int choose_user(struct pg_server *server)
{
    server->root = getuid() == 0; /* which PostgreSQL refuses */
    if (!server->root)
        return 0;
    struct passwd entry, *result = NULL;
    char memory[4096];
    (void)getpwnam_r("postgres", &entry, memory, sizeof(memory), &result);
    if (result == NULL) {
        (void)fprintf(stderr, "no user postgres\n");
        return -1;
    }
    server->uid = entry.pw_uid;
    server->gid = entry.pw_gid;
    return chown(server->folder, server->uid, server->gid);
}

static int choose_port(struct pg_server *server)
{
    (void)snprintf(server->port, sizeof(server->port), "5432");
    if (!server->tcp)
        return 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int r = fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
                    getsockname(fd, (struct sockaddr *)&address, &len) != 0
                ? -1
                : 0;
    if (fd >= 0)
        (void)close(fd);
    (void)snprintf(server->port, sizeof(server->port), "%u", (unsigned)ntohs(address.sin_port));
    return r;
}

/* Starts a program as the server's user, its output appended to the server's log. */
static pid_t launch(const struct pg_server *server, const char *program, char *const *arguments)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;

    int log = open(server->log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    int null = open("/dev/null", O_RDONLY);
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(127);
    if (server->root &&
        (setgroups(0, NULL) != 0 || setgid(server->gid) != 0 || setuid(server->uid) != 0))
        _exit(127);
    /* behind setuid(), which would clear it */
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir("/") != 0)
        _exit(127);
    (void)execv(program, arguments);
    _exit(127);
}

static void show_log(const struct pg_server *server)
{
    FILE *log = fopen(server->log, "re");
    char line[512];
    while (log != NULL && fgets(line, sizeof(line), log) != NULL)
        (void)fprintf(stderr, "  %s", line);
    if (log != NULL)
        (void)fclose(log);
}

static int wait_exit(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int init_data(const struct pg_server *server)
{
    char program[300], data[320];
    (void)snprintf(program, sizeof(program), "%s/initdb", server->programs);
    (void)snprintf(data, sizeof(data), "--pgdata=%s", server->data);
    const char *arguments[] = {"initdb",
                               data,
                               "--username=postgres",
                               "--auth=trust",
                               "--no-sync",
                               "--encoding=UTF8",
                               "--locale=C",
                               "--no-instructions",
                               NULL};
    pid_t pid = launch(server, program, (char *const *)(uintptr_t)arguments);
    if (pid > 0 && wait_exit(pid) == 0)
        return 0;
    (void)fprintf(stderr, "initdb failed:\n");
    show_log(server);
    return -1;
}

static int make_certificate(struct pg_server *server)
{
    char key[300], certificate[300];
    (void)snprintf(key, sizeof(key), "%s/server.key", server->folder);
    (void)snprintf(certificate, sizeof(certificate), "%s/server.crt", server->folder);
    (void)snprintf(server->tls_settings[0], sizeof(server->tls_settings[0]), "ssl_key_file=%s",
                   key);
    (void)snprintf(server->tls_settings[1], sizeof(server->tls_settings[1]), "ssl_cert_file=%s",
                   certificate);
    const char *arguments[] = {"openssl",
                               "req",
                               "-x509",
                               "-newkey",
                               "ec",
                               "-pkeyopt",
                               "ec_paramgen_curve:P-256",
                               "-nodes",
                               "-subj",
                               "/CN=127.0.0.1",
                               "-addext",
                               "subjectAltName=IP:127.0.0.1",
                               "-keyout",
                               key,
                               "-out",
                               certificate,
                               NULL};
    pid_t pid = launch(server, "/usr/bin/openssl", (char *const *)(uintptr_t)arguments);
    if (pid > 0 && wait_exit(pid) == 0)
        return 0;
    (void)fprintf(stderr, "openssl failed:\n");
    show_log(server);
    return -1;
}

static bool answers(const struct pg_server *server)
{
    const char *keywords[] = {"host", "port", "user", "dbname", NULL};
    const char *values[] = {server->folder, server->port, "postgres", "postgres", NULL};
    return PQpingParams(keywords, values, 0) == PQPING_OK;
}

int pg_server_start(struct pg_server *server)
{
    char program[300];
    (void)snprintf(program, sizeof(program), "%s/postgres", server->programs);
    const char *arguments[ARGUMENTS_MAX] = {
        "postgres",   "-D",           server->data,
        "-k",         server->folder, "-p",
        server->port, "-h",           server->tcp ? "127.0.0.1" : ""};
    size_t count = 9;
    /* small and without waits for the disk: a test's server does not outlive its test */
    static const char *const defaults[] = {"fsync=off", "shared_buffers=16MB", "max_connections=50",
                                           "log_min_messages=fatal", "logging_collector=off"};
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        arguments[count++] = "-c";
        arguments[count++] = defaults[i];
    }
    const char *const tls[] = {"ssl=on", server->tls_settings[0], server->tls_settings[1]};
    for (size_t i = 0; server->tls && i < sizeof(tls) / sizeof(tls[0]); i++) {
        arguments[count++] = "-c";
        arguments[count++] = tls[i];
    }
    for (size_t i = 0; server->settings[i] != NULL; i++) {
        arguments[count++] = "-c";
        arguments[count++] = server->settings[i];
    }
    server->pid = launch(server, program, (char *const *)(uintptr_t)arguments);
    for (int waited_ms = 0; waited_ms < ANSWER_WITHIN_MS; waited_ms += LOOK_EVERY_MS) {
        if (server->pid <= 0 || waitpid(server->pid, NULL, WNOHANG) != 0)
            break;
        if (answers(server))
            return 0;
        (void)usleep(LOOK_EVERY_MS * 1000);
    }
    (void)fprintf(stderr, "postgres did not start:\n");
    show_log(server);
    if (server->pid > 0)
        (void)kill(server->pid, SIGQUIT);
    server->pid = 0;
    return -1;
}

static int prepare(struct pg_server *server, const struct pg_server_options *options)
{
    const char *temp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    (void)snprintf(server->folder, sizeof(server->folder), "%s/og-pg-XXXXXX",
                   temp != NULL && strlen(temp) < 60 ? temp : "/tmp");
    if (mkdtemp(server->folder) == NULL) {
        perror(server->folder);
        server->folder[0] = '\0';
        return -1;
    }
    (void)snprintf(server->data, sizeof(server->data), "%s/data", server->folder);
    (void)snprintf(server->log, sizeof(server->log), "%s/log", server->folder);
    server->tls = options != NULL && options->tls;
    server->tcp = server->tls || (options != NULL && options->tcp);
    size_t room = sizeof(server->settings) / sizeof(server->settings[0]) - 1;
    for (size_t i = 0; options != NULL && options->settings != NULL && options->settings[i] != NULL;
         i++) {
        if (i == room)
            return -1;
        server->settings[i] = options->settings[i];
    }
    if (find_programs(server) != 0 || choose_user(server) != 0 || choose_port(server) != 0)
        return -1;
    if (server->tls && make_certificate(server) != 0)
        return -1;
    return init_data(server);
}

struct pg_server *pg_server_new(const struct pg_server_options *options)
{
    struct pg_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return NULL;
    if (prepare(server, options) != 0 || pg_server_start(server) != 0) {
        pg_server_free(server);
        return NULL;
    }
    return server;
}

/* Children of the postmaster, which leave its process group (each calls setsid). */
static void signal_children(pid_t pid, int signal)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *children = fopen(path, "re");
    char text[16];
    while (children != NULL && fscanf(children, "%15s", text) == 1)
        (void)kill((pid_t)strtol(text, NULL, 10), signal);
    if (children != NULL)
        (void)fclose(children);
}

void pg_server_crash(struct pg_server *server)
{
    if (server->pid <= 0)
        return;
    (void)kill(server->pid, SIGQUIT);
    (void)wait_exit(server->pid);
    server->pid = 0;
}

void pg_server_pause(struct pg_server *server)
{
    (void)kill(server->pid, SIGSTOP); /* first: it starts no further child */
    signal_children(server->pid, SIGSTOP);
}

void pg_server_resume(struct pg_server *server)
{
    signal_children(server->pid, SIGCONT);
    (void)kill(server->pid, SIGCONT);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void pg_server_free(struct pg_server *server)
{
    if (server == NULL)
        return;
    if (server->pid > 0)
        pg_server_resume(server); /* a stopped process would not hear of its end */
    pg_server_crash(server);
    if (server->folder[0] != '\0')
        (void)nftw(server->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(server);
}

const char *pg_server_folder(const struct pg_server *server)
{
    return server->folder;
}

const char *pg_server_port(const struct pg_server *server)
{
    return server->port;
}

pid_t pg_server_pid(const struct pg_server *server)
{
    return server->pid;
}

int pg_server_run(struct pg_server *server, const char *sql, char *out, size_t cap_bytes)
{
    const char *keywords[] = {"host", "port", "user", "dbname", NULL};
    const char *values[] = {server->folder, server->port, "postgres", "postgres", NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 0);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    int r = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : -1;
    if (r != 0)
        (void)fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(conn));
    bool has_value = r == 0 && PQntuples(result) > 0 && PQnfields(result) > 0;
    if (out != NULL)
        (void)snprintf(out, cap_bytes, "%s", has_value ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
    return r;
}
