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
    struct timespec rest = { microseconds / 1000000, (microseconds % 1000000) * 1000 };
    while (nanosleep(&rest, &rest) != 0) { }
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
