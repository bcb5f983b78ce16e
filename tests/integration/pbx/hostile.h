/* hostile.h - around the bench: a driver that has settled, what it logs, and the question that ends
 * each scene: does it still work, and has it lost nothing? */
#ifndef OG_TEST_HOSTILE_H
#define OG_TEST_HOSTILE_H

#include "tests/integration/pbx/driver_bench.h"
#include "tests/integration/pbx/scenes.h"

/* cmocka's set-up and tear-down. The peer has the stations 1001 to 1003; *state is a struct bench.
 */
int hostile_begin(void **state);
int hostile_end(void **state);

/* Opens the driver, monitors 1001 and 1002, waits until both are read, and clears the story. */
void hostile_settle(struct bench *bench);
/* Runs the loop until the story contains the words; fails the test after 8 s. */
void hostile_wait(struct bench *bench, const char *words);
unsigned hostile_count(const struct bench *bench, const char *words);
void hostile_forget(struct bench *bench); /* clears the story */

/* The link is up and was not lost in the meantime: events arrive, calls can be made. */
void hostile_assert_works(struct bench *bench);
/* The link was lost: it comes back, and both devices are read again. */
void hostile_assert_recovers(struct bench *bench);
/* Some line of the log since the beginning contains the text. */
void hostile_assert_logged(const char *text);

/* Rings at a device. */
struct csta_message hostile_delivered(const char *number, const char *call_id);

#endif
