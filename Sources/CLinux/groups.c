#define _GNU_SOURCE
#include "groups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NAME_START "waybill-step-"

enum { TEXT_BYTES = 4096 };

/* What a small file holds; false if it cannot be read. */
static bool read_text(int folder, const char *name, char text[TEXT_BYTES]) {
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = read(file, text, TEXT_BYTES - 1);
    close(file);
    if (count < 0) return false;
    text[count] = 0;
    return true;
}

static bool write_text(int folder, const char *name, const char *text) {
    int file = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    size_t size = strlen(text);
    bool is_written = write(file, text, size) == (ssize_t)size;
    close(file);
    return is_written;
}

static bool has_word(const char *text, const char *word) {
    size_t size = strlen(word);
    for (const char *place = text; (place = strstr(place, word)) != NULL; place += size) {
        bool begins = place == text || place[-1] == ' ';
        if (begins && (place[size] == ' ' || place[size] == '\n' || place[size] == 0)) return true;
    }
    return false;
}

/* Where version 2 is: at the usual place, or beside version 1. */
static const char *hierarchy(void) {
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char path[128];
    for (size_t index = 0; index < sizeof places / sizeof places[0]; index++) {
        snprintf(path, sizeof path, "%s/cgroup.controllers", places[index]);
        if (access(path, R_OK) == 0) return places[index];
    }
    return NULL;
}

static bool is_given(const char *path) {
    char word[8];
    ssize_t size = getxattr(path, "user.delegate", word, sizeof word);
    if (size < 0) size = getxattr(path, "trusted.delegate", word, sizeof word);
    return size >= 1 && word[0] == '1' && access(path, W_OK) == 0;
}

int wb_find_groups(char path[PATH_MAX]) {
    char text[TEXT_BYTES];
    const char *root = hierarchy();
    if (root == NULL || !read_text(AT_FDCWD, "/proc/self/cgroup", text)) return -ENOENT;
    char *own = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (own == NULL) return -ENOENT;
    own += own == text ? 3 : 4;
    own[strcspn(own, "\n")] = 0;
    char *name = strrchr(own, '/');
    /* Nothing is above the root, and the root itself is nobody's to give. */
    if (name == NULL || name == own) return -EPERM;
    *name = 0;
    int length = snprintf(path, PATH_MAX, "%s%s", root, own);
    return length > 0 && length < PATH_MAX && is_given(path) ? 0 : -EPERM;
}

void wb_prepare_groups(const char *path) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    /* One by one: a controller that this machine does not have must not keep the other from working. */
    write_text(folder, "cgroup.subtree_control", "+memory");
    write_text(folder, "cgroup.subtree_control", "+pids");
    DIR *entries = fdopendir(folder);
    if (entries == NULL) {
        close(folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        /* One that is in use stays. */
        bool is_ours = strncmp(entry->d_name, NAME_START, strlen(NAME_START)) == 0;
        if (is_ours) unlinkat(dirfd(entries), entry->d_name, AT_REMOVEDIR);
    }
    closedir(entries);
}

int wb_group_controllers(const char *path) {
    char text[TEXT_BYTES], file[PATH_MAX];
    int length = snprintf(file, sizeof file, "%s/cgroup.controllers", path);
    if (length < 0 || (size_t)length >= sizeof file || !read_text(AT_FDCWD, file, text)) return 0;
    return (has_word(text, "memory") ? WB_GROUP_MEMORY : 0) | (has_word(text, "pids") ? WB_GROUP_PROCESSES : 0);
}

int wb_make_group(struct wb_group *group, const char *path, const char *name, uint64_t memory, uint64_t processes) {
    char text[32];
    *group = (struct wb_group){.folder = -1, .parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (group->parent < 0) return -errno;
    snprintf(group->name, sizeof group->name, NAME_START "%s", name);
    if (mkdirat(group->parent, group->name, 0755) == 0) {
        group->folder = openat(group->parent, group->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (group->folder < 0) {
        int failure = errno;
        close(group->parent);
        return -failure;
    }
    snprintf(text, sizeof text, "%" PRIu64, memory);
    if (memory != 0 && write_text(group->folder, "memory.max", text)) {
        group->held |= WB_GROUP_MEMORY;
        /* A step without some of its processes is no step: all or none. */
        write_text(group->folder, "memory.oom.group", "1");
        write_text(group->folder, "memory.swap.max", "0");
    }
    snprintf(text, sizeof text, "%" PRIu64, processes);
    if (processes != 0 && write_text(group->folder, "pids.max", text)) group->held |= WB_GROUP_PROCESSES;
    return 0;
}

int wb_join_group(int folder) {
    int file = openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = write(file, "0", 1);
    close(file);
    return count == 1 ? 0 : -1;
}

void wb_kill_group(const struct wb_group *group) {
    if (group->folder >= 0) write_text(group->folder, "cgroup.kill", "1");
}

int wb_has_group_run_out(const struct wb_group *group) {
    char text[TEXT_BYTES];
    if (group->folder < 0 || !read_text(group->folder, "memory.events", text)) return 0;
    const char *line = strstr(text, "oom_kill ");
    return line != NULL && strtol(line + strlen("oom_kill "), NULL, 10) > 0;
}

void wb_end_group(struct wb_group *group) {
    if (group->folder < 0) return;
    close(group->folder);
    unlinkat(group->parent, group->name, AT_REMOVEDIR);
    close(group->parent);
    group->folder = -1;
}
