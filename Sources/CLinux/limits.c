#define _GNU_SOURCE
#include "limits.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A limit can only be lowered by whoever has no privileges, and a step's is never meant to raise one. */
static int set_limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit;
    if (soft == 0) return 0;
    if (getrlimit(resource, &limit) != 0) return -1;
    if (hard < limit.rlim_max) limit.rlim_max = hard;
    if (soft < limit.rlim_cur || limit.rlim_cur > limit.rlim_max) limit.rlim_cur = soft;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit);
}

int wb_limit_self(const struct waybill_limits *limits) {
    /* The kernel looks at the hard limit first, and kills: the second between the two is for cleaning up. */
    uint64_t last = limits->cpu == 0 ? 0 : limits->cpu + WB_CPU_GRACE_SECONDS;
    if (set_limit(RLIMIT_CPU, limits->cpu, last) != 0) return -1;
    if (set_limit(RLIMIT_AS, limits->memory, limits->memory) != 0) return -1;
    if (set_limit(RLIMIT_NOFILE, limits->files, limits->files) != 0) return -1;
    return set_limit(RLIMIT_NPROC, limits->processes, limits->processes);
}

/* The number of threads of a process: the 18th field after its name, which may contain anything; 1 if it is gone. */
static uint64_t count_threads(int folder, const char *process) {
    enum { FIELD = 18 };
    char path[300], text[1024];
    snprintf(path, sizeof path, "%s/stat", process);
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 1;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 1;
    text[count] = 0;
    const char *next = strrchr(text, ')');
    for (int field = 0; next != NULL && field < FIELD; field++) next = strchr(next + 1, ' ');
    long threads = next == NULL ? 1 : strtol(next, NULL, 10);
    return threads < 1 ? 1 : (uint64_t)threads;
}

uint64_t wb_count_processes(void) {
    DIR *folder = opendir("/proc");
    if (folder == NULL) return 0;
    uint64_t sum = 0;
    uid_t user = getuid();
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat status;
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (fstatat(dirfd(folder), entry->d_name, &status, 0) != 0 || status.st_uid != user) continue;
        sum += count_threads(dirfd(folder), entry->d_name);
    }
    closedir(folder);
    return sum;
}
