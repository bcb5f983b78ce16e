#include "lib/common/secrets.h"

#include "lib/common/common.h"
#include "lib/common/small_file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SALT_BYTES = 16,
    HASH_BYTES = 32,
    SCRYPT_LN = 15,
    SCRYPT_R = 8,
    SCRYPT_P = 1,
    SCRYPT_MEMORY_BYTES = 64 << 20 /* 128 * N * r is 32 MiB; OpenSSL's own limit is just that */
};

int secrets_random(void *out, size_t len_bytes)
{
    uint8_t *bytes = out;
    while (len_bytes > 0) {
        int piece = len_bytes > 4096 ? 4096 : (int)len_bytes;
        if (RAND_bytes(bytes, piece) != 1)
            return -EIO;
        bytes += piece;
        len_bytes -= (size_t)piece;
    }
    return 0;
}

int secrets_new_id(char out[SECRETS_ID_CHARS + 1])
{
    uint8_t bits[SECRETS_ID_CHARS / 4 * 3];
    int r = secrets_random(bits, sizeof(bits));
    if (r < 0)
        return r;
    secrets_base64_encode(bits, sizeof(bits), out);
    secrets_wipe(bits, sizeof(bits));
    for (char *c = out; *c != '\0'; c++) {
        /* the URL-safe alphabet of RFC 4648, section 5 */
        if (*c == '+')
            *c = '-';
        else if (*c == '/')
            *c = '_';
    }
    return 0;
}

void secrets_sha256(const void *data, size_t len_bytes, uint8_t out[SECRETS_SHA256_BYTES])
{
    (void)SHA256(data, len_bytes, out);
}

void secrets_hex(const uint8_t *data, size_t len_bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len_bytes; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 0xf];
    }
    *out = '\0';
}

static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) : 16;
}

bool secrets_unhex(const char *hex, size_t len_bytes, uint8_t *out)
{
    if (strlen(hex) != 2 * len_bytes)
        return false;
    for (size_t i = 0; i < len_bytes; i++) {
        unsigned high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high > 15 || low > 15)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void secrets_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t len_bytes,
                         uint8_t out[SECRETS_SHA256_BYTES])
{
    unsigned out_bytes = SECRETS_SHA256_BYTES;
    /* an empty key must not be NULL: OpenSSL would take the last call's key */
    const void *some_key = key_bytes > 0 ? key : "";
    if (HMAC(EVP_sha256(), some_key, (int)key_bytes, data, len_bytes, out, &out_bytes) == NULL) {
        /* only without memory: going on with a wrong code would accept or send forged messages */
        abort();
    }
}

bool secrets_equal(const void *a, const void *b, size_t len_bytes)
{
    return CRYPTO_memcmp(a, b, len_bytes) == 0;
}

int secrets_scrypt(const char *password, const void *salt, size_t salt_bytes, unsigned ln,
                   unsigned r, unsigned p, uint8_t *out, size_t out_bytes)
{
    if (ln >= 64)
        return -EINVAL;
    int ok = EVP_PBE_scrypt(password, strlen(password), salt, salt_bytes, 1ULL << ln, r, p,
                            SCRYPT_MEMORY_BYTES, out, out_bytes);
    return ok == 1 ? 0 : -EINVAL;
}

static int derive(const char *password, const uint8_t salt[SALT_BYTES], uint8_t out[HASH_BYTES])
{
    int r =
        secrets_scrypt(password, salt, SALT_BYTES, SCRYPT_LN, SCRYPT_R, SCRYPT_P, out, HASH_BYTES);
    return r < 0 ? -ENOMEM : 0; /* these parameters are fine: nothing else can be missing */
}

static const char hash_prefix[] = "$scrypt$ln=15,r=8,p=1$";
_Static_assert(SCRYPT_LN == 15 && SCRYPT_R == 8 && SCRYPT_P == 1, "hash_prefix says so");

int secrets_password_hash(const char *password, char out[SECRETS_HASH_CHARS], struct diag *diag)
{
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
    char salt_text[4 * ((SALT_BYTES + 2) / 3) + 1], hash_text[4 * ((HASH_BYTES + 2) / 3) + 1];

    if (secrets_random(salt, sizeof(salt)) < 0)
        return diag_fail(diag, -EIO, "no random numbers for a password's salt");
    int r = derive(password, salt, hash);
    if (r < 0)
        return diag_fail(diag, r, "not enough memory to hash a password");

    secrets_base64_encode(salt, sizeof(salt), salt_text);
    secrets_base64_encode(hash, sizeof(hash), hash_text);
    (void)snprintf(out, SECRETS_HASH_CHARS, "%s%s$%s", hash_prefix, salt_text, hash_text);
    secrets_wipe(hash, sizeof(hash));
    secrets_wipe(hash_text, sizeof(hash_text));
    return 0;
}

int secrets_password_check(const char *password, const char *stored)
{
    size_t prefix_len = sizeof(hash_prefix) - 1;
    if (strncmp(stored, hash_prefix, prefix_len) != 0)
        return -EINVAL;
    const char *salt_text = stored + prefix_len;
    const char *dollar = strchr(salt_text, '$');
    if (dollar == NULL)
        return -EINVAL;

    /* one byte more than expected, so that text that is too long is seen as such */
    uint8_t salt[SALT_BYTES + 1], wanted[HASH_BYTES + 1], hash[HASH_BYTES];
    const char *hash_text = dollar + 1;
    size_t salt_chars = (size_t)(dollar - salt_text);
    if (secrets_base64_decode(salt_text, salt_chars, salt, sizeof(salt)) != SALT_BYTES ||
        secrets_base64_decode(hash_text, strlen(hash_text), wanted, sizeof(wanted)) != HASH_BYTES)
        return -EINVAL;

    int r = derive(password, salt, hash);
    if (r == 0 && !secrets_equal(hash, wanted, HASH_BYTES))
        r = -EACCES;
    secrets_wipe(hash, sizeof(hash));
    secrets_wipe(wanted, sizeof(wanted));
    return r;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four characters give 3 bytes, 2 or 1 with padding (allowed in the last group only), or -EINVAL.
 * Bits that the padding leaves over must be zero: one value has one spelling. */
static int decode_group(const char *text, bool last, uint8_t out[3])
{
    int pad = 0;
    if (last && text[3] == '=')
        pad = text[2] == '=' ? 2 : 1;

    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
        int digit = i < 4 - pad ? base64_digit(text[i]) : 0;
        if (digit < 0)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)digit;
    }
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    for (int i = 3 - pad; i < 3; i++)
        if (out[i] != 0)
            return -EINVAL;
    return 3 - pad;
}

int secrets_base64_decode(const char *text, size_t len_bytes, uint8_t *out, size_t cap_bytes)
{
    if (len_bytes % 4 != 0 || len_bytes > (1U << 30))
        return -EINVAL;
    size_t used = 0;
    for (size_t i = 0; i < len_bytes; i += 4) {
        uint8_t group[3];
        int count = decode_group(text + i, i + 4 == len_bytes, group);
        if (count < 0 || cap_bytes - used < (size_t)count)
            return -EINVAL;
        memcpy(out + used, group, (size_t)count);
        used += (size_t)count;
    }
    return (int)used;
}

void secrets_base64_encode(const uint8_t *data, size_t len_bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (len_bytes > 0) {
        size_t count = len_bytes < 3 ? len_bytes : 3;
        uint32_t bits = (uint32_t)data[0] << 16;
        if (count > 1)
            bits |= (uint32_t)data[1] << 8;
        if (count > 2)
            bits |= data[2];
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = (char)(count > 1 ? digits[bits >> 6 & 63] : '=');
        *out++ = (char)(count > 2 ? digits[bits & 63] : '=');
        data += count;
        len_bytes -= count;
    }
    *out = '\0';
}

int secrets_read_file(const char *path, char *out, size_t cap_bytes, struct diag *diag)
{
    char *text = NULL;
    size_t len = 0;
    out[0] = '\0';
    int r = small_file_read_secret(path, cap_bytes - 1, &text, &len, diag);
    if (r < 0)
        return r;
    memcpy(out, text, len + 1);
    if (len > 0 && out[len - 1] == '\n')
        out[len - 1] = '\0';
    small_file_free(text, len);
    return 0;
}

void secrets_wipe(void *memory, size_t len_bytes)
{
    OPENSSL_cleanse(memory, len_bytes);
}
