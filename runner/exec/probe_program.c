/*
 * The program that the probe's image runs: it says that it ran. Static and without a C library
 * where we know how to do that, so that a FROM scratch image of a few hundred bytes is enough.
 */
static const char text[] = "slipway: a RUN step works here\n";

#if defined(__x86_64__)
static long call(long number, long a, long b, long c)
{
	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return number;
}
enum { WRITE = 1, EXIT = 60 };
#elif defined(__aarch64__) || defined(__riscv)
#if defined(__aarch64__)
#define NUMBER "x8"
#define A      "x0"
#define B      "x1"
#define C      "x2"
#define TRAP   "svc #0"
#else
#define NUMBER "a7"
#define A      "a0"
#define B      "a1"
#define C      "a2"
#define TRAP   "ecall"
#endif
static long call(long number, long a, long b, long c)
{
	register long n __asm__(NUMBER) = number;
	register long x __asm__(A) = a;
	register long y __asm__(B) = b;
	register long z __asm__(C) = c;
	__asm__ volatile(TRAP : "+r"(x) : "r"(n), "r"(y), "r"(z) : "memory");
	return x;
}
enum { WRITE = 64, EXIT = 93 };
#else
#define WITH_LIBC
#include <unistd.h>
#endif

#ifdef WITH_LIBC
int main(void)
{
	return write(1, text, sizeof text - 1) < 0;
}
#else
void _start(void)
{
	call(WRITE, 1, (long)text, sizeof text - 1);
	for (;;)
		call(EXIT, 0, 0, 0);
}
#endif
