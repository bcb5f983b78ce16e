#include "lib/config/cluster_key.h"

#include "lib/common/secrets.h"

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

static char folder[64], file[96];

static int make_folder(void **unused)
{
    (void)unused;
    (void)snprintf(folder, sizeof(folder), "/tmp/test-key-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(file, sizeof(file), "%s/cluster.key", folder);
    return 0;
}

static int remove_folder(void **unused)
{
    (void)unused;
    (void)unlink(file);
    return rmdir(folder);
}

static void write_key(const void *bytes, size_t len_bytes, mode_t mode)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len_bytes), (ssize_t)len_bytes);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

/* RFC 5869, test case 1 with a longer key cannot be used (22 equal bytes are no key here): values
 * computed with `openssl kdf -keylen 42 -kdfopt digest:SHA256 -kdfopt hexkey:000102…1f
 * -kdfopt salt:pair -kdfopt info:heartbeat HKDF`. */
static void derivation_is_hkdf_sha256(void **unused)
{
    (void)unused;
    uint8_t key[32], out[42];
    char hex[2 * sizeof(out) + 1];
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    write_key(key, sizeof(key), 0600);
    struct diag diag = {0};
    assert_int_equal(cluster_key_derive(file, "pair", "heartbeat", out, sizeof(out), &diag), 0);
    secrets_hex(out, sizeof(out), hex);
    assert_string_equal(
        hex,
        "de98c50a74ce807a4b9dcd5440acea138fb425df1d149a7c9978b2630d4ac6e52c45a765f308f3098959");
}

static void purposes_and_clusters_get_different_keys(void **unused)
{
    (void)unused;
    struct diag diag = {0};
    uint8_t a[32], b[32], c[32], longer[256];
    assert_int_equal(cluster_key_create(file, &diag), 0);
    assert_int_equal(cluster_key_derive(file, "x", "one", a, sizeof(a), &diag), 0);
    assert_int_equal(cluster_key_derive(file, "x", "two", b, sizeof(b), &diag), 0);
    assert_int_equal(cluster_key_derive(file, "y", "one", c, sizeof(c), &diag), 0);
    assert_int_equal(cluster_key_derive(file, "x", "one", longer, sizeof(longer), &diag), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a, c, sizeof(a));
    assert_memory_equal(a, longer, sizeof(a)); /* HKDF: a longer output begins the same */
}

static void a_key_file_is_private_and_never_replaced(void **unused)
{
    (void)unused;
    struct diag diag = {0};
    struct stat st;
    assert_int_equal(cluster_key_create(file, &diag), 0);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, CLUSTER_KEY_NEW_BYTES);
    assert_int_equal(cluster_key_create(file, &diag), -EEXIST);
}

static void unsafe_key_files_are_refused(void **unused)
{
    (void)unused;
    uint8_t key[CLUSTER_KEY_MAX_BYTES + 1], out[32] = {0}, before[32] = {0};
    struct diag diag = {0};
    assert_int_equal(secrets_random(key, sizeof(key)), 0);
    assert_int_equal(cluster_key_derive(file, "x", "y", out, 32, &diag), -ENOENT);
    write_key(key, 31, 0600);
    assert_int_equal(cluster_key_derive(file, "x", "y", out, 32, &diag), -EINVAL);
    write_key(key, sizeof(key), 0600);
    assert_int_equal(cluster_key_derive(file, "x", "y", out, 32, &diag), -EFBIG);
    write_key(key, 64, 0640);
    assert_int_equal(cluster_key_derive(file, "x", "y", out, 32, &diag), -EPERM);
    assert_non_null(strstr(diag.text, "chmod 600"));
    memset(key, 0, sizeof(key));
    write_key(key, 64, 0600);
    assert_int_equal(cluster_key_derive(file, "x", "y", out, 32, &diag), -EINVAL);
    assert_int_equal(cluster_key_derive(file, "x", "y", out, 9000, &diag), -EINVAL);
    assert_memory_equal(out, before, sizeof(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(derivation_is_hkdf_sha256, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(purposes_and_clusters_get_different_keys, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_key_file_is_private_and_never_replaced, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(unsafe_key_files_are_refused, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
