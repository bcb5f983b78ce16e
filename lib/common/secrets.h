/* secrets.h - random ids, password hashes, message authentication, constant-time comparison
 * (OpenSSL). Memory that held a secret is wiped. */
#ifndef OG_COMMON_SECRETS_H
#define OG_COMMON_SECRETS_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRETS_SHA256_BYTES = 32, SECRETS_ID_CHARS = 32, SECRETS_HASH_CHARS = 160 };

/* len_bytes random bytes; 0 or -EIO. */
int secrets_random(void *out, size_t len_bytes);
/* A fresh id of 192 random bits as 32 URL-safe characters and a NUL. */
int secrets_new_id(char out[SECRETS_ID_CHARS + 1]);
void secrets_sha256(const void *data, size_t len_bytes, uint8_t out[SECRETS_SHA256_BYTES]);
void secrets_hex(const uint8_t *data, size_t len_bytes, char *out); /* 2*len+1 chars */
/* The way back, exactly 2*len_bytes digits of either case. False: it is something else. */
bool secrets_unhex(const char *hex, size_t len_bytes, uint8_t *out);
void secrets_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t len_bytes,
                         uint8_t out[SECRETS_SHA256_BYTES]);
bool secrets_equal(const void *a, const void *b, size_t len_bytes); /* constant time */
/* scrypt (RFC 7914) with N = 2^ln, at most 64 MiB: 128 * r * 2^ln bytes. Blocks. 0 or -EINVAL. */
int secrets_scrypt(const char *password, const void *salt, size_t salt_bytes, unsigned ln,
                   unsigned r, unsigned p, uint8_t *out, size_t out_bytes);
/* scrypt (N 2^15, r 8, p 1), "$scrypt$ln=15,r=8,p=1$salt$hash" in base64. BLOCKS about 50-100 ms:
 * call it on the thread pool. */
int secrets_password_hash(const char *password, char out[SECRETS_HASH_CHARS], struct diag *diag);
/* 0 equal, -EACCES different, -EINVAL the stored text is no hash of ours. Blocks likewise. */
int secrets_password_check(const char *password, const char *stored);
/* Standard base64, padding required; returns decoded length or -EINVAL; out needs 3*len/4+1. */
int secrets_base64_decode(const char *text, size_t len_bytes, uint8_t *out, size_t cap_bytes);
/* out needs 4*((len+2)/3)+1 chars. */
void secrets_base64_encode(const uint8_t *data, size_t len_bytes, char *out);
/* Reads a file of at most cap-1 bytes that only its owner may read (mode & 077 == 0, else -EPERM),
 * strips one trailing newline, NUL-terminates. */
int secrets_read_file(const char *path, char *out, size_t cap_bytes, struct diag *diag);
void secrets_wipe(void *memory, size_t len_bytes);

#endif
