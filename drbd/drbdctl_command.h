/* drbdctl_command.h - what the administration commands are, how long they may take, and what
 * their exit codes and texts mean. Pure; drbdctl_link.h runs them. */
#ifndef OG_DRBD_DRBDCTL_COMMAND_H
#define OG_DRBD_DRBDCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each is carried out until its effect is read back from the event stream, not until its program
 * ended: `outdate` on a connected Secondary ends with 0 and does nothing.
 *
 * UP        loads the module when it is missing, then resource, disk and connection as configured;
 *           repeating it is harmless. Done when the resource is up and its disk is attached.
 * PRIMARY   the caller must hold the right. May ask the fence-peer helper while it runs, up to four
 *           times. REFUSED_NOT_OUTDATED is worth one more try when the answer was 7 (the first
 *           call finds the dead peer, asks and fails all the same).
 * SECONDARY, DOWN  a device that somebody holds open is tried again for half a second: udev looks
 *           into it for a moment after every unmount. Then HELD_OPEN.
 * OUTDATE   NO_EFFECT on a connected Secondary: DISCONNECT marks it there.
 * DISCONNECT  also when there is no connection: OK.
 * CREATE_METADATA  refuses (HAS_METADATA, HAS_DATA) when anything is found on the disk.
 * CREATE_METADATA_FORCED  destroys what is on the disk.
 * FORM      declares two new, empty copies equal and UpToDate; the caller knows that both are
 *           new. Refused unless both are connected, Inconsistent and Secondary. One node does it.
 */
#define DRBDCTL_COMMANDS(X)                                                                        \
    X(LOAD_MODULE, "load the module", 10000)                                                       \
    X(UP, "up", 15000)                                                                             \
    X(PRIMARY, "primary", 12000)                                                                   \
    X(SECONDARY, "secondary", 5000)                                                                \
    X(CONNECT, "connect", 5000)                                                                    \
    X(DISCONNECT, "disconnect", 5000)                                                              \
    X(OUTDATE, "outdate", 5000)                                                                    \
    X(DOWN, "down", 8000)                                                                          \
    X(CREATE_METADATA, "create metadata", 60000)                                                   \
    X(CREATE_METADATA_FORCED, "create metadata by force", 60000)                                   \
    X(FORM, "form", 5000)                                                                          \
    X(GENERATION, "read the generation", 5000)
#define DRBDCTL_COMMAND_ENUM(id, text, budget_ms) DRBDCTL_COMMAND_##id,
enum drbdctl_command { DRBDCTL_COMMANDS(DRBDCTL_COMMAND_ENUM) DRBDCTL_COMMAND_COUNT };

#define DRBDCTL_RESULTS(X)                                                                         \
    X(OK, "done")                                                                                  \
    X(REFUSED_NOT_OUTDATED, "refused: the peer is not known to be outdated")                       \
    X(REFUSED_MULTIPLE_PRIMARIES, "refused: the peer is Primary")                                  \
    X(REFUSED_NOT_UPTODATE, "refused: no up-to-date copy here")                                    \
    X(REFUSED_STATE, "refused: not possible in the present state")                                 \
    X(HELD_OPEN, "refused: the device is in use")                                                  \
    X(UNKNOWN_CONNECTION, "there is no such connection")                                           \
    X(NO_EFFECT, "ended without the expected effect")                                              \
    X(TIMEOUT, "did not end in time")                                                              \
    X(NO_MODULE, "the kernel has no DRBD module")                                                  \
    X(NO_TOOLS, "the DRBD tools are not installed")                                                \
    X(NO_RESOURCE, "the resource is not configured on this machine")                               \
    X(NO_DEVICE, "the backing device is missing")                                                  \
    X(DEVICE_BUSY, "the backing device is in use")                                                 \
    X(DEVICE_TOO_SMALL, "the backing device is too small")                                         \
    X(NO_METADATA, "the backing device carries no DRBD metadata")                                  \
    X(HAS_METADATA, "the backing device already carries DRBD metadata")                            \
    X(HAS_DATA, "the backing device carries foreign data")                                         \
    X(AUTHENTICATION, "the kernel lacks the digest for peer authentication")                       \
    X(CANCELLED, "given up: the link was closed")                                                  \
    X(OTHER, "failed")
#define DRBDCTL_RESULT_ENUM(id, text) DRBDCTL_RESULT_##id,
enum drbdctl_result { DRBDCTL_RESULTS(DRBDCTL_RESULT_ENUM) DRBDCTL_RESULT_COUNT };

/* status as struct child_result has it (exit code, or -errno); output may be NULL. The number in
 * brackets that the tool prints decides, the exit code only where there is none. */
enum drbdctl_result drbdctl_result_of(int status, const char *output);
uint64_t drbdctl_command_budget_ms(enum drbdctl_command command);
const char *drbdctl_command_name(enum drbdctl_command command); /* "?" out of range */
const char *drbdctl_result_name(enum drbdctl_result result);

#endif
