/* fuzz: what every fuzzer defines. A finding is an abort, or a sanitizer's report. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
