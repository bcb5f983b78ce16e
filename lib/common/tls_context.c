/* tls_context.c - certificates, verification, and the BIO that connects OpenSSL with a channel. */
#include "lib/common/tls_private.h"

#include "lib/common/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICKET_KEY_CAP_BYTES = 256 };

struct tls_context {
    SSL_CTX *ssl_context; /* replaced as a whole by a reload */
    BIO_METHOD *bio_method;
    char *certificate_file, *key_file, *ca_file;
    bool is_client;
    unsigned references;
};

const char *tls__reason(void)
{
    unsigned long code = ERR_get_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text != NULL ? text : "TLS error";
}

/* --- the BIO ---------------------------------------------------------------------------------- */
static int bio_read(BIO *bio, char *bytes, int cap_bytes)
{
    const struct tls__io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    int len = cap_bytes > 0 ? io->take(io->data, bytes, cap_bytes) : 0;
    if (len > 0)
        return len;
    BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *bytes, int len_bytes)
{
    const struct tls__io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return io->give(io->data, bytes, len_bytes);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *new_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "channel");
    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

/* --- loading ---------------------------------------------------------------------------------- */
/* A key with a pass phrase would make OpenSSL ask on the terminal: never. */
static int no_password(char *out, int cap_bytes, int writing, void *context)
{
    (void)out;
    (void)cap_bytes;
    (void)writing;
    (void)context;
    return -1;
}

static int check_readable(const char *path, struct diag *diag)
{
    if (access(path, R_OK) == 0)
        return 0;
    int code = errno;
    return diag_fail(diag, -code, "%s: %s", path, strerror(code));
}

static int load_certificate(SSL_CTX *ssl_context, const struct tls_context *context,
                            struct diag *diag)
{
    int r = check_readable(context->certificate_file, diag);
    if (r == 0)
        r = check_readable(context->key_file, diag);
    if (r < 0)
        return r;
    if (SSL_CTX_use_certificate_chain_file(ssl_context, context->certificate_file) != 1)
        return diag_fail(diag, -EINVAL, "%s: not a PEM certificate chain: %s",
                         context->certificate_file, tls__reason());
    if (SSL_CTX_use_PrivateKey_file(ssl_context, context->key_file, SSL_FILETYPE_PEM) != 1)
        return diag_fail(diag, -EINVAL, "%s: not a usable PEM key for %s: %s", context->key_file,
                         context->certificate_file, tls__reason());
    if (SSL_CTX_check_private_key(ssl_context) != 1)
        return diag_fail(diag, -EINVAL, "%s does not belong to %s", context->key_file,
                         context->certificate_file);
    return 0;
}

static int load_authorities(SSL_CTX *ssl_context, const struct tls_context *context,
                            struct diag *diag)
{
    if (context->ca_file == NULL) {
        if (context->is_client && SSL_CTX_set_default_verify_paths(ssl_context) != 1)
            return diag_fail(diag, -EINVAL, "the system's authorities: %s", tls__reason());
        return 0;
    }
    int r = check_readable(context->ca_file, diag);
    if (r < 0)
        return r;
    if (SSL_CTX_load_verify_file(ssl_context, context->ca_file) != 1)
        return diag_fail(diag, -EINVAL, "%s: no PEM certificates of authorities: %s",
                         context->ca_file, tls__reason());
    if (!context->is_client) {
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(context->ca_file);
        if (names == NULL)
            return diag_fail(diag, -EINVAL, "%s: %s", context->ca_file, tls__reason());
        SSL_CTX_set_client_CA_list(ssl_context, names); /* takes names */
    }
    return 0;
}

static void set_manners(SSL_CTX *ssl_context, const struct tls_context *context)
{
    static const unsigned char session_owner[] = "open-gateway";
    (void)SSL_CTX_set_options(ssl_context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                               SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(ssl_context, SSL_MODE_RELEASE_BUFFERS);
    /* Tickets carry the session: no cache in memory grows with the number of clients. */
    (void)SSL_CTX_set_session_cache_mode(ssl_context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(ssl_context, session_owner, sizeof(session_owner) - 1);
    SSL_CTX_set_default_passwd_cb(ssl_context, no_password);
    int verify = SSL_VERIFY_NONE;
    if (context->is_client)
        verify = SSL_VERIFY_PEER;
    else if (context->ca_file != NULL)
        verify = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ssl_context, verify, NULL);
}

static int load(const struct tls_context *context, SSL_CTX **ret_ssl_context, struct diag *diag)
{
    ERR_clear_error();
    SSL_CTX *ssl_context =
        SSL_CTX_new(context->is_client ? TLS_client_method() : TLS_server_method());
    if (ssl_context == NULL)
        return -ENOMEM;
    set_manners(ssl_context, context);
    int r = 0;
    if (SSL_CTX_set_min_proto_version(ssl_context, TLS1_2_VERSION) != 1)
        r = diag_fail(diag, -EINVAL, "TLS 1.2: %s", tls__reason());
    if (r == 0 && context->certificate_file != NULL)
        r = load_certificate(ssl_context, context, diag);
    if (r == 0)
        r = load_authorities(ssl_context, context, diag);
    if (r < 0) {
        SSL_CTX_free(ssl_context);
        ERR_clear_error();
        return r;
    }
    *ret_ssl_context = ssl_context;
    return 0;
}

static int copy_text(const char *text, char **ret_copy)
{
    if (text == NULL)
        return 0;
    *ret_copy = strdup(text);
    return *ret_copy != NULL ? 0 : -ENOMEM;
}

static int context_new(const struct tls_options *options, bool is_client,
                       struct tls_context **ret_context, struct diag *diag)
{
    if ((options->certificate_file == NULL) != (options->key_file == NULL) ||
        (!is_client && options->certificate_file == NULL))
        return diag_fail(diag, -EINVAL, "TLS needs a certificate file and its key file");
    struct tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return -ENOMEM;
    context->references = 1;
    context->is_client = is_client;
    int r = copy_text(options->certificate_file, &context->certificate_file);
    if (r == 0)
        r = copy_text(options->key_file, &context->key_file);
    if (r == 0)
        r = copy_text(options->ca_file, &context->ca_file);
    if (r == 0) {
        context->bio_method = new_bio_method();
        r = context->bio_method != NULL ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = load(context, &context->ssl_context, diag);
    if (r < 0) {
        tls_context_free(context);
        return r;
    }
    *ret_context = context;
    return 0;
}

int tls_server_context_new(const struct tls_options *options, struct tls_context **ret_context,
                           struct diag *diag)
{
    return context_new(options, false, ret_context, diag);
}

int tls_client_context_new(const struct tls_options *options, struct tls_context **ret_context,
                           struct diag *diag)
{
    return context_new(options, true, ret_context, diag);
}

/* Tickets handed out before the reload stay good: the new context gets the old ticket keys. */
static void keep_ticket_keys(SSL_CTX *from, SSL_CTX *to)
{
    unsigned char keys[TICKET_KEY_CAP_BYTES];
    long len = SSL_CTX_get_tlsext_ticket_keys(from, NULL, 0);
    if (len <= 0 || len > (long)sizeof(keys))
        return;
    if (SSL_CTX_get_tlsext_ticket_keys(from, keys, len) == 1)
        (void)SSL_CTX_set_tlsext_ticket_keys(to, keys, len);
    OPENSSL_cleanse(keys, sizeof(keys));
}

int tls_context_reload(struct tls_context *context, struct diag *diag)
{
    SSL_CTX *fresh = NULL;
    int r = load(context, &fresh, diag);
    if (r < 0)
        return r;
    if (!context->is_client)
        keep_ticket_keys(context->ssl_context, fresh);
    SSL_CTX_free(context->ssl_context); /* open channels hold their own reference */
    context->ssl_context = fresh;
    return 0;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL || --context->references > 0)
        return;
    SSL_CTX_free(context->ssl_context);
    BIO_meth_free(context->bio_method);
    free(context->certificate_file);
    free(context->key_file);
    free(context->ca_file);
    free(context);
}

struct tls_context *tls__context_ref(struct tls_context *context)
{
    context->references++;
    return context;
}

/* --- one connection's SSL --------------------------------------------------------------------- */
static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The certificate must carry this name or address; the verification flags alone check the chain
 * only. */
static bool expect_host(SSL *ssl, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    /* OpenSSL's macro casts the const away; it only reads the name */
    void *name = (void *)(uintptr_t)host;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

SSL *tls__context_new_ssl(struct tls_context *context, const char *host, const struct tls__io *io)
{
    if (context->is_client && (host == NULL || host[0] == '\0'))
        return NULL;
    SSL *ssl = SSL_new(context->ssl_context);
    BIO *bio = BIO_new(context->bio_method);
    if (ssl == NULL || bio == NULL || (context->is_client && !expect_host(ssl, host))) {
        SSL_free(ssl);
        (void)BIO_free(bio);
        ERR_clear_error();
        return NULL;
    }
    union {
        const void *in;
        void *out;
    } shared = {.in = io}; /* BIO data has no const; bio_read and bio_write do not write to it */
    BIO_set_data(bio, shared.out);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio); /* takes bio */
    if (context->is_client)
        SSL_set_connect_state(ssl);
    else
        SSL_set_accept_state(ssl);
    return ssl;
}
