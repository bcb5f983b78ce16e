#include "drbd/drbdctl_command.h"

#include "drbd/drbdctl_names.h"
#include "lib/common/common.h"

#include <errno.h>
#include <string.h>

#define COMMAND_NAME(id, text, budget_ms)   text,
#define COMMAND_BUDGET(id, text, budget_ms) budget_ms,
#define RESULT_NAME(id, text)               text,
static const char *const commands[] = {DRBDCTL_COMMANDS(COMMAND_NAME)};
static const uint64_t budgets_ms[] = {DRBDCTL_COMMANDS(COMMAND_BUDGET)};
static const char *const results[] = {DRBDCTL_RESULTS(RESULT_NAME)};

const char *drbdctl_command_name(enum drbdctl_command command)
{
    return drbdctl__name(commands, COUNT_OF(commands), command);
}

const char *drbdctl_result_name(enum drbdctl_result result)
{
    return drbdctl__name(results, COUNT_OF(results), result);
}

uint64_t drbdctl_command_budget_ms(enum drbdctl_command command)
{
    return (size_t)command < COUNT_OF(budgets_ms) ? budgets_ms[command] : 0;
}

/* clang-format off */
/* The kernel's numbers: negative ones refuse a change of state, those from 101 on a configuration. */
static const struct { int number; enum drbdctl_result result; } numbers[] = {
    {  -1, DRBDCTL_RESULT_REFUSED_MULTIPLE_PRIMARIES },
    {  -2, DRBDCTL_RESULT_REFUSED_NOT_UPTODATE },
    {  -4, DRBDCTL_RESULT_REFUSED_NOT_UPTODATE },       /* no local disk */
    {  -6, DRBDCTL_RESULT_REFUSED_STATE },              /* connected: use disconnect to outdate */
    {  -7, DRBDCTL_RESULT_REFUSED_NOT_OUTDATED },
    {  -9, DRBDCTL_RESULT_UNKNOWN_CONNECTION },         /* already StandAlone */
    { -11, DRBDCTL_RESULT_REFUSED_NOT_UPTODATE },       /* diskless */
    { -12, DRBDCTL_RESULT_HELD_OPEN },
    { -13, DRBDCTL_RESULT_UNKNOWN_CONNECTION },         /* no network configuration */
    { 104, DRBDCTL_RESULT_NO_DEVICE },
    { 105, DRBDCTL_RESULT_NO_DEVICE },
    { 107, DRBDCTL_RESULT_NO_DEVICE },                  /* not a block device */
    { 111, DRBDCTL_RESULT_DEVICE_TOO_SMALL },
    { 112, DRBDCTL_RESULT_DEVICE_TOO_SMALL },
    { 114, DRBDCTL_RESULT_DEVICE_BUSY },
    { 115, DRBDCTL_RESULT_DEVICE_BUSY },
    { 119, DRBDCTL_RESULT_NO_METADATA },
    { 120, DRBDCTL_RESULT_AUTHENTICATION },
    { 121, DRBDCTL_RESULT_AUTHENTICATION },
    { 127, DRBDCTL_RESULT_NO_RESOURCE },                /* no such minor */
    { 138, DRBDCTL_RESULT_REFUSED_NOT_UPTODATE },       /* no disk configured */
    { 151, DRBDCTL_RESULT_REFUSED_STATE },
    { 158, DRBDCTL_RESULT_NO_RESOURCE },
    { 162, DRBDCTL_RESULT_UNKNOWN_CONNECTION },
};

/* Failures that the tools report without a number. */
static const struct { const char *phrase; enum drbdctl_result result; } phrases[] = {
    { "kernel module is installed",          DRBDCTL_RESULT_NO_MODULE },
    { "Failed to modprobe drbd",             DRBDCTL_RESULT_NO_MODULE },
    { "Could not connect to 'drbd'",         DRBDCTL_RESULT_NO_MODULE },
    { "Module drbd not found",               DRBDCTL_RESULT_NO_MODULE },
    { "no resources defined",                DRBDCTL_RESULT_NO_RESOURCE },
    { "not defined in your config",          DRBDCTL_RESULT_NO_RESOURCE },
    { "already in place",                    DRBDCTL_RESULT_HAS_METADATA },
    { "Valid meta data seems to be in place",DRBDCTL_RESULT_HAS_METADATA },
    { "Valid meta-data in place",            DRBDCTL_RESULT_HAS_METADATA },
    { "would corrupt existing data",         DRBDCTL_RESULT_HAS_DATA },
    { "might destroy existing data",         DRBDCTL_RESULT_HAS_DATA },
    { "Operation refused",                   DRBDCTL_RESULT_HAS_DATA },
    { "Device too small",                    DRBDCTL_RESULT_DEVICE_TOO_SMALL },
    { "Device is too small",                 DRBDCTL_RESULT_DEVICE_TOO_SMALL },
    { "Device or resource busy",             DRBDCTL_RESULT_DEVICE_BUSY },
    { "Exclusive open failed",               DRBDCTL_RESULT_DEVICE_BUSY },
    { "is not a block device",               DRBDCTL_RESULT_NO_DEVICE },
    { "No such file or directory",           DRBDCTL_RESULT_NO_DEVICE },
    { "No such device",                      DRBDCTL_RESULT_NO_DEVICE },
    { "No valid meta data found",            DRBDCTL_RESULT_NO_METADATA },
    { "is configured!",                      DRBDCTL_RESULT_REFUSED_STATE }, /* outdate, refused by the kernel */
};
/* clang-format on */

/* The first "(N)" or "(-N)" behind "failed: " or "Failure: ", the only places where the tools put
 * the kernel's number; 0 when there is none. */
static int kernel_number(const char *output)
{
    static const char *const leads[] = {"State change failed: (", "Failure: ("};
    for (size_t i = 0; i < COUNT_OF(leads); i++) {
        const char *at = strstr(output, leads[i]);
        if (at == NULL)
            continue;
        at += strlen(leads[i]);
        int sign = *at == '-' ? -1 : 1;
        at += *at == '-';
        int number = 0;
        for (int digits = 0; *at >= '0' && *at <= '9' && digits < 4; digits++)
            number = number * 10 + (*at++ - '0');
        if (*at == ')')
            return sign * number;
    }
    return 0;
}

static enum drbdctl_result result_of_text(const char *output)
{
    int number = kernel_number(output);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (number == numbers[i].number)
            return numbers[i].result;
    if (number < 0)
        return DRBDCTL_RESULT_REFUSED_STATE;
    if (number > 0)
        return DRBDCTL_RESULT_OTHER;
    for (size_t i = 0; i < COUNT_OF(phrases); i++)
        if (strstr(output, phrases[i].phrase) != NULL)
            return phrases[i].result;
    return DRBDCTL_RESULT_OTHER;
}

enum drbdctl_result drbdctl_result_of(int status, const char *output)
{
    enum { RC_NO_UPTODATE = 17 };
    if (status == 0)
        return DRBDCTL_RESULT_OK;
    if (status == -ETIMEDOUT)
        return DRBDCTL_RESULT_TIMEOUT;
    if (status == -ENOENT)
        return DRBDCTL_RESULT_NO_TOOLS;
    if (status < 0)
        return DRBDCTL_RESULT_OTHER;
    enum drbdctl_result result = result_of_text(output != NULL ? output : "");
    if (result == DRBDCTL_RESULT_OTHER && status == RC_NO_UPTODATE)
        return DRBDCTL_RESULT_REFUSED_NOT_UPTODATE;
    return result;
}
