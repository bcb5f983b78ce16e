#include "drbd/drbdctl_command.h"

#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define REFUSED(number, words)                                                                     \
    "0: State change failed: (" number ") " words                                                  \
    "\nCommand 'drbdsetup-84 primary 0' terminated with exit code 11\n"
#define FAILURE(number, words)                                                                     \
    "0: Failure: (" number ") " words                                                              \
    "\nCommand 'drbdsetup-84 attach 0' terminated with exit code 10\n"

/* clang-format off */
static const struct {
    int status;
    const char *output;
    enum drbdctl_result result;
} rows[] = {
    { 0,  "",                                                        DRBDCTL_RESULT_OK },
    { 0,  NULL,                                                      DRBDCTL_RESULT_OK },
    { 11, REFUSED("-7", "Refusing to be Primary while peer is not outdated"),
                                                                     DRBDCTL_RESULT_REFUSED_NOT_OUTDATED },
    { 11, REFUSED("-1", "Multiple primaries not allowed by config"), DRBDCTL_RESULT_REFUSED_MULTIPLE_PRIMARIES },
    { 17, REFUSED("-2", "Need access to UpToDate data"),             DRBDCTL_RESULT_REFUSED_NOT_UPTODATE },
    { 17, "",                                                        DRBDCTL_RESULT_REFUSED_NOT_UPTODATE },
    { 11, REFUSED("-12", "Device is held open by someone"),          DRBDCTL_RESULT_HELD_OPEN },
    { 11, REFUSED("-18", "In transient state, retry after next state change"),
                                                                     DRBDCTL_RESULT_REFUSED_STATE },
    { 11, REFUSED("-9", "Already StandAlone"),                       DRBDCTL_RESULT_UNKNOWN_CONNECTION },
    { 10, FAILURE("162", "Invalid configuration request\nadditional info from kernel:\nunknown connection"),
                                                                     DRBDCTL_RESULT_UNKNOWN_CONNECTION },
    { 10, FAILURE("151", "Need to be StandAlone"),                   DRBDCTL_RESULT_REFUSED_STATE },
    { 10, FAILURE("104", "Can not open backing device."),            DRBDCTL_RESULT_NO_DEVICE },
    { 10, FAILURE("111", "Low.dev. smaller than requested DRBD-dev. size."),
                                                                     DRBDCTL_RESULT_DEVICE_TOO_SMALL },
    { 10, FAILURE("114", "Lower device is already claimed. This usually means it is mounted."),
                                                                     DRBDCTL_RESULT_DEVICE_BUSY },
    { 10, FAILURE("119", "No valid meta-data signature found."),     DRBDCTL_RESULT_NO_METADATA },
    { 10, FAILURE("120", "The 'cram-hmac-alg' you specified is not known in the kernel."),
                                                                     DRBDCTL_RESULT_AUTHENTICATION },
    { 10, FAILURE("158", "Unknown resource"),                        DRBDCTL_RESULT_NO_RESOURCE },
    { 10, FAILURE("199", "something new"),                           DRBDCTL_RESULT_OTHER },
    { 20, "Could not stat /proc/drbd: No such file or directory\nMake sure that the DRBD kernel module is "
          "installed and can be loaded!\n",                          DRBDCTL_RESULT_NO_MODULE },
    { 20, "sh: 1: /sbin/modprobe: not found\nFailed to modprobe drbd (No such file or directory)\n",
                                                                     DRBDCTL_RESULT_NO_MODULE },
    { 1,  "no resources defined!\n",                                 DRBDCTL_RESULT_NO_RESOURCE },
    { 1,  "'og' not defined in your config (for this host).\n",      DRBDCTL_RESULT_NO_RESOURCE },
    { 1,  "No valid meta data found\n",                              DRBDCTL_RESULT_NO_METADATA },
    { 1,  "There appears to be a v08 flexible-size internal meta data block\nalready in place on /dev/vdb at byte "
          "offset 67104768\nDo you really want to overwrite the existing meta-data?\nOperation cancelled.\n",
                                                                     DRBDCTL_RESULT_HAS_METADATA },
    { 40, "Found ext3 filesystem\nDevice size would be truncated, which\nwould corrupt existing data and result in\n"
          "Operation refused.\n",                                    DRBDCTL_RESULT_HAS_DATA },
    { 20, "open(/dev/vdb) failed: No such file or directory\n",      DRBDCTL_RESULT_NO_DEVICE },
    { 20, "'/srv/disk.img' is not a block device!\n",                DRBDCTL_RESULT_NO_DEVICE },
    { 20, "open(/dev/vdb) failed: Device or resource busy\n",        DRBDCTL_RESULT_DEVICE_BUSY },
    { 20, "Command 'drbdsetup-84 outdate 0' did not terminate within 5 seconds\n",
                                                                     DRBDCTL_RESULT_OTHER },
    { 5,  "Device '0' is configured!\nCommand 'drbdmeta 0 v08 /dev/vdb internal outdate' terminated with exit code 20\n",
                                                                     DRBDCTL_RESULT_REFUSED_STATE },
    { 1,  NULL,                                                      DRBDCTL_RESULT_OTHER },
    { 1,  "0: State change failed: (",                               DRBDCTL_RESULT_OTHER },
    { 1,  "0: State change failed: (-99999999999) x",                DRBDCTL_RESULT_OTHER },
    { 1,  "some text with (-7) elsewhere",                           DRBDCTL_RESULT_OTHER },
    { -ETIMEDOUT, REFUSED("-7", "late"),                             DRBDCTL_RESULT_TIMEOUT },
    { -ENOENT, "",                                                   DRBDCTL_RESULT_NO_TOOLS },
    { -EAGAIN, "",                                                   DRBDCTL_RESULT_OTHER },
    { 143, "",                                                       DRBDCTL_RESULT_OTHER },
};
/* clang-format on */

static void every_refusal_of_the_tools_has_its_meaning(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (drbdctl_result_of(rows[i].status, rows[i].output) != rows[i].result)
            print_error("row %zu: %s\n", i, rows[i].output != NULL ? rows[i].output : "(null)");
        assert_int_equal(drbdctl_result_of(rows[i].status, rows[i].output), rows[i].result);
    }
}

static void only_exit_code_zero_is_success(void **unused)
{
    (void)unused;
    for (int status = -200; status <= 255; status++)
        assert_int_equal(drbdctl_result_of(status, "") == DRBDCTL_RESULT_OK, status == 0);
}

static void every_command_has_a_name_and_a_budget(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < DRBDCTL_COMMAND_COUNT; i++) {
        assert_string_not_equal(drbdctl_command_name((enum drbdctl_command)i), "?");
        assert_true(drbdctl_command_budget_ms((enum drbdctl_command)i) >= 1000);
    }
    assert_string_equal(drbdctl_command_name(DRBDCTL_COMMAND_COUNT), "?");
    assert_int_equal(drbdctl_command_budget_ms(DRBDCTL_COMMAND_COUNT), 0);
    for (unsigned i = 0; i < DRBDCTL_RESULT_COUNT; i++)
        assert_string_not_equal(drbdctl_result_name((enum drbdctl_result)i), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_of_the_tools_has_its_meaning),
        cmocka_unit_test(only_exit_code_zero_is_success),
        cmocka_unit_test(every_command_has_a_name_and_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
