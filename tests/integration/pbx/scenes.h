/* scenes.h - runs a program's cmocka tests side by side, each in a process of its own: most of them
 * spend their time waiting for somebody's time-out. */
#ifndef OG_TEST_SCENES_H
#define OG_TEST_SCENES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Returns how many failed, for main(); shows what these have written. */
int scenes_run(const struct CMUnitTest *scenes, size_t count);

#endif
