#include "lib/config/cluster_key.h"

#include "lib/common/secrets.h"
#include "lib/common/small_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { HKDF_BYTES_MAX = 255 * SECRETS_SHA256_BYTES };

/* RFC 5869: extract with the salt, then expand block by block with the info. */
static void derive(const void *key, size_t key_bytes, const char *salt, const char *info,
                   uint8_t *out, size_t len_bytes)
{
    uint8_t pseudo_random[SECRETS_SHA256_BYTES], block[SECRETS_SHA256_BYTES];
    uint8_t input[SECRETS_SHA256_BYTES + 64 + 1];
    size_t info_bytes = strlen(info), block_bytes = 0;

    secrets_hmac_sha256(salt, strlen(salt), key, key_bytes, pseudo_random);
    for (uint8_t counter = 1; len_bytes > 0; counter++) {
        memcpy(input, block, block_bytes);
        memcpy(input + block_bytes, info, info_bytes);
        input[block_bytes + info_bytes] = counter;
        secrets_hmac_sha256(pseudo_random, sizeof(pseudo_random), input,
                            block_bytes + info_bytes + 1, block);
        block_bytes = sizeof(block);
        size_t piece = len_bytes < sizeof(block) ? len_bytes : sizeof(block);
        memcpy(out, block, piece);
        out += piece;
        len_bytes -= piece;
    }
    secrets_wipe(pseudo_random, sizeof(pseudo_random));
    secrets_wipe(block, sizeof(block));
    secrets_wipe(input, sizeof(input));
}

/* A file of zeros, or a line of one character, is a mistake and no key. */
static bool looks_random(const char *key, size_t key_bytes)
{
    bool seen[256] = {false};
    unsigned different = 0;
    for (size_t i = 0; i < key_bytes; i++) {
        different += !seen[(unsigned char)key[i]];
        seen[(unsigned char)key[i]] = true;
    }
    return different >= 8;
}

static int check_key(const char *path, const char *key, size_t key_bytes, struct diag *diag)
{
    if (key_bytes < CLUSTER_KEY_MIN_BYTES)
        return diag_fail(diag, -EINVAL,
                         "%s has %zu bytes; the pair's key needs at least %d random ones", path,
                         key_bytes, CLUSTER_KEY_MIN_BYTES);
    if (!looks_random(key, key_bytes))
        return diag_fail(diag, -EINVAL, "%s is not random; let the primary's installer make it",
                         path);
    return 0;
}

int cluster_key_derive(const char *path, const char *cluster, const char *purpose, uint8_t *out,
                       size_t len_bytes, struct diag *diag)
{
    char *key = NULL;
    size_t key_bytes = 0;
    if (len_bytes == 0 || len_bytes > HKDF_BYTES_MAX || strlen(purpose) > 64)
        return diag_fail(diag, -EINVAL, "no key of %zu bytes for '%s' can be derived", len_bytes,
                         purpose);
    int r = small_file_read_secret(path, CLUSTER_KEY_MAX_BYTES, &key, &key_bytes, diag);
    if (r < 0)
        return diag_within(diag, r, "the pair's key");
    r = check_key(path, key, key_bytes, diag);
    if (r == 0)
        derive(key, key_bytes, cluster, purpose, out, len_bytes);
    small_file_free(key, key_bytes);
    return r;
}

int cluster_key_create(const char *path, struct diag *diag)
{
    uint8_t key[CLUSTER_KEY_NEW_BYTES];
    int r = secrets_random(key, sizeof(key));
    if (r < 0)
        return diag_fail(diag, r, "the kernel gives no random bytes");
    const struct small_file_mode how = {.mode = 0600};
    r = small_file_create(path, key, sizeof(key), &how, diag);
    secrets_wipe(key, sizeof(key));
    return r;
}
