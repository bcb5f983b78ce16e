/* session.c - the way of every client: root descriptor, authentication, session, subscription;
 * and the question whether such a session is still good. */
#include "client.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* timeout 0: it lives as long as its session, with or without a listener */
const char client_subscription_body[] =
    "{\"filter\":{\"selectors\":[{\"ids\":[\"*\"],\"names\":[\"telephony\"]}]},"
    "\"version\":\"1.0\",\"timeout\":0}";

const char *client_url_path(const char *url)
{
    const char *host = strstr(url, "://");
    if (host == NULL)
        return url;
    const char *path = strchr(host + 3, '/');
    return path != NULL ? path : "/";
}

static const char *text_member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* A connection, a place for answers and how long one request may take. */
struct walk {
    const struct client_options *options;
    struct wire_target target;
    struct wire wire;
    struct answer answer;
};

static int walk_init(struct walk *walk, const struct client_options *options)
{
    walk->options = options;
    wire_init(&walk->wire);
    return wire_target_init(&walk->target, options);
}

static void walk_done(struct walk *walk)
{
    wire_close(&walk->wire);
    wire_target_done(&walk->target);
}

static int walk_step(struct walk *walk, const char *method, const char *path, const char *head,
                     const char *body)
{
    int64_t deadline_ms = client_mono_ms() + walk->options->request_ms;
    int r = 0;
    if (!wire_usable(&walk->wire))
        r = wire_open(&walk->wire, &walk->target, walk->options->connect_ms * 5, deadline_ms);
    if (r == 0)
        r = answer_get(&walk->wire, &walk->target, method, path, head, body, deadline_ms,
                       &walk->answer);
    if (r < 0)
        fprintf(stderr, "og-lab-client: %s %s: %s\n", method, path, strerror(-r));
    return r;
}

/* The step must end in 200 with a JSON object. NULL after a message. */
static cJSON *walk_object(struct walk *walk, const char *method, const char *path, const char *head,
                          const char *body)
{
    if (walk_step(walk, method, path, head, body) < 0)
        return NULL;
    cJSON *object = walk->answer.status == 200 ? cJSON_Parse(walk->answer.body) : NULL;
    if (object == NULL)
        fprintf(stderr, "og-lab-client: %s %s: status %d, %.200s\n", method, path,
                walk->answer.status, walk->answer.body);
    return object;
}

static int read_account(const char *path, char *head, size_t size)
{
    char line[256];
    unsigned char coded[400];
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL || fgets(line, sizeof(line), file) == NULL) {
        fprintf(stderr, "og-lab-client: cannot read the account from %s\n",
                path != NULL ? path : "(no --account)");
        if (file != NULL)
            (void)fclose(file);
        return -ENOENT;
    }
    (void)fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    (void)EVP_EncodeBlock(coded, (const unsigned char *)line, (int)strlen(line));
    (void)snprintf(head, size, "Authorization: Basic %s\r\n", (const char *)coded);
    OPENSSL_cleanse(line, sizeof(line));
    return 0;
}

/* 1. and 2.: finds the authentication resource, gets a credential. cookie: "NAME=VALUE". */
static int authenticate(struct walk *walk, char *cookie, size_t size, char *sessions, size_t room)
{
    char path[512] = "";
    char basic[512];

    cJSON *root = walk_object(walk, "GET", "/api/rest", NULL, NULL);
    const cJSON *version = NULL;
    cJSON_ArrayForEach(version, cJSON_GetObjectItemCaseSensitive(root, "versions"))
    {
        const char *id = text_member(version, "id");
        const char *url = text_member(version, "publicUrl");
        if (id != NULL && url != NULL && strcmp(id, "1.0") == 0)
            (void)snprintf(path, sizeof(path), "%s", client_url_path(url));
    }
    cJSON_Delete(root);
    if (path[0] == '\0') {
        fprintf(stderr, "og-lab-client: the server offers no version 1.0\n");
        return -EPROTO;
    }
    if (read_account(walk->options->account_file, basic, sizeof(basic)) < 0)
        return -EINVAL;
    cJSON *object = walk_object(walk, "GET", path, basic, NULL);
    OPENSSL_cleanse(basic, sizeof(basic));
    const char *url = text_member(object, "publicUrl");
    int r = 0;
    if (url == NULL || walk->answer.cookie[0] == '\0') {
        fprintf(stderr, "og-lab-client: no credential in the answer to the authentication\n");
        r = -EPROTO;
    } else {
        (void)snprintf(cookie, size, "%s", walk->answer.cookie);
        (void)snprintf(sessions, room, "%s", client_url_path(url));
    }
    cJSON_Delete(object);
    return r;
}

static int subscribe(struct walk *walk, const char *base, const char *head, cJSON *out)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/subscriptions", base);
    cJSON *object = walk_object(walk, "POST", path, head, client_subscription_body);
    const char *id = text_member(object, "subscriptionId");
    const char *url = text_member(object, "publicPollingUrl");
    const char *status = text_member(object, "status");
    int r = id != NULL && url != NULL && status != NULL && strcmp(status, "ACCEPTED") == 0
                ? 0
                : -EPROTO;
    if (r == 0) {
        (void)cJSON_AddStringToObject(out, "subscriptionId", id);
        (void)cJSON_AddStringToObject(out, "pollingUrl", url);
    } else if (object != NULL) {
        fprintf(stderr, "og-lab-client: the subscription was not accepted: %.200s\n",
                walk->answer.body);
    }
    cJSON_Delete(object);
    return r;
}

static int open_session(struct walk *walk, cJSON *out)
{
    char cookie[ANSWER_COOKIE_BYTES];
    char head[ANSWER_COOKIE_BYTES + 16];
    char sessions[512];
    char base[512];

    int r = authenticate(walk, cookie, sizeof(cookie), sessions, sizeof(sessions));
    if (r < 0)
        return r;
    (void)snprintf(head, sizeof(head), "Cookie: %s\r\n", cookie);
    cJSON *object =
        walk_object(walk, "POST", sessions, head, "{\"applicationName\":\"og-lab-client\"}");
    const char *url = text_member(object, "publicBaseUrl");
    if (url == NULL) {
        cJSON_Delete(object);
        fprintf(stderr, "og-lab-client: no session\n");
        return -EPROTO;
    }
    (void)snprintf(base, sizeof(base), "%s", client_url_path(url));
    (void)cJSON_AddStringToObject(out, "cookie", cookie);
    (void)cJSON_AddStringToObject(out, "base", base);
    (void)cJSON_AddItemToObject(out, "session", object);
    return walk->options->subscribe ? subscribe(walk, base, head, out) : 0;
}

static void print_and_free(cJSON *object)
{
    char *text = cJSON_Print(object);
    (void)puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

int client_run_session(const struct client_options *options)
{
    struct walk walk;
    if (walk_init(&walk, options) < 0)
        return 1;
    cJSON *out = cJSON_CreateObject();
    int r = open_session(&walk, out);
    if (r == 0)
        print_and_free(out);
    else
        cJSON_Delete(out);
    walk_done(&walk);
    return r == 0 ? 0 : 1;
}

int client_session_load(struct client_session *session, const char *path)
{
    char text[ANSWER_BODY_BYTES];
    memset(session, 0, sizeof(*session));
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL) {
        fprintf(stderr, "og-lab-client: cannot read the session from %s\n",
                path != NULL ? path : "(no --session)");
        return -ENOENT;
    }
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    cJSON *object = cJSON_Parse(text);
    const char *cookie = text_member(object, "cookie");
    const char *base = text_member(object, "base");
    const char *polling = text_member(object, "pollingUrl");
    int r = cookie != NULL && base != NULL ? 0 : -EINVAL;
    if (r == 0) {
        (void)snprintf(session->cookie_head, sizeof(session->cookie_head), "Cookie: %s\r\n",
                       cookie);
        (void)snprintf(session->base_path, sizeof(session->base_path), "%s", base);
        if (polling != NULL)
            (void)snprintf(session->polling_path, sizeof(session->polling_path), "%s",
                           client_url_path(polling));
    } else {
        fprintf(stderr, "og-lab-client: %s is not what 'session' prints\n", path);
    }
    cJSON_Delete(object);
    return r;
}

/* One question of 'check': is the status what it must be? */
static bool check_step(struct walk *walk, const struct client_session *session, cJSON *out,
                       const char *name, const char *method, const char *tail, int wanted)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s%s", session->base_path, tail);
    bool good = walk_step(walk, method, path, session->cookie_head, NULL) == 0 &&
                (wanted == 200 ? walk->answer.status == 200 : walk->answer.status / 100 == 2);
    if (!good)
        fprintf(stderr, "og-lab-client: %s %s: status %d\n", method, path, walk->answer.status);
    (void)cJSON_AddBoolToObject(out, name, good);
    return good;
}

int client_run_check(const struct client_options *options)
{
    struct walk walk;
    struct client_session session;
    if (client_session_load(&session, options->session_file) < 0 || walk_init(&walk, options) < 0)
        return 1;
    cJSON *out = cJSON_CreateObject();
    cJSON *fresh = cJSON_CreateObject();
    bool good = check_step(&walk, &session, out, "session", "GET", "/sessions", 200);
    good &= check_step(&walk, &session, out, "keepalive", "POST", "/sessions/keepalive", 2);
    /* a new subscription with the old credential, and its end */
    bool subscribed = subscribe(&walk, session.base_path, session.cookie_head, fresh) == 0;
    (void)cJSON_AddBoolToObject(out, "subscribe", subscribed);
    good &= subscribed;
    if (subscribed) {
        char tail[512];
        (void)snprintf(tail, sizeof(tail), "/subscriptions/%s",
                       text_member(fresh, "subscriptionId"));
        good &= check_step(&walk, &session, out, "unsubscribe", "DELETE", tail, 2);
    }
    (void)cJSON_AddBoolToObject(out, "good", good);
    cJSON_Delete(fresh);
    print_and_free(out);
    walk_done(&walk);
    return good ? 0 : 1;
}
