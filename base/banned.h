/*
 * Functions that this project does not use, made unusable: included before everything else by the build
 * (-include). Each has a replacement that cannot overflow, does not depend on the locale or hidden state, or
 * does not start a shell.
 *
 *   strcpy strcat sprintf vsprintf   -> base/strbuf.h, snprintf
 *   strtok                           -> strtok_r, strcspn
 *   atoi atol atof                   -> strtoll with its errors checked
 *   gmtime localtime ctime asctime   -> base/clock.h, gmtime_r
 *   system popen                     -> base/process.h
 *   alloca                           -> base/alloc.h
 *
 * The system headers that declare them are read first, so that only uses are hit.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef __clang_analyzer__
#pragma GCC poison strcat sprintf vsprintf strtok atoi atol atof gmtime localtime ctime asctime system popen
#endif

#endif
