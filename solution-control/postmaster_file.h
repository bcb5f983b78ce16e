/* postmaster_file.h - what PostgreSQL says about itself in postmaster.pid (PostgreSQL 15, pidfile.h):
 * lines, the first one its process id, the eighth one its state, padded with spaces. */
#ifndef OG_SOLUTION_POSTMASTER_FILE_H
#define OG_SOLUTION_POSTMASTER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { POSTMASTER_FILE_BYTES = 1024 }; /* more than the file ever holds */

/* The server with this process id takes connections. False for the file of a predecessor, which a
 * crash leaves behind, and for one that is only half written. */
bool postmaster_is_ready(const char *text, size_t len_bytes, pid_t pid);

#endif
