#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RULES = 4096, MOST_TIMERS = 8, LOOK_EVERY_NANOSECONDS = 5 * 1000 * 1000 };

/* ---- the file that says what fails ---- */

static bool read_rules(char *text) {
    const char *path = getenv("WAYBILL_FAULTS");
    if (path == NULL) return false;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = syscall(SYS_read, file, text, MOST_RULES - 1);
    syscall(SYS_close, file);
    text[count > 0 ? count : 0] = 0;
    return true;
}

static int fault(const char *call, const char *path) {
    char text[MOST_RULES], name[32], part[256], *rest = NULL;
    int number;
    if (!read_rules(text)) return 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, "%31s %d %255s", name, &number, part) != 3) continue;
        if (strcmp(name, call) == 0 && strstr(path, part) != NULL) return number;
    }
    return 0;
}

static void note(const char *call, int file, int number, const char *path) {
    char log[512], line[1024];
    struct stat status = {0};
    const char *rules = getenv("WAYBILL_FAULTS");
    if (rules == NULL) return;
    if (file >= 0) fstat(file, &status);
    snprintf(log, sizeof log, "%s.log", rules);
    int length = snprintf(
        line, sizeof line, "%s %d %d %lu %d %s\n", call, getpid(), file, (unsigned long)status.st_ino, number, path);
    int out = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (out < 0 || length <= 0) return;
    syscall(SYS_write, out, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
    syscall(SYS_close, out);
}

static void path_of(int file, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, size - 1);
    path[count > 0 ? count : 0] = 0;
}

/* Whether a call on a descriptor is to fail; `errno` is set then. */
static bool fails(const char *call, int file, bool is_noted) {
    int before = errno;
    char path[512];
    path_of(file, path, sizeof path);
    int number = fault(call, path);
    if (number != 0 || is_noted) note(call, file, number, path);
    if (number < 0) abort();
    errno = number != 0 ? number : before;
    return number != 0;
}

/* ---- what is looked at before libc has its turn ---- */

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    if (fails("write", file, false)) return -1;
    return syscall(SYS_pwrite64, file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    if (fails("write", file, false)) return -1;
    return syscall(SYS_pwrite64, file, bytes, count, offset);
}

int fdatasync(int file) { return fails("sync", file, true) ? -1 : (int)syscall(SYS_fdatasync, file); }

int fsync(int file) { return fails("sync", file, true) ? -1 : (int)syscall(SYS_fsync, file); }

int ftruncate(int file, off_t length) {
    return fails("truncate", file, false) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

int ftruncate64(int file, off64_t length) {
    return fails("truncate", file, false) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

static bool rename_fails(int folder, const char *name) {
    char path[1024];
    int before = errno;
    path_of(folder, path, sizeof path / 2);
    strcat(path, "/");
    strncat(path, name, sizeof path / 2 - 2);
    int number = fault("rename", path);
    if (number != 0) note("rename", -1, number, path);
    errno = number != 0 ? number : before;
    return number != 0;
}

int renameat(int from, const char *name, int to, const char *new_name) {
    if (rename_fails(to, new_name)) return -1;
    return (int)syscall(SYS_renameat2, from, name, to, new_name, 0);
}

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags) {
    if (rename_fails(to, new_name)) return -1;
    return (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

/* ---- the clock ---- */

struct shift {
    long seconds;
    int step;
};

/* Timers of the wall clock that are to be told of its steps, and whether they are to be. */
static struct {
    int file;
    bool is_stepped;
} timers[MOST_TIMERS];
static int timer_count;
static pthread_mutex_t timer_lock = PTHREAD_MUTEX_INITIALIZER;

static struct shift shift(void) {
    char text[MOST_RULES];
    struct shift shift = {0, 0};
    if (!read_rules(text)) return shift;
    const char *line = strstr(text, "clock ");
    if (line != NULL) sscanf(line, "clock %ld %d", &shift.seconds, &shift.step);
    return shift;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += shift().seconds;
    return result;
}

/* What the kernel does when the clock is set: every timer that asked for it is over, and says so when it is read. */
static void *watch_clock(void *nothing) {
    (void)nothing;
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NANOSECONDS};
    for (int seen = shift().step;;) {
        nanosleep(&pause, NULL);
        int step = shift().step;
        if (step == seen) continue;
        seen = step;
        pthread_mutex_lock(&timer_lock);
        for (int index = 0; index < timer_count; index++) {
            const struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};
            timers[index].is_stepped = true;
            syscall(SYS_timerfd_settime, timers[index].file, 0, &at_once, NULL);
        }
        pthread_mutex_unlock(&timer_lock);
    }
    return NULL;
}

static void know_timer(int file) {
    static bool is_watching;
    pthread_mutex_lock(&timer_lock);
    bool is_known = false;
    for (int index = 0; index < timer_count; index++) is_known |= timers[index].file == file;
    if (!is_known && timer_count < MOST_TIMERS) timers[timer_count++].file = file;
    pthread_t thread;
    if (!is_watching) is_watching = pthread_create(&thread, NULL, watch_clock, NULL) == 0;
    pthread_mutex_unlock(&timer_lock);
}

int timerfd_settime(int file, int flags, const struct itimerspec *wanted, struct itimerspec *old) {
    struct itimerspec setting = *wanted;
    long seconds = shift().seconds;
    if ((flags & TFD_TIMER_CANCEL_ON_SET) != 0) {
        know_timer(file);
        setting.it_value.tv_sec -= seconds;
        if (setting.it_value.tv_sec <= 0) setting.it_value = (struct timespec){.tv_nsec = 1};
    }
    return (int)syscall(SYS_timerfd_settime, file, flags, &setting, old);
}

ssize_t read(int file, void *buffer, size_t count) {
    ssize_t result = syscall(SYS_read, file, buffer, count);
    if (result != sizeof(uint64_t)) return result;
    pthread_mutex_lock(&timer_lock);
    for (int index = 0; index < timer_count; index++) {
        if (timers[index].file != file || !timers[index].is_stepped) continue;
        timers[index].is_stepped = false;
        errno = ECANCELED;
        result = -1;
    }
    pthread_mutex_unlock(&timer_lock);
    return result;
}
