/* The door of libFuzzer for programs that bring their own main (LLVM, "libFuzzer", section "Using libFuzzer as a
   library"). The library itself is linked by -sanitize=fuzzer. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));
