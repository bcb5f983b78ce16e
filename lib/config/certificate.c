#include "lib/config/certificate.h"

#include "lib/common/common.h"
#include "lib/common/secrets.h"
#include "lib/common/small_file.h"
#include "lib/config/cluster_key.h"

#include <errno.h>
#include <grp.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 << 10, SEED_BYTES = 48, POINT_BYTES = 65, CLOCK_SLACK_S = 86400 };

DEFINE_FREEP(pkey_freep, EVP_PKEY *, EVP_PKEY_free)
DEFINE_FREEP(x509_freep, X509 *, X509_free)
DEFINE_FREEP(bio_freep, BIO *, (void)BIO_free)
DEFINE_FREEP(bn_freep, BIGNUM *, BN_clear_free)
DEFINE_FREEP(group_freep, EC_GROUP *, EC_GROUP_free)
DEFINE_FREEP(point_freep, EC_POINT *, EC_POINT_free)
DEFINE_FREEP(bld_freep, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
DEFINE_FREEP(params_freep, OSSL_PARAM *, OSSL_PARAM_free)
DEFINE_FREEP(pkey_ctx_freep, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

/* 384 bits modulo (order - 1), plus 1: a uniform private key (FIPS 186-4, B.4.1). */
static BIGNUM *scalar_of(const uint8_t seed[SEED_BYTES], const EC_GROUP *group)
{
    AUTO(bn_freep) BIGNUM *wide = BN_bin2bn(seed, SEED_BYTES, NULL);
    AUTO(bn_freep) BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
    AUTO(bn_freep) BIGNUM *scalar = BN_secure_new();
    BN_CTX *context = BN_CTX_new();
    bool ok = wide != NULL && limit != NULL && scalar != NULL && context != NULL &&
              BN_sub_word(limit, 1) && BN_mod(scalar, wide, limit, context) &&
              BN_add_word(scalar, 1);
    BN_CTX_free(context);
    return ok ? TAKE(scalar) : NULL;
}

static EVP_PKEY *key_of_seed(const uint8_t seed[SEED_BYTES])
{
    AUTO(group_freep) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    AUTO(bn_freep) BIGNUM *scalar = group != NULL ? scalar_of(seed, group) : NULL;
    AUTO(point_freep) EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    AUTO(bld_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    AUTO(pkey_ctx_freep) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    uint8_t public_key[POINT_BYTES];
    EVP_PKEY *key = NULL;

    if (scalar == NULL || point == NULL || build == NULL || context == NULL ||
        !EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) ||
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, public_key,
                           sizeof(public_key), NULL) != sizeof(public_key) ||
        !OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ||
        !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar) ||
        !OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, public_key,
                                          sizeof(public_key)))
        return NULL;
    AUTO(params_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        return NULL;
    return key;
}

static int authority_key(const struct config *config, EVP_PKEY **ret_key, struct diag *diag)
{
    uint8_t seed[SEED_BYTES];
    int r = cluster_key_derive(config->pair.key_file, config->pair.cluster, CLUSTER_KEY_FOR_CA,
                               seed, sizeof(seed), diag);
    if (r < 0)
        return r;
    *ret_key = key_of_seed(seed);
    secrets_wipe(seed, sizeof(seed));
    return *ret_key != NULL ? 0 : diag_fail(diag, -EIO, "cannot make the authority's key");
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* Version 3, random serial number, ten years; the subject's common name (64 characters at most). */
static X509 *new_certificate(EVP_PKEY *key, const char *common_name, int64_t age_s)
{
    AUTO(x509_freep) X509 *certificate = X509_new();
    AUTO(bn_freep) BIGNUM *serial = BN_new();
    char name[65];
    (void)snprintf(name, sizeof(name), "%.64s", common_name);
    if (certificate == NULL || serial == NULL || !X509_set_version(certificate, 2) ||
        !BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) ||
        BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) == NULL ||
        X509_gmtime_adj(X509_getm_notBefore(certificate), (long)-age_s) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(certificate), CERTIFICATE_DAYS, 0, NULL) == NULL ||
        !X509_set_pubkey(certificate, key) ||
        !add_name(X509_get_subject_name(certificate), "O", "Open Gateway") ||
        !add_name(X509_get_subject_name(certificate), "CN", name))
        return NULL;
    return TAKE(certificate);
}

static X509 *make_authority(const struct config *config, EVP_PKEY *key)
{
    char name[CONFIG_WORD_CHARS + 8];
    (void)snprintf(name, sizeof(name), "%.60s CA", config->pair.cluster);
    AUTO(x509_freep) X509 *ca = new_certificate(key, name, CLOCK_SLACK_S);
    if (ca == NULL || !X509_set_issuer_name(ca, X509_get_subject_name(ca)) ||
        !add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(ca, ca, NID_subject_key_identifier, "hash") ||
        X509_sign(ca, key, EVP_sha256()) == 0)
        return NULL;
    return TAKE(ca);
}

static X509 *make_leaf(const struct config *config, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
    char names[4 * CONFIG_NAME_CHARS];
    (void)snprintf(names, sizeof(names), "DNS:%s,IP:%s,DNS:%s,IP:%s", config->vip.fqdn,
                   config->vip.address, config->host.fqdn, config->host.address);
    AUTO(x509_freep) X509 *leaf = new_certificate(key, config->vip.fqdn, CLOCK_SLACK_S);
    if (leaf == NULL || !X509_set_issuer_name(leaf, X509_get_subject_name(ca)) ||
        !add_extension(leaf, ca, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(leaf, ca, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(leaf, ca, NID_ext_key_usage, "serverAuth") ||
        !add_extension(leaf, ca, NID_subject_alt_name, names) ||
        !add_extension(leaf, ca, NID_subject_key_identifier, "hash") ||
        !add_extension(leaf, ca, NID_authority_key_identifier, "keyid:always") ||
        X509_sign(leaf, ca_key, EVP_sha256()) == 0)
        return NULL;
    return TAKE(leaf);
}

static int write_bio(const char *path, BIO *bio, mode_t mode, struct diag *diag)
{
    const struct small_file_mode how = {.mode = mode};
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    if (len <= 0)
        return diag_fail(diag, -EIO, "nothing to write to %s", path);
    return small_file_replace(path, bytes, (size_t)len, &how, diag);
}

static int write_key(const char *path, EVP_PKEY *key, struct diag *diag)
{
    AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
    if (bio == NULL || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        return diag_fail(diag, -EIO, "cannot encode the certificate's key");
    int r = write_bio(path, bio, 0600, diag);
    char memory[4096];
    struct group group, *found = NULL;
    /* no such group: the package is not installed here; the key stays root's alone */
    if (r == 0 && getgrnam_r("roxe-gateway", &group, memory, sizeof(memory), &found) == 0 &&
        found != NULL && (chown(path, 0, found->gr_gid) < 0 || chmod(path, 0640) < 0))
        r = diag_fail(diag, -errno, "%s: %s", path, strerror(errno));
    return r;
}

static int write_certificates(const char *path, X509 *first, X509 *second, struct diag *diag)
{
    AUTO(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || !PEM_write_bio_X509(bio, first) ||
        (second != NULL && !PEM_write_bio_X509(bio, second)))
        return diag_fail(diag, -EIO, "cannot encode a certificate");
    return write_bio(path, bio, 0644, diag);
}

static int make(const struct config *config, const char *ca_file, struct diag *diag)
{
    AUTO(pkey_freep) EVP_PKEY *ca_key = NULL;
    int r = authority_key(config, &ca_key, diag);
    if (r < 0)
        return r;
    AUTO(pkey_freep) EVP_PKEY *key = EVP_EC_gen("prime256v1");
    AUTO(x509_freep) X509 *ca = make_authority(config, ca_key);
    AUTO(x509_freep)
    X509 *leaf = key != NULL && ca != NULL ? make_leaf(config, key, ca, ca_key) : NULL;
    if (leaf == NULL)
        return diag_fail(diag, -EIO, "cannot make a certificate for %s", config->vip.fqdn);
    /* the key first: a certificate without its key would look like a brought one */
    r = write_key(config->gateway.key_file, key, diag);
    if (r == 0)
        r = write_certificates(config->gateway.certificate_file, leaf, ca, diag);
    return r == 0 ? write_certificates(ca_file, ca, NULL, diag) : r;
}

static BIO *open_pem(const char *path, char **ret_text, size_t *ret_len, struct diag *diag)
{
    if (small_file_read(path, FILE_BYTES_MAX, ret_text, ret_len, diag) < 0)
        return NULL;
    return BIO_new_mem_buf(*ret_text, (int)*ret_len);
}

/* The certificate when its key fits; the caller frees it. */
static int read_pair(const struct config *config, X509 **ret_certificate, struct diag *diag)
{
    const char *certificate_file = config->gateway.certificate_file;
    const char *key_file = config->gateway.key_file;
    char *certificate_text = NULL, *key_text = NULL;
    size_t certificate_len = 0, key_len = 0;
    AUTO(bio_freep) BIO *a = open_pem(certificate_file, &certificate_text, &certificate_len, diag);
    AUTO(bio_freep) BIO *b = open_pem(key_file, &key_text, &key_len, diag);
    AUTO(x509_freep) X509 *certificate = a != NULL ? PEM_read_bio_X509(a, NULL, NULL, NULL) : NULL;
    /* "" as password: a protected key is an error here, never a question at a terminal */
    char none[] = "";
    AUTO(pkey_freep)
    EVP_PKEY *key = b != NULL ? PEM_read_bio_PrivateKey(b, NULL, NULL, none) : NULL;
    int r = 0;
    if (a != NULL && b != NULL && certificate == NULL)
        r = diag_fail(diag, -EINVAL, "%s holds no PEM certificate", certificate_file);
    else if (a != NULL && b != NULL && key == NULL)
        r = diag_fail(diag, -EINVAL, "%s holds no PEM key without a password", key_file);
    else if (certificate == NULL || key == NULL)
        r = -EINVAL; /* said while reading */
    else if (!X509_check_private_key(certificate, key))
        r = diag_fail(diag, -EINVAL, "%s is not the key of %s", key_file, certificate_file);
    else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        r = diag_fail(diag, -EKEYEXPIRED, "the certificate %s has expired", certificate_file);
    small_file_free(certificate_text, certificate_len);
    small_file_free(key_text, key_len);
    if (r == 0)
        *ret_certificate = TAKE(certificate);
    return r;
}

static bool is_for_name(X509 *certificate, const char *name)
{
    return X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

static bool is_for_address(X509 *certificate, const char *address)
{
    return X509_check_ip_asc(certificate, address, 0) == 1;
}

/* 0 it serves, 1 it is one of ours for other names (the configuration changed) and must be made
 * anew. */
static int check_names(const struct config *config, X509 *certificate, struct diag *diag)
{
    AUTO(pkey_freep) EVP_PKEY *ca_key = NULL;
    if (!is_for_name(certificate, config->vip.fqdn) ||
        !is_for_address(certificate, config->vip.address)) {
        int r = authority_key(config, &ca_key, diag);
        if (r < 0)
            return r;
        if (X509_verify(certificate, ca_key) == 1)
            return 1;
    }
    if (!is_for_name(certificate, config->vip.fqdn)) /* many authorities sign no addresses */
        return diag_fail(diag, -EINVAL, "the certificate %s is not for %s",
                         config->gateway.certificate_file, config->vip.fqdn);
    return 0;
}

int certificate_ensure(const struct config *config, const char *ca_file, bool *ret_made,
                       struct diag *diag)
{
    bool certificate = access(config->gateway.certificate_file, F_OK) == 0;
    bool key = access(config->gateway.key_file, F_OK) == 0;
    int r = 1; /* a key alone is what a broken run leaves behind: made anew */
    *ret_made = false;
    if (certificate && !key)
        return diag_fail(diag, -EINVAL, "%s is there, but its key %s is not",
                         config->gateway.certificate_file, config->gateway.key_file);
    if (certificate) {
        AUTO(x509_freep) X509 *present = NULL;
        r = read_pair(config, &present, diag);
        if (r == 0)
            r = check_names(config, present, diag);
    }
    if (r == 1) {
        r = make(config, ca_file, diag);
        *ret_made = r == 0;
    }
    return r;
}
