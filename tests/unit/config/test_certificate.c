#include "lib/common/small_file.h"
#include "lib/config/certificate.h"

#include "lib/config/cluster_key.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Two nodes with one key file, each with its own certificate files. */
struct pair {
    char folder[64], ca_file[2][96];
    struct config node[2];
};

static void fill_node(struct pair *pair, unsigned i)
{
    struct config *config = &pair->node[i];
    char folder[64]; /* a copy: the compiler cannot see that source and target do not overlap */
    memcpy(folder, pair->folder, sizeof(folder));
    config_set_defaults(config);
    (void)snprintf(config->pair.key_file, CONFIG_PATH_CHARS, "%s/cluster.key", folder);
    (void)snprintf(config->gateway.certificate_file, CONFIG_PATH_CHARS, "%s/%u.crt", folder, i);
    (void)snprintf(config->gateway.key_file, CONFIG_PATH_CHARS, "%s/%u.key", folder, i);
    (void)snprintf(pair->ca_file[i], sizeof(pair->ca_file[i]), "%s/ca%u.pem", folder, i);
    (void)snprintf(config->vip.fqdn, CONFIG_NAME_CHARS, "global.example.org");
    (void)snprintf(config->vip.address, CONFIG_ADDRESS_CHARS, "192.0.2.100");
    (void)snprintf(config->host.fqdn, CONFIG_NAME_CHARS, "node%u.example.org", i);
    (void)snprintf(config->host.address, CONFIG_ADDRESS_CHARS, "192.0.2.1%u", i + 1);
}

static int make_pair(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    struct diag diag = {0};
    (void)snprintf(pair->folder, sizeof(pair->folder), "/tmp/test-certificate-XXXXXX");
    if (mkdtemp(pair->folder) == NULL)
        return -1;
    fill_node(pair, 0);
    fill_node(pair, 1);
    *state = pair;
    return cluster_key_create(pair->node[0].pair.key_file, &diag);
}

static int remove_pair(void **state)
{
    struct pair *pair = *state;
    for (unsigned i = 0; i < 2; i++) {
        (void)unlink(pair->node[i].gateway.certificate_file);
        (void)unlink(pair->node[i].gateway.key_file);
        (void)unlink(pair->ca_file[i]);
    }
    (void)unlink(pair->node[0].pair.key_file);
    int r = rmdir(pair->folder);
    free(pair);
    return r;
}

static void ensure(struct pair *pair, unsigned i, bool expect_made)
{
    bool made = !expect_made;
    struct diag diag = {0};
    int r = certificate_ensure(&pair->node[i], pair->ca_file[i], &made, &diag);
    if (r < 0)
        print_error("%s\n", diag.text);
    assert_int_equal(r, 0);
    assert_int_equal(made, expect_made);
}

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    assert_non_null(certificate);
    return certificate;
}

/* Does a client that trusts ca_file accept the certificate as that of host? */
static bool client_accepts(const char *ca_file, const char *certificate_file, const char *host)
{
    X509 *ca = read_certificate(ca_file), *certificate = read_certificate(certificate_file);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    bool accepted =
        X509_verify_cert(context) == 1 && (X509_check_host(certificate, host, 0, 0, NULL) == 1 ||
                                           X509_check_ip_asc(certificate, host, 0) == 1);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(ca);
    X509_free(certificate);
    return accepted;
}

static void a_client_that_trusts_one_node_trusts_the_other(void **state)
{
    struct pair *pair = *state;
    ensure(pair, 0, true);
    ensure(pair, 1, true);
    for (unsigned trusted = 0; trusted < 2; trusted++)
        for (unsigned server = 0; server < 2; server++) {
            const char *file = pair->node[server].gateway.certificate_file;
            assert_true(client_accepts(pair->ca_file[trusted], file, "global.example.org"));
            assert_true(client_accepts(pair->ca_file[trusted], file, "192.0.2.100"));
            assert_false(client_accepts(pair->ca_file[trusted], file, "other.example.org"));
        }
}

static void another_pairs_authority_is_not_accepted(void **state)
{
    struct pair *pair = *state;
    ensure(pair, 0, true);
    assert_int_equal(unlink(pair->node[0].pair.key_file), 0);
    struct diag diag = {0};
    assert_int_equal(cluster_key_create(pair->node[0].pair.key_file, &diag), 0);
    ensure(pair, 1, true);
    assert_false(client_accepts(pair->ca_file[1], pair->node[0].gateway.certificate_file,
                                "global.example.org"));
}

static void a_second_run_keeps_what_is_there(void **state)
{
    struct pair *pair = *state;
    char *before = NULL, *after = NULL;
    size_t before_len = 0, after_len = 0;
    const char *file = pair->node[0].gateway.certificate_file;
    ensure(pair, 0, true);
    assert_int_equal(small_file_read(file, 65536, &before, &before_len, NULL), 0);
    ensure(pair, 0, false);
    assert_int_equal(small_file_read(file, 65536, &after, &after_len, NULL), 0);
    assert_string_equal(before, after);
    small_file_free(before, before_len);
    small_file_free(after, after_len);
}

static void the_key_is_not_for_everybody(void **state)
{
    struct pair *pair = *state;
    struct stat st;
    ensure(pair, 0, true);
    assert_int_equal(stat(pair->node[0].gateway.key_file, &st), 0);
    assert_int_equal(st.st_mode & 0037, 0);
}

static int expect_refusal(const struct config *config, const char *ca_file, const char *says)
{
    bool made = true;
    struct diag diag = {0};
    int r = certificate_ensure(config, ca_file, &made, &diag);
    assert_false(made);
    if (strstr(diag.text, says) == NULL)
        print_error("'%s' was expected, found: %s\n", says, diag.text);
    assert_non_null(strstr(diag.text, says));
    return r;
}

static void brought_files_that_do_not_fit_are_refused(void **state)
{
    struct pair *pair = *state;
    ensure(pair, 0, true);
    ensure(pair, 1, true);
    struct config mixed = pair->node[0];
    memcpy(mixed.gateway.key_file, pair->node[1].gateway.key_file, CONFIG_PATH_CHARS);
    assert_int_equal(expect_refusal(&mixed, pair->ca_file[0], "is not the key of"), -EINVAL);

    memcpy(mixed.gateway.key_file, pair->node[0].gateway.certificate_file, CONFIG_PATH_CHARS);
    assert_int_equal(expect_refusal(&mixed, pair->ca_file[0], "no PEM key"), -EINVAL);

    memcpy(mixed.gateway.certificate_file, pair->node[0].gateway.key_file, CONFIG_PATH_CHARS);
    assert_int_equal(expect_refusal(&mixed, pair->ca_file[0], "no PEM certificate"), -EINVAL);

    assert_int_equal(unlink(pair->node[0].gateway.key_file), 0);
    assert_int_equal(expect_refusal(&pair->node[0], pair->ca_file[0], "is not"), -EINVAL);
}

static void our_certificate_follows_a_new_name_or_address(void **state)
{
    struct pair *pair = *state;
    struct config *config = &pair->node[0];
    ensure(pair, 0, true);
    (void)snprintf(config->vip.address, CONFIG_ADDRESS_CHARS, "192.0.2.101");
    ensure(pair, 0, true);
    assert_true(client_accepts(pair->ca_file[0], config->gateway.certificate_file, "192.0.2.101"));
    (void)snprintf(config->vip.fqdn, CONFIG_NAME_CHARS, "new.example.org");
    ensure(pair, 0, true);
    assert_true(
        client_accepts(pair->ca_file[0], config->gateway.certificate_file, "new.example.org"));
    ensure(pair, 0, false);
}

static void a_brought_certificate_for_another_name_is_refused(void **state)
{
    struct pair *pair = *state;
    struct diag diag = {0};
    ensure(pair, 0, true);
    /* another authority: what we have made becomes one that somebody brought */
    assert_int_equal(unlink(pair->node[0].pair.key_file), 0);
    assert_int_equal(cluster_key_create(pair->node[0].pair.key_file, &diag), 0);
    ensure(pair, 0, false);
    (void)snprintf(pair->node[0].vip.address, CONFIG_ADDRESS_CHARS, "192.0.2.101");
    ensure(pair, 0, false);
    (void)snprintf(pair->node[0].vip.fqdn, CONFIG_NAME_CHARS, "new.example.org");
    assert_int_equal(expect_refusal(&pair->node[0], pair->ca_file[0], "is not for new.example.org"),
                     -EINVAL);
}

static void without_the_pairs_key_nothing_is_made(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(unlink(pair->node[0].pair.key_file), 0);
    assert_int_equal(expect_refusal(&pair->node[0], pair->ca_file[0], "cluster.key"), -ENOENT);
    assert_int_equal(access(pair->node[0].gateway.key_file, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_that_trusts_one_node_trusts_the_other, make_pair,
                                        remove_pair),
        cmocka_unit_test_setup_teardown(another_pairs_authority_is_not_accepted, make_pair,
                                        remove_pair),
        cmocka_unit_test_setup_teardown(a_second_run_keeps_what_is_there, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(the_key_is_not_for_everybody, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(brought_files_that_do_not_fit_are_refused, make_pair,
                                        remove_pair),
        cmocka_unit_test_setup_teardown(our_certificate_follows_a_new_name_or_address, make_pair,
                                        remove_pair),
        cmocka_unit_test_setup_teardown(a_brought_certificate_for_another_name_is_refused,
                                        make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(without_the_pairs_key_nothing_is_made, make_pair,
                                        remove_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
