#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ha/corosync_conf.h"
#include "lib/common/common.h"

static struct corosync_conf sample(void)
{
    return (struct corosync_conf){
        .cluster = "pair-1",
        .token_ms = 400,
        .version = 7,
        .nodes = {{1, "a", {"10.77.1.11", "10.77.2.11"}}, {2, "b", {"10.77.1.12", "10.77.2.12"}}}};
}

static void must_contain(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        fail_msg("missing: %s", line);
}

static void the_text_says_what_the_design_asks_for(void **unused)
{
    (void)unused;
    const struct corosync_conf conf = sample();
    char *text = NULL;
    assert_int_equal(corosync_conf_render(&conf, &text, NULL), 0);
    static const char *const lines[] = {"    transport: knet\n",
                                        "    crypto_cipher: aes256\n",
                                        "    crypto_hash: sha256\n",
                                        "    keyfile: /etc/corosync/authkey\n",
                                        "    token: 400\n",
                                        "    consensus: 480\n",
                                        "    link_mode: passive\n",
                                        "    config_version: 7\n",
                                        "        linknumber: 1\n",
                                        "        mcastport: 5405\n",
                                        "        mcastport: 5406\n",
                                        "        knet_ping_interval: 200\n",
                                        "        knet_ping_timeout: 1000\n",
                                        "        knet_pong_count: 1\n",
                                        "        nodeid: 2\n",
                                        "        ring1_addr: 10.77.2.12\n",
                                        "    two_node: 1\n",
                                        "    wait_for_all: 0\n",
                                        "    provider: corosync_votequorum\n"};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        must_contain(text, lines[i]);
    assert_null(strstr(text, "logfile: "));
    int depth = 0;
    for (const char *at = text; *at != '\0'; at++)
        depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
    assert_int_equal(depth, 0);
    free(text);
}

static void refuse(const struct corosync_conf *conf, const char *because)
{
    char *text = NULL;
    struct diag diag = {0};
    assert_int_equal(corosync_conf_render(conf, &text, &diag), -EINVAL);
    assert_null(text);
    if (strstr(diag.text, because) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", diag.text, because);
}

static void names_that_could_smuggle_lines_in_are_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",  "a b", "a\n}", "a{",
        "ä", "a#",  "a:b",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct corosync_conf conf = sample();
        conf.cluster = bad[i];
        refuse(&conf, "name");
        conf = sample();
        conf.nodes[1].name = bad[i];
        refuse(&conf, "node 2");
    }
    struct corosync_conf conf = sample();
    conf.key_file = "/etc/a\nb";
    refuse(&conf, "paths");
    conf.key_file = "authkey";
    refuse(&conf, "paths");
}

static void contradictions_are_named(void **unused)
{
    (void)unused;
    struct corosync_conf conf = sample();
    conf.nodes[1].id = 1;
    refuse(&conf, "both nodes");
    conf = sample();
    conf.nodes[1].name = "a";
    refuse(&conf, "both nodes");
    conf = sample();
    conf.nodes[1].addresses[1] = "10.77.1.11";
    refuse(&conf, "twice");
    conf = sample();
    conf.nodes[0].addresses[1] = "fd00::1";
    refuse(&conf, "family");
    conf = sample();
    conf.nodes[0].addresses[0] = NULL;
    refuse(&conf, "no IP address");
    conf = sample();
    conf.nodes[0].addresses[0] = "node-a.example";
    refuse(&conf, "no IP address");
    conf = sample();
    conf.token_ms = 100;
    refuse(&conf, "token");
    conf = sample();
    conf.port = 65535;
    refuse(&conf, "port");
}

static void files_are_written_once_with_their_modes(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/corosync-test-XXXXXX", conf[64], key_file[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(conf, sizeof(conf), "%s/corosync.conf", folder);
    (void)snprintf(key_file, sizeof(key_file), "%s/authkey", folder);
    assert_int_equal(corosync_conf_write_file(conf, "one\n", NULL), 1);
    assert_int_equal(corosync_conf_write_file(conf, "one\n", NULL), 0);
    assert_int_equal(corosync_conf_write_file(conf, "two\n", NULL), 1);
    uint8_t key[COROSYNC_KEY_BYTES] = {0, 1, 0};
    assert_int_equal(corosync_key_write_file(key_file, key, NULL), 1);
    assert_int_equal(corosync_key_write_file(key_file, key, NULL), 0);
    struct stat st;
    assert_int_equal(stat(key_file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, COROSYNC_KEY_BYTES);
    assert_int_equal(chmod(key_file, 0644), 0); /* somebody opened it: closed again */
    assert_int_equal(corosync_key_write_file(key_file, key, NULL), 1);
    assert_int_equal(stat(key_file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(conf, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(unlink(conf) | unlink(key_file), 0);
    struct diag diag = {0};
    assert_int_equal(rmdir(folder), 0); /* no temporary file was left */
    assert_int_equal(corosync_conf_write_file(conf, "x", &diag), -ENOENT);
    assert_non_null(strstr(diag.text, conf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_says_what_the_design_asks_for),
        cmocka_unit_test(names_that_could_smuggle_lines_in_are_refused),
        cmocka_unit_test(contradictions_are_named),
        cmocka_unit_test(files_are_written_once_with_their_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
