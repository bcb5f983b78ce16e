/* roxed_unit.h - solution-control as a unit of systemd: start, stop, and whether it runs. */
#ifndef OG_CLI_ROXED_UNIT_H
#define OG_CLI_ROXED_UNIT_H

#include "lib/common/diag.h"

#include <stdbool.h>

#define ROXED_UNIT           "solution-control.service"
#define ROXED_UNIT_SYSTEMCTL "/usr/bin/systemctl"

/* Runs `systemctl VERB solution-control.service` on our terminal and waits for its end. Returns its
 * exit status, 128+signal, or a negative errno when it cannot be run. */
int roxed_unit_run(const char *systemctl, const char *verb, struct diag *diag);
/* Is the unit running, starting or stopping? Without systemctl: no. Silent. */
bool roxed_unit_is_up(const char *systemctl);

#endif
