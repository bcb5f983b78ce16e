/* client.h - what the parts of og-lab-client share.
 *
 * The client plays an application that uses the pair through its service address, and measures
 * what that application notices. It shares no code with the server: HTTP and TLS are done here, on
 * plain sockets, so that a mistake of ours on one side does not hide behind the same on the other.
 *
 * Files in reading order: client.h, main.c (options), wire.c (one connection), answer.c (HTTP),
 * event_stream.c (one life of an event channel), then one file for each mode: session.c, write.c,
 * probe.c, channel.c, arp.c, and talk.c with talk_user.c and talk_order.c, the order of events.
 */
#ifndef LAB_CLIENT_H
#define LAB_CLIENT_H

#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Set by SIGTERM and SIGINT, or when --seconds are over: every loop ends soon after. */
extern volatile sig_atomic_t client_stop;

/* What the command line says; strings belong to it. */
struct client_options {
    const char *address; /* host name or address of the service */
    const char *port;
    const char *ca_file;      /* NULL: the server's certificate is not verified */
    const char *session_file; /* what 'session' printed */
    const char *peer_file;    /* the same of the user that is called */
    const char *account_file; /* first line "login:password" */
    const char *out_file;
    const char *mark_file;
    const char *url;
    const char *interface;
    double rate_per_s;
    double seconds; /* 0: until told to stop */
    unsigned connections;
    unsigned every_ms;
    unsigned connect_ms;
    unsigned first_ms;   /* limit of the first request on a connection, TLS handshake included */
    unsigned request_ms; /* limit of every later one */
    unsigned gap_ms;     /* a longer time without a good answer is an outage */
    bool subscribe;
};

/* One mode. Prints one JSON object on stdout. Returns the exit status. */
int client_run_session(const struct client_options *options);
int client_run_check(const struct client_options *options);
int client_run_write(const struct client_options *options);
int client_run_probe(const struct client_options *options);
int client_run_channel(const struct client_options *options);
int client_run_arp(const struct client_options *options);
int client_run_talk(const struct client_options *options);

/* Milliseconds since 1970 (to compare with other programs' times) and since some fixed moment. */
int64_t client_wall_ms(void);
int64_t client_mono_ms(void);
/* Sleeps until that moment, or until told to stop. */
void client_sleep_until(int64_t mono_ms);
/* Tells whether the mode is to end; deadline_ms 0: only by a signal. */
bool client_over(int64_t deadline_ms);
int64_t client_deadline(const struct client_options *options);

/* A line-wise record, written through at once so that it is complete when the client is killed.
 * Several threads may write. NULL path: an empty record that takes and drops everything. */
struct client_record {
    int fd;
};
int client_record_open(struct client_record *record, const char *path);
void client_record_line(struct client_record *record, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void client_record_close(struct client_record *record);

/* ---- wire.c: one connection ---- */

/* Where to, and how. The TLS context belongs to whoever made the target. */
struct wire_target {
    char host[128];
    char port[8];
    SSL_CTX *tls; /* NULL: plain */
    bool verify;
};
/* options: address, port, CA file. 0, or -errno with a message on stderr. */
int wire_target_init(struct wire_target *target, const struct client_options *options);
void wire_target_done(struct wire_target *target);

enum { WIRE_BUFFER_BYTES = 16384 };
struct wire {
    int fd; /* -1: closed */
    SSL *ssl;
    unsigned requests; /* answered so far */
    size_t begin, end; /* unread bytes in buffer */
    char buffer[WIRE_BUFFER_BYTES];
};
void wire_init(struct wire *wire);
/* Connects (within connect_ms) and shakes hands (before deadline). 0 or -errno. */
int wire_open(struct wire *wire, const struct wire_target *target, unsigned connect_ms,
              int64_t deadline_mono_ms);
void wire_close(struct wire *wire);
/* False when the peer has closed or reset an idle connection: nothing was sent on it in vain. */
bool wire_usable(struct wire *wire);
/* All bytes before the deadline, or -errno (-ETIMEDOUT, -ECONNRESET, -EPIPE ...). */
int wire_send(struct wire *wire, const char *data, size_t length, int64_t deadline_mono_ms);
/* At least one byte into the buffer; 0 at the end of the stream, > 0 bytes read, or -errno.
 * deadline 0: waits until told to stop (-ECANCELED). */
int wire_fill(struct wire *wire, int64_t deadline_mono_ms);

/* ---- answer.c: HTTP on it ---- */

enum { ANSWER_BODY_BYTES = 65536, ANSWER_COOKIE_BYTES = 2048 };
struct answer {
    int status;
    bool chunked;
    bool keep_alive;
    long content_length;              /* -1: not given */
    char cookie[ANSWER_COOKIE_BYTES]; /* "NAME=VALUE" of the first Set-Cookie, or empty */
    size_t length;
    char body[ANSWER_BODY_BYTES + 1]; /* ends with NUL; cut when longer */
};

/* One request; head lines are added as given (each with CRLF). body NULL: none.
 * 0 when an answer was read to its end, or -errno; the connection is closed then. */
int answer_get(struct wire *wire, const struct wire_target *target, const char *method,
               const char *path, const char *head_lines, const char *body, int64_t deadline_mono_ms,
               struct answer *ret_answer);
/* The same, but only up to the end of the answer's head. */
int answer_get_head(struct wire *wire, const struct wire_target *target, const char *method,
                    const char *path, const char *head_lines, const char *body,
                    int64_t deadline_mono_ms, struct answer *ret_answer);

/* The chunked body of an answer as lines, whatever the chunks. */
struct answer_lines {
    long left; /* bytes of the present chunk; -1: before a chunk's size */
    size_t length;
    char line[ANSWER_BODY_BYTES];
};
/* 1: a line is in lines->line (NUL at its end); 0: clean end of the body; or -errno. */
int answer_next_line(struct wire *wire, struct answer_lines *lines);

/* ---- event_stream.c: a channel, from its opening to its end ---- */

/* Nothing here has a time-out once it is open. The callbacks come on the caller's thread. */
struct event_stream {
    const struct client_options *options;
    const struct wire_target *target;
    const char *path, *cookie_head;
    void (*opened)(void *context);
    void (*event)(void *context, const char *line);
    void *context;
    struct wire wire; /* wire_init() it; closed between two lives */
    struct answer answer;
    struct answer_lines lines;
};
struct event_stream_end {
    bool opened;
    int status; /* of the answer; 0: none came */
    int reason; /* 0: clean end; -ECANCELED: told to stop; or what broke it */
};
struct event_stream_end event_stream_read(struct event_stream *stream);

/* ---- session.c, for the other modes ---- */

struct client_session {
    char cookie_head[ANSWER_COOKIE_BYTES + 16]; /* "Cookie: ...\r\n" */
    char base_path[256];                        /* "/api/rest/1.0" */
    char polling_path[1024];                    /* of the subscription, or empty */
};
/* Reads what 'session' printed into that file. 0, or -errno with a message. */
int client_session_load(struct client_session *session, const char *path);
/* The path within an absolute URL, or the URL itself when it is a path. */
const char *client_url_path(const char *url);
extern const char client_subscription_body[];

#endif
