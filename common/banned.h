/*
 * Functions that do not compile here, because each has a bounded or checked counterpart in common/.
 * Included before every C file by the build (cmake/flags.cmake).
 */
#pragma once

/* The headers that declare them must come first, or the poison would hit the declaration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison system popen tmpnam mktemp gmtime localtime ctime asctime
