/* Fault injection below any program: see README.md beside this file.
 *
 * Loaded with LD_PRELOAD, it watches the calls that change files under FAULTFS_DIR, counts them, and at
 * call number FAULTFS_AT kills the process, tears the write, or lets calls fail; or it records them all. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum mode { OFF, KILL, TORN, NOSPACE, BROKEN, TRACE };
enum kind { WRITE = 1, TRUNCATE, SYNC, SYNC_DATA, RENAME, UNLINK, CREATE, MKDIR };

static enum mode mode = OFF;
static char dir[PATH_MAX];
static size_t dir_length;
static unsigned long long calls, at;
static int once, count_fd = -1, trace_fd = -1;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t started = PTHREAD_ONCE_INIT;

#define REAL(name, type) ({ static type real_##name; if (!real_##name) real_##name = (type)dlsym(RTLD_NEXT, #name); real_##name; })
typedef ssize_t (*write_f)(int, const void *, size_t);
typedef ssize_t (*pwrite_f)(int, const void *, size_t, off_t);
typedef ssize_t (*writev_f)(int, const struct iovec *, int);
typedef ssize_t (*pwritev_f)(int, const struct iovec *, int, off_t);
typedef int (*truncate_f)(int, off_t);
typedef int (*sync_f)(int);
typedef int (*rename_f)(const char *, const char *);
typedef int (*renameat_f)(int, const char *, int, const char *);
typedef int (*renameat2_f)(int, const char *, int, const char *, unsigned);
typedef int (*unlink_f)(const char *);
typedef int (*unlinkat_f)(int, const char *, int);
typedef int (*open_f)(const char *, int, ...);
typedef int (*openat_f)(int, const char *, int, ...);
typedef int (*creat_f)(const char *, mode_t);
typedef int (*mkdir_f)(const char *, mode_t);

/* A fault shim that is set up wrongly must not look like a program that survives faults. */
static void refuse(const char *why) {
    dprintf(2, "faultfs: %s\n", why);
    _exit(125);
}

static void start(void) {
    const char *wanted = getenv("FAULTFS_DIR"), *what = getenv("FAULTFS_MODE"), *number = getenv("FAULTFS_AT");
    const char *count = getenv("FAULTFS_COUNT_FILE"), *trace = getenv("FAULTFS_TRACE_FILE");
    if (!wanted) return;
    if (!realpath(wanted, dir)) refuse("FAULTFS_DIR does not exist");
    dir_length = strlen(dir);
    once = getenv("FAULTFS_ONCE") != NULL;
    at = number ? strtoull(number, NULL, 10) : 0;
    if (!what || !strcmp(what, "count")) mode = OFF;
    else if (!strcmp(what, "kill")) mode = KILL;
    else if (!strcmp(what, "torn")) mode = TORN;
    else if (!strcmp(what, "enospc")) mode = NOSPACE;
    else if (!strcmp(what, "eio")) mode = BROKEN;
    else if (!strcmp(what, "trace")) mode = TRACE;
    else refuse("unknown FAULTFS_MODE");
    if (mode != OFF && mode != TRACE && !at) refuse("FAULTFS_AT is missing; calls are numbered from 1");
    int flags = O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC;
    if (count && (count_fd = (int)syscall(SYS_openat, AT_FDCWD, count, flags, 0600)) < 0) refuse("cannot write FAULTFS_COUNT_FILE");
    if (mode == TRACE && (!trace || (trace_fd = (int)syscall(SYS_openat, AT_FDCWD, trace, flags, 0600)) < 0)) refuse("cannot write FAULTFS_TRACE_FILE");
}

static int watched(const char *path) {
    return dir_length && !strncmp(path, dir, dir_length) && (path[dir_length] == '/' || !path[dir_length]);
}

/* Path of an open file, if it is watched. */
static int path_of(int fd, char *path) {
    char link[64];
    pthread_once(&started, start);
    if (!dir_length) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *gone = " (deleted)";
    size_t tail = strlen(gone);
    if ((size_t)length > tail && !strcmp(path + length - tail, gone)) path[length - tail] = 0;
    return watched(path);
}

/* Absolute path of a name that need not exist, if it is watched. */
static int resolve(int base, const char *name, char *path) {
    char parent[PATH_MAX], joined[PATH_MAX], link[64];
    pthread_once(&started, start);
    if (!dir_length || !name) return 0;
    const char *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    int length = slash ? (slash == name ? 1 : (int)(slash - name)) : 1;
    const char *front = slash ? name : ".";
    if (front[0] != '/' && base != AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", base);
        ssize_t got = readlink(link, parent, PATH_MAX - 1);
        if (got < 0) return 0;
        parent[got] = 0;
        if (snprintf(joined, sizeof joined, "%s/%.*s", parent, length, front) >= (int)sizeof joined) return 0;
    } else if (snprintf(joined, sizeof joined, "%.*s", length, front) >= (int)sizeof joined) return 0;
    if (!realpath(joined, parent)) return 0;
    if (snprintf(path, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", last) >= PATH_MAX) return 0;
    return watched(path);
}

static void count_one(void) {
    char text[32];
    calls++;
    if (count_fd >= 0) {
        int length = snprintf(text, sizeof text, "%llu\n", calls);
        if (syscall(SYS_pwrite64, count_fd, text, (size_t)length, (off_t)0) != length) refuse("cannot write FAULTFS_COUNT_FILE");
    }
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a call; says with which error it must fail, or 0. `grows`: whether it needs space. Dies if it is
 * time to, unless `*tear` is given: then the caller writes half of its data first. */
static int judge(int grows, int *tear) {
    count_one();
    if (mode == OFF || mode == TRACE || calls < at) return 0;
    if (mode == KILL && calls == at) die();
    if (mode == TORN && calls == at) {
        if (!tear) die();
        *tear = 1;
        return 0;
    }
    if (mode == NOSPACE && grows) {
        if (once) mode = OFF;
        return ENOSPC;
    }
    if (mode == BROKEN) {
        if (once) mode = OFF;
        return EIO;
    }
    return 0;
}

static void put(const void *bytes, size_t length) {
    const char *next = bytes;
    while (length) {
        ssize_t done = syscall(SYS_write, trace_fd, next, length);
        if (done <= 0) refuse("cannot write FAULTFS_TRACE_FILE");
        next += done;
        length -= (size_t)done;
    }
}

static void put_number(uint64_t number, int bytes) {
    unsigned char little[8];
    for (int i = 0; i < bytes; i++) little[i] = (unsigned char)(number >> (8 * i));
    put(little, (size_t)bytes);
}

/* Appends one call to the trace. `length` is that of the data, or the new size of a truncation. */
static void trace(enum kind kind, const char *path, const char *other, uint64_t offset, uint64_t length, const struct iovec *data) {
    if (mode != TRACE) return;
    const char *paths[2] = {path + dir_length + (path[dir_length] == '/'), other ? other + dir_length + 1 : ""};
    put_number(kind, 1);
    put_number(calls, 8);
    put_number(offset, 8);
    put_number(length, 8);
    for (int i = 0; i < 2; i++) put_number(strlen(paths[i]), 2);
    for (int i = 0; i < 2; i++) put(paths[i], strlen(paths[i]));
    for (uint64_t left = data ? length : 0; left; data++) {
        size_t part = data->iov_len < left ? data->iov_len : left;
        put(data->iov_base, part);
        left -= part;
    }
}

/* All writes come here. `offset` is -1 for the file's own position. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset) {
    char path[PATH_MAX];
    writev_f real_v = REAL(writev, writev_f);
    pwritev_f real_pv = REAL(pwritev, pwritev_f);
    if (!path_of(fd, path)) return offset < 0 ? real_v(fd, parts, count) : real_pv(fd, parts, count, offset);
    pthread_mutex_lock(&guard);
    int tear = 0, error = judge(1, &tear);
    ssize_t done = -1;
    off_t place = offset;
    if (place < 0) {
        int appends = fcntl(fd, F_GETFL) & O_APPEND;
        struct stat status;
        place = appends && !fstat(fd, &status) ? status.st_size : lseek(fd, 0, SEEK_CUR);
    }
    if (tear) {
        size_t total = 0;
        for (int i = 0; i < count; i++) total += parts[i].iov_len;
        size_t half = total / 2;
        for (int i = 0; i < count && half; i++) {
            size_t part = parts[i].iov_len < half ? parts[i].iov_len : half;
            if (syscall(SYS_pwrite64, fd, parts[i].iov_base, part, place) < 0) break;
            place += (off_t)part;
            half -= part;
        }
        die();
    }
    if (error) errno = error;
    else {
        done = offset < 0 ? real_v(fd, parts, count) : real_pv(fd, parts, count, offset);
        if (done >= 0) {
            int kept = errno;
            trace(WRITE, path, NULL, (uint64_t)place, (uint64_t)done, parts);
            errno = kept;
        }
    }
    pthread_mutex_unlock(&guard);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    struct iovec part = {(void *)bytes, length};
    char path[PATH_MAX];
    if (!path_of(fd, path)) return REAL(write, write_f)(fd, bytes, length);
    return write_parts(fd, &part, 1, -1);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    struct iovec part = {(void *)bytes, length};
    return write_parts(fd, &part, 1, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    struct iovec part = {(void *)bytes, length};
    return write_parts(fd, &part, 1, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_parts(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return write_parts(fd, parts, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return write_parts(fd, parts, count, offset); }

static int truncate_to(int fd, off_t size) {
    char path[PATH_MAX];
    truncate_f real = REAL(ftruncate, truncate_f);
    if (!path_of(fd, path)) return real(fd, size);
    pthread_mutex_lock(&guard);
    struct stat status;
    int grows = !fstat(fd, &status) && size > status.st_size;
    int error = judge(grows, NULL), done = -1;
    if (error) errno = error;
    else if (!(done = real(fd, size))) trace(TRUNCATE, path, NULL, 0, (uint64_t)size, NULL);
    pthread_mutex_unlock(&guard);
    return done;
}
int ftruncate(int fd, off_t size) { return truncate_to(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncate_to(fd, size); }

static int sync_file(int fd, enum kind kind, sync_f real) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return real(fd);
    pthread_mutex_lock(&guard);
    int error = judge(0, NULL), done = -1;
    if (error) errno = error;
    else if (!(done = real(fd))) trace(kind, path, NULL, 0, 0, NULL);
    pthread_mutex_unlock(&guard);
    return done;
}
int fsync(int fd) { return sync_file(fd, SYNC, REAL(fsync, sync_f)); }
int fdatasync(int fd) { return sync_file(fd, SYNC_DATA, REAL(fdatasync, sync_f)); }

static int rename_entry(int from_base, const char *from, int to_base, const char *to, unsigned flags, int plain) {
    char path[PATH_MAX], other[PATH_MAX];
    int ours = resolve(from_base, from, path), theirs = resolve(to_base, to, other);
    if (ours != theirs) refuse("a rename into or out of FAULTFS_DIR");
    if (ours) pthread_mutex_lock(&guard);
    int error = ours ? judge(0, NULL) : 0, done = -1;
    if (error) errno = error;
    else done = plain ? REAL(renameat, renameat_f)(from_base, from, to_base, to) : REAL(renameat2, renameat2_f)(from_base, from, to_base, to, flags);
    if (ours) {
        if (!done) trace(RENAME, path, other, 0, 0, NULL);
        pthread_mutex_unlock(&guard);
    }
    return done;
}
int rename(const char *from, const char *to) { return rename_entry(AT_FDCWD, from, AT_FDCWD, to, 0, 1); }
int renameat(int from_base, const char *from, int to_base, const char *to) { return rename_entry(from_base, from, to_base, to, 0, 1); }
int renameat2(int from_base, const char *from, int to_base, const char *to, unsigned flags) {
    return rename_entry(from_base, from, to_base, to, flags, 0);
}

static int unlink_entry(int base, const char *name, int flags) {
    char path[PATH_MAX];
    unlinkat_f real = REAL(unlinkat, unlinkat_f);
    if (!resolve(base, name, path)) return real(base, name, flags);
    pthread_mutex_lock(&guard);
    int error = judge(0, NULL), done = -1;
    if (error) errno = error;
    else if (!(done = real(base, name, flags))) trace(UNLINK, path, NULL, 0, 0, NULL);
    pthread_mutex_unlock(&guard);
    return done;
}
int unlink(const char *name) { return unlink_entry(AT_FDCWD, name, 0); }
int unlinkat(int base, const char *name, int flags) { return unlink_entry(base, name, flags); }
int rmdir(const char *name) { return unlink_entry(AT_FDCWD, name, AT_REMOVEDIR); }

/* Opening is watched only for what it creates or empties. It is not counted as a call. */
static int open_entry(int base, const char *name, int flags, mode_t permissions) {
    char path[PATH_MAX];
    openat_f real = REAL(openat, openat_f);
    if (!(flags & (O_CREAT | O_TRUNC)) || !resolve(base, name, path)) return real(base, name, flags, permissions);
    pthread_mutex_lock(&guard);
    struct stat status;
    int existed = !stat(path, &status), fd = -1;
    if (!existed && mode == NOSPACE && calls >= at && !once) errno = ENOSPC;
    else fd = real(base, name, flags, permissions);
    if (fd >= 0 && !existed) trace(CREATE, path, NULL, 0, 0, NULL);
    if (fd >= 0 && existed && flags & O_TRUNC && status.st_size) trace(TRUNCATE, path, NULL, 0, 0, NULL);
    pthread_mutex_unlock(&guard);
    return fd;
}
#define OPEN_MODE(last) mode_t permissions = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, last); permissions = va_arg(rest, mode_t); va_end(rest); }
int open(const char *name, int flags, ...) { OPEN_MODE(flags) return open_entry(AT_FDCWD, name, flags, permissions); }
int open64(const char *name, int flags, ...) { OPEN_MODE(flags) return open_entry(AT_FDCWD, name, flags, permissions); }
int openat(int base, const char *name, int flags, ...) { OPEN_MODE(flags) return open_entry(base, name, flags, permissions); }
int openat64(int base, const char *name, int flags, ...) { OPEN_MODE(flags) return open_entry(base, name, flags, permissions); }
int creat(const char *name, mode_t permissions) { return open_entry(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, permissions); }
int creat64(const char *name, mode_t permissions) { return open_entry(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, permissions); }

int mkdir(const char *name, mode_t permissions) {
    char path[PATH_MAX];
    mkdir_f real = REAL(mkdir, mkdir_f);
    if (!resolve(AT_FDCWD, name, path)) return real(name, permissions);
    pthread_mutex_lock(&guard);
    int done = real(name, permissions);
    if (!done) trace(MKDIR, path, NULL, 0, 0, NULL);
    pthread_mutex_unlock(&guard);
    return done;
}
