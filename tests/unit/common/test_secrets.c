#include "lib/common/secrets.h"

#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void sha256_agrees_with_fips_180(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t digest[SECRETS_SHA256_BYTES];
        char hex[2 * SECRETS_SHA256_BYTES + 1];
        secrets_sha256(rows[i].text, strlen(rows[i].text), digest);
        secrets_hex(digest, sizeof(digest), hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void hexadecimal_digits_go_there_and_back(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "00ff7", "00ff7g", "00ff7f00", "0 ff7f", "00:f7f"};
    uint8_t bytes[3];
    char hex[2 * sizeof(bytes) + 1];
    assert_true(secrets_unhex("00Ff7a", sizeof(bytes), bytes));
    secrets_hex(bytes, sizeof(bytes), hex);
    assert_string_equal(hex, "00ff7a");
    assert_true(secrets_unhex("", 0, bytes));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(secrets_unhex(wrong[i], sizeof(bytes), bytes));
}

static void hmac_agrees_with_rfc_4231(void **state)
{
    (void)state;
    static const struct {
        int key_byte, key_bytes; /* key_bytes 0: the key is "Jefe" */
        const char *text, *hex;
    } rows[] = {
        {0x0b, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 0, "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t key[131] = "Jefe", code[SECRETS_SHA256_BYTES];
        char hex[2 * SECRETS_SHA256_BYTES + 1];
        size_t key_bytes = rows[i].key_bytes > 0 ? (size_t)rows[i].key_bytes : 4;
        if (rows[i].key_bytes > 0)
            memset(key, rows[i].key_byte, key_bytes);
        secrets_hmac_sha256(key, key_bytes, rows[i].text, strlen(rows[i].text), code);
        secrets_hex(code, sizeof(code), hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void scrypt_agrees_with_rfc_7914(void **state)
{
    (void)state;
    uint8_t out[64];
    char hex[129];
    assert_int_equal(secrets_scrypt("password", "NaCl", 4, 10, 8, 16, out, sizeof(out)), 0);
    secrets_hex(out, sizeof(out), hex);
    assert_string_equal(hex, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                             "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    assert_int_equal(
        secrets_scrypt("pleaseletmein", "SodiumChloride", 14, 14, 8, 1, out, sizeof(out)), 0);
    secrets_hex(out, sizeof(out), hex);
    assert_string_equal(hex, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                             "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
    assert_int_equal(secrets_scrypt("p", "s", 1, 20, 8, 1, out, sizeof(out)), -EINVAL);
    assert_int_equal(secrets_scrypt("p", "s", 1, 64, 8, 1, out, sizeof(out)), -EINVAL);
}

static void a_password_matches_its_hash_and_no_other(void **state)
{
    (void)state;
    char hash[SECRETS_HASH_CHARS], again[SECRETS_HASH_CHARS];
    assert_int_equal(secrets_password_hash("gänsefüßchen", hash, NULL), 0);
    assert_int_equal(strncmp(hash, "$scrypt$ln=15,r=8,p=1$", 22), 0);
    assert_true(strlen(hash) < SECRETS_HASH_CHARS - 1);
    assert_int_equal(secrets_password_check("gänsefüßchen", hash), 0);
    assert_int_equal(secrets_password_check("Gänsefüßchen", hash), -EACCES);
    assert_int_equal(secrets_password_check("", hash), -EACCES);
    assert_int_equal(secrets_password_hash("gänsefüßchen", again, NULL), 0);
    assert_string_not_equal(hash, again); /* the salt differs */
}

static void a_hash_made_elsewhere_is_understood(void **state)
{
    (void)state;
    /* python3: hashlib.scrypt(b"secret", salt=bytes(range(16)), n=2**15, r=8, p=1, dklen=32,
     * maxmem=1<<26), both in base64 */
    static const char stored[] = "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$71MrULv6YuZMr+"
                                 "5TlqzaKGb6X4rZEs0/5cvElSZBr2s=";
    assert_int_equal(secrets_password_check("secret", stored), 0);
    assert_int_equal(secrets_password_check("Secret", stored), -EACCES);
}

static void text_that_is_no_hash_of_ours_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "secret",
        "$scrypt$",
        "$scrypt$ln=15,r=8,p=1$",
        "$scrypt$ln=15,r=8,p=1$$",
        "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$",
        "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$AAAA",
        "$scrypt$ln=15,r=8,p=1$AAAA$AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=",
        "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$"
        "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8A",
        "$scrypt$ln=30,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$"
        "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (secrets_password_check("secret", rows[i]) != -EINVAL)
            fail_msg("%s was taken", rows[i]);
}

static void base64_agrees_with_rfc_4648(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[16];
        uint8_t bytes[16];
        size_t len = strlen(rows[i][0]);
        secrets_base64_encode((const uint8_t *)rows[i][0], len, text);
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(secrets_base64_decode(text, strlen(text), bytes, len), (int)len);
        assert_memory_equal(bytes, rows[i][0], len);
    }
}

static void base64_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"Z",          "Zg",   "Zg=",  "Zg==Zg==",
                                       "Zh==",       "Zm9=", "====", "=AAA",
                                       "Zm9v\nZm9v", "Zm_v", "A=AA", "Zm9vY==="};
    uint8_t bytes[16];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (secrets_base64_decode(rows[i], strlen(rows[i]), bytes, sizeof(bytes)) != -EINVAL)
            fail_msg("%s was taken", rows[i]);
    assert_int_equal(secrets_base64_decode("Zm9v", 4, bytes, 2), -EINVAL);
}

static void ids_are_long_url_safe_and_differ(void **state)
{
    (void)state;
    char ids[100][SECRETS_ID_CHARS + 1];
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(secrets_new_id(ids[i]), 0);
        assert_int_equal(strlen(ids[i]), SECRETS_ID_CHARS);
        assert_int_equal(strspn(ids[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789-_"),
                         SECRETS_ID_CHARS);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
}

static void comparison_sees_every_byte(void **state)
{
    (void)state;
    assert_true(secrets_equal("abcd", "abcd", 4));
    assert_false(secrets_equal("abcd", "abce", 4));
    assert_false(secrets_equal("abcd", "bbcd", 4));
    assert_true(secrets_equal("abcd", "abce", 3));
    assert_true(secrets_equal("a", "b", 0));
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    char secret[] = "secret";
    static const char zeros[sizeof(secret)];
    secrets_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zeros, sizeof(secret));
}

static void write_file(char *path, const char *text, mode_t mode)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void a_secret_file_loses_one_newline(void **state)
{
    (void)state;
    char path[] = "/tmp/og-secret-XXXXXX", out[16];
    write_file(path, "key 1\n\n", 0600);
    assert_int_equal(secrets_read_file(path, out, sizeof(out), NULL), 0);
    assert_string_equal(out, "key 1\n");
    assert_int_equal(secrets_read_file(path, out, 8, NULL), 0);
    assert_int_equal(secrets_read_file(path, out, 7, NULL), -EFBIG);
    assert_string_equal(out, "");
    (void)unlink(path);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0660, 0601};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        char path[] = "/tmp/og-secret-XXXXXX", out[16] = "before";
        struct diag diag = {0};
        write_file(path, "key", modes[i]);
        assert_int_equal(secrets_read_file(path, out, sizeof(out), &diag), -EPERM);
        assert_string_equal(out, "");
        assert_non_null(strstr(diag.text, path));
        (void)unlink(path);
    }
}

static void links_folders_and_missing_files_are_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/og-secret-XXXXXX", link_path[64], out[16];
    write_file(path, "key", 0600);
    (void)snprintf(link_path, sizeof(link_path), "%s.link", path);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(secrets_read_file(link_path, out, sizeof(out), NULL), -ELOOP);
    assert_int_equal(secrets_read_file("/tmp", out, sizeof(out), NULL), -EINVAL);
    (void)unlink(link_path);
    (void)unlink(path);
    assert_int_equal(secrets_read_file(path, out, sizeof(out), NULL), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_agrees_with_fips_180),
        cmocka_unit_test(hexadecimal_digits_go_there_and_back),
        cmocka_unit_test(hmac_agrees_with_rfc_4231),
        cmocka_unit_test(scrypt_agrees_with_rfc_7914),
        cmocka_unit_test(a_password_matches_its_hash_and_no_other),
        cmocka_unit_test(a_hash_made_elsewhere_is_understood),
        cmocka_unit_test(text_that_is_no_hash_of_ours_is_refused),
        cmocka_unit_test(base64_agrees_with_rfc_4648),
        cmocka_unit_test(base64_that_is_not_exact_is_refused),
        cmocka_unit_test(ids_are_long_url_safe_and_differ),
        cmocka_unit_test(comparison_sees_every_byte),
        cmocka_unit_test(wiping_leaves_zeros),
        cmocka_unit_test(a_secret_file_loses_one_newline),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(links_folders_and_missing_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
