/*
 * A phone's disk: every fsync and fdatasync takes SLOW_FSYNC_US microseconds longer (default 5,000).
 * Loaded with LD_PRELOAD into the child process that is measured; both peers run under it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_the_disk(void)
{
    const char *text = getenv("SLOW_FSYNC_US");
    long microseconds = text ? atol(text) : 5000;
    struct timespec begun, now;
    /* spins: where the kernel's timer ticks every 4 ms, sleeping 5 ms takes 8 and hides what is measured */
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begun.tv_sec) * 1000000L + (now.tv_nsec - begun.tv_nsec) / 1000 < microseconds);
}

int fsync(int file)
{
    int done = (int) syscall(SYS_fsync, file);
    wait_for_the_disk();
    return done;
}

int fdatasync(int file)
{
    int done = (int) syscall(SYS_fdatasync, file);
    wait_for_the_disk();
    return done;
}
