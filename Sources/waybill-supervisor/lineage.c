#define _GNU_SOURCE
#include "supervisor.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that one program started, wherever it went: all descendants of this process, which is the subreaper of its
   own, so that what loses its parent comes here and nowhere else. */

enum {
    /* How often a pass is repeated because new processes turned up, which fork while they are signalled. */
    MOST_PASSES = 64,
    /* No lineage is followed further, so that a fork bomb cannot fill the memory. */
    MOST_PROCESSES = 100000,
    /* The kernel's largest process number. */
    LARGEST_NUMBER = 1 << 22,
};

struct group {
    pid_t *members;
    int count, room;
};

/* One bit per process number. Untouched pages of these cost nothing. */
static unsigned char is_found[LARGEST_NUMBER / 8 + 1], is_killed[LARGEST_NUMBER / 8 + 1];

static int killed_count;

static bool take_bit(unsigned char *bits, pid_t pid) {
    if (pid <= 0 || pid > LARGEST_NUMBER) return false;
    unsigned char bit = (unsigned char)(1u << pid % 8);
    if (bits[pid / 8] & bit) return false;
    bits[pid / 8] |= bit;
    return true;
}

static void clear_bits(unsigned char *bits, const struct group *group) {
    for (int index = 0; index < group->count; index++) bits[group->members[index] / 8] = 0;
}

static void add(struct group *group, pid_t pid) {
    if (group->count >= MOST_PROCESSES || !take_bit(is_found, pid)) return;
    if (group->count == group->room) {
        int room = group->room == 0 ? 64 : 2 * group->room;
        pid_t *members = realloc(group->members, (size_t)room * sizeof *members);
        if (members == NULL) return;
        group->members = members;
        group->room = room;
    }
    group->members[group->count++] = pid;
}

static pid_t parent_of(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return -1;
    text[count] = 0;
    /* The second field is the program's name, which may contain anything. */
    const char *name_end = strrchr(text, ')');
    int parent;
    return name_end != NULL && sscanf(name_end, ") %*c %d", &parent) == 1 ? parent : -1;
}

/* Adds the children that one thread has: false if the kernel keeps no such list (CONFIG_PROC_CHILDREN). */
static bool add_children_of_thread(struct group *group, pid_t pid, const char *thread) {
    char path[320], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    pid_t number = 0;
    ssize_t count;
    while ((count = read(file, text, sizeof text)) > 0) {
        for (ssize_t index = 0; index < count; index++) {
            if (isdigit((unsigned char)text[index])) {
                number = number * 10 + (text[index] - '0');
            } else {
                add(group, number);
                number = 0;
            }
        }
    }
    close(file);
    return true;
}

static void add_from_all(struct group *group, pid_t pid) {
    DIR *folder = opendir("/proc");
    if (folder == NULL) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        pid_t other = (pid_t)atoi(entry->d_name);
        if (other > 0 && parent_of(other) == pid) add(group, other);
    }
    closedir(folder);
}

static void add_children(struct group *group, pid_t pid) {
    static int has_lists = -1;
    if (has_lists < 0) has_lists = access("/proc/thread-self/children", R_OK) == 0;
    if (!has_lists) {
        add_from_all(group, pid);
        return;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    if (threads == NULL) return;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] != '.') add_children_of_thread(group, pid, entry->d_name);
    }
    closedir(threads);
}

/* All there are, the nearest first.

   A process whose parent ends moves while the lists are read: up to this process, never down. So what is further down
   is read first where it counts, in another pass, and all again until nothing new turns up. */
static struct group descendants(void) {
    struct group group = {0};
    for (int pass = 0; pass < MOST_PASSES; pass++) {
        int before = group.count;
        add_children(&group, getpid());
        for (int index = 0; index < group.count; index++) add_children(&group, group.members[index]);
        if (group.count == before) break;
    }
    clear_bits(is_found, &group);
    return group;
}

/* Whether a process is one of ours now: it carries the mark, or its parent is this process or a known member. */
static bool owns(const struct lineage *lineage, const struct group *group, pid_t pid) {
    uint64_t limit;
    if (lineage->tag != 0 && waybill_process_tag(pid, &limit) == 0 &&
        (limit & lineage->mask) == (lineage->tag & lineage->mask)) {
        return true;
    }
    pid_t parent = parent_of(pid);
    if (parent == getpid()) return true;
    for (int index = 0; index < group->count; index++) {
        if (group->members[index] == parent) return true;
    }
    return false;
}

/* A number found in `/proc` may be another process by now. The descriptor holds on to one process, the question after
   it tells whose that is, and only then the signal goes to what the descriptor holds. */
static void send(const struct lineage *lineage, const struct group *group, pid_t pid, int number) {
    int descriptor = waybill_pidfd_open(pid);
    if (descriptor < 0) return;
    if (owns(lineage, group, pid)) {
        waybill_pidfd_send_signal(descriptor, number);
        /* What is stopped would not hear a TERM. */
        if (number == SIGTERM) waybill_pidfd_send_signal(descriptor, SIGCONT);
    }
    close(descriptor);
}

void lineage_terminate(struct lineage *lineage) {
    /* All are found before the first signal is sent: what appears afterwards is more likely somebody's way of cleaning
       up than an escape, and KILL finds it later. */
    struct group group = descendants();
    for (int index = 0; index < group.count; index++) send(lineage, &group, group.members[index], SIGTERM);
    free(group.members);
}

void lineage_kill(struct lineage *lineage, bool is_leftover) {
    for (int pass = 0; pass < MOST_PASSES; pass++) {
        struct group group = descendants();
        bool is_new = false;
        for (int index = 0; index < group.count; index++) {
            send(lineage, &group, group.members[index], SIGKILL);
            if (!take_bit(is_killed, group.members[index])) continue;
            is_new = true;
            killed_count++;
            if (is_leftover) lineage->left_behind++;
        }
        free(group.members);
        if (!is_new) return;
    }
}

void lineage_forget(void) {
    if (killed_count > 0) memset(is_killed, 0, sizeof is_killed);
    killed_count = 0;
}

int lineage_children(void) {
    struct group group = {0};
    add_children(&group, getpid());
    clear_bits(is_found, &group);
    free(group.members);
    return group.count;
}
