/* A clock that can be moved: clock_gettime(CLOCK_REALTIME) is so many nanoseconds off as the file named by CHAOS_CLOCK
   says, eight bytes of the machine's own order. Loaded with LD_PRELOAD. All other clocks go as they are, so that what
   measures how long something takes is not moved; nor is gettimeofday, by which SQLite's journal of the campaign tells
   the true time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL

static volatile int64_t *shift_ns;

__attribute__((constructor)) static void open_shift(void) {
    const char *path = getenv("CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof *shift_ns, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        shift_ns = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *moment) {
    int failed = (int)syscall(SYS_clock_gettime, clock, moment);
    if (failed || clock != CLOCK_REALTIME || !shift_ns)
        return failed;
    int64_t shifted_ns = (int64_t)moment->tv_nsec + *shift_ns;
    moment->tv_sec += shifted_ns / SECOND_NS;
    moment->tv_nsec = shifted_ns % SECOND_NS;
    if (moment->tv_nsec < 0) {
        moment->tv_nsec += SECOND_NS;
        moment->tv_sec -= 1;
    }
    return 0;
}
