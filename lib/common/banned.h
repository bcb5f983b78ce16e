/* banned.h - calls that have no place here do not compile. cmake/open-gateway.cmake puts this file
 * in front of every source of ours (-include); the headers that declare the calls come first, so
 * that the macros below meet our code only. The name in the compiler's message says what to use. */
#ifndef OG_COMMON_BANNED_H
#define OG_COMMON_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strncpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef gmtime
#undef localtime
#undef system

#define strcpy(...)    banned_strcpy_use_snprintf_or_buf
#define strncpy(...)   banned_strncpy_use_snprintf_or_buf
#define strcat(...)    banned_strcat_use_snprintf_or_buf
#define sprintf(...)   banned_sprintf_use_snprintf_or_buf
#define vsprintf(...)  banned_vsprintf_use_vsnprintf
#define strtok(...)    banned_strtok_use_strtok_r
#define atoi(...)      banned_atoi_use_strtol
#define gmtime(...)    banned_gmtime_use_gmtime_r
#define localtime(...) banned_localtime_use_localtime_r
#define system(...)    banned_system_use_child_start

#endif
