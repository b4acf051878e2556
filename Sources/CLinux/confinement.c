#define _GNU_SOURCE
#include "confinement.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, as landlock(7) gives it: older systems have no header for it. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

struct ruleset_attributes {
    uint64_t handled;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    WRITE_FILE = 1 << 1,
    /* REMOVE_DIR, REMOVE_FILE, and MAKE_ of all kinds: bits 4 to 12. */
    CHANGE_FOLDER = 0x1FF0,
    REFER = 1 << 13,
    TRUNCATE = 1 << 14,
    FIRST_WITH_TRUNCATE = 3,
    MOST_WAYS = 128,
};

/* What is closed, by paths without links; and what the rules are made of. */
struct walk {
    char **closed;
    size_t count;
    int rules;
    uint64_t for_folder, for_file;
    /* The folders on the way there, and what is closed. */
    struct {
        dev_t device;
        ino_t number;
    } ways[MOST_WAYS];
    size_t way_count;
};

int wb_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
    return version < 0 ? -errno : (int)version;
}

/* Without links; what does not exist yet lies where its folder lies. To be freed. */
static char *resolve(const char *path) {
    char *whole = realpath(path, NULL);
    if (whole != NULL) return whole;
    const char *name = strrchr(path, '/');
    if (errno != ENOENT || name == NULL) return NULL;
    char *parent = strndup(path, name == path ? 1 : (size_t)(name - path));
    char *folder = parent == NULL ? NULL : realpath(parent, NULL);
    free(parent);
    if (folder == NULL) return NULL;
    int length = asprintf(&whole, "%s%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    free(folder);
    return length < 0 ? NULL : whole;
}

/* Whether a path is another one or leads to it. */
static bool is_above(const char *path, const char *other) {
    size_t length = strcmp(path, "/") == 0 ? 0 : strlen(path);
    return strncmp(path, other, length) == 0 && (other[length] == '/' || other[length] == 0);
}

static bool is_closed(const struct walk *walk, const char *path) {
    for (size_t index = 0; index < walk->count; index++) {
        if (is_above(walk->closed[index], path)) return true;
    }
    return false;
}

static bool leads_to_closed(const struct walk *walk, const char *path) {
    for (size_t index = 0; index < walk->count; index++) {
        if (is_above(path, walk->closed[index])) return true;
    }
    return false;
}

/* Whether a folder is one on the way to what is closed, which is mounted in two places then. */
static bool is_way(const struct walk *walk, const struct stat *status) {
    for (size_t index = 0; index < walk->way_count; index++) {
        if (walk->ways[index].device == status->st_dev && walk->ways[index].number == status->st_ino) return true;
    }
    return false;
}

static void note_way(struct walk *walk, const char *path) {
    struct stat status;
    if (stat(path, &status) != 0 || is_way(walk, &status) || walk->way_count == MOST_WAYS) return;
    walk->ways[walk->way_count].device = status.st_dev;
    walk->ways[walk->way_count++].number = status.st_ino;
}

static void note_ways(struct walk *walk) {
    char path[PATH_MAX];
    note_way(walk, "/");
    for (size_t index = 0; index < walk->count; index++) {
        size_t length = strlen(walk->closed[index]);
        if (length >= sizeof path) continue;
        memcpy(path, walk->closed[index], length + 1);
        for (char *end = path + length; end != path; end = strrchr(path, '/')) {
            *end = 0;
            note_way(walk, path);
        }
    }
}

/* 0 or -errno; what is gone or cannot be looked at is passed over: nothing in it can be changed then. */
static int allow(const struct walk *walk, int folder, const char *name, bool is_entry) {
    struct stat status;
    int file = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
    int result = 0;
    if (fstat(file, &status) == 0 && !S_ISLNK(status.st_mode)) {
        bool is_folder = S_ISDIR(status.st_mode);
        struct path_rule rule = {.allowed = is_folder ? walk->for_folder : walk->for_file, .parent = file};
        bool is_kept = is_folder && is_entry && is_way(walk, &status);
        if (!is_kept && syscall(SYS_landlock_add_rule, walk->rules, RULE_PATH_BENEATH, &rule, 0u) != 0) result = -errno;
        /* Of a file system without paths, such as that of pipes. */
        if (result == -EBADFD || result == -EBADF) result = 0;
    }
    close(file);
    return result;
}

static int allow_around(const struct walk *walk, const char *path);

static int allow_entry(const struct walk *walk, int folder, const char *path, const char *name) {
    char whole[PATH_MAX];
    int length = snprintf(whole, sizeof whole, "%s/%s", strcmp(path, "/") == 0 ? "" : path, name);
    if (length < 0 || (size_t)length >= sizeof whole) return 0;
    if (is_closed(walk, whole)) return 0;
    return leads_to_closed(walk, whole) ? allow_around(walk, whole) : allow(walk, folder, name, true);
}

/* Where a folder may not be listed, what leads further is still known by name. */
static int allow_on_the_way(const struct walk *walk, const char *path) {
    size_t length = strcmp(path, "/") == 0 ? 0 : strlen(path);
    for (size_t index = 0; index < walk->count; index++) {
        if (!is_above(path, walk->closed[index])) continue;
        const char *end = strchr(walk->closed[index] + length + 1, '/');
        if (end == NULL) continue;
        char *next = strndup(walk->closed[index], (size_t)(end - walk->closed[index]));
        int result = next == NULL ? -ENOMEM : allow_around(walk, next);
        free(next);
        if (result < 0) return result;
    }
    return 0;
}

/* All in a folder but what is closed. */
static int allow_around(const struct walk *walk, const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) return errno == EACCES ? allow_on_the_way(walk, path) : -errno;
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (entry->d_type == DT_LNK) continue;
        result = allow_entry(walk, dirfd(folder), path, entry->d_name);
    }
    closedir(folder);
    return result;
}

static int fill(const struct walk *walk, const struct wb_confinement *confinement) {
    int result = walk->count == 0 ? 0 : allow_around(walk, "/");
    for (size_t index = 0; result == 0 && index < confinement->open_count; index++) {
        char *path = resolve(confinement->open[index]);
        if (path != NULL) result = allow(walk, AT_FDCWD, path, false);
        free(path);
    }
    return result;
}

/* Whether the program begins where nothing could be made any more. */
static bool begins_on_the_way(const struct walk *walk, const struct wb_confinement *confinement) {
    char *directory = resolve(confinement->directory);
    bool is_on_the_way = directory != NULL && leads_to_closed(walk, directory) && !is_closed(walk, directory);
    free(directory);
    return is_on_the_way;
}

static int make_rules(struct walk *walk, const struct wb_confinement *confinement, int version) {
    walk->for_folder = WRITE_FILE | CHANGE_FOLDER | REFER | (version >= FIRST_WITH_TRUNCATE ? TRUNCATE : 0);
    walk->for_file = walk->for_folder & (WRITE_FILE | TRUNCATE);
    const struct ruleset_attributes attributes = {.handled = walk->for_folder};
    long rules = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0u);
    if (rules < 0) return -errno;
    walk->rules = (int)rules;
    note_ways(walk);
    int result = fill(walk, confinement);
    if (result < 0) close(walk->rules);
    return result;
}

int wb_make_confinement(const struct wb_confinement *confinement, int *rules) {
    int version = wb_landlock_version();
    *rules = -1;
    if (version < WB_LEAST_LANDLOCK) return 0;
    struct walk walk = {.closed = calloc(confinement->closed_count + 1, sizeof *walk.closed)};
    int result = walk.closed == NULL ? -ENOMEM : 0;
    for (size_t index = 0; result == 0 && index < confinement->closed_count; index++) {
        walk.closed[walk.count] = resolve(confinement->closed[index]);
        if (walk.closed[walk.count] == NULL) result = -errno; else walk.count++;
    }
    if (result == 0 && (confinement->is_strict || !begins_on_the_way(&walk, confinement))) {
        result = make_rules(&walk, confinement, version);
        if (result == 0) *rules = walk.rules;
    }
    for (size_t index = 0; index < walk.count; index++) free(walk.closed[index]);
    free(walk.closed);
    return result;
}

int wb_confine_self(int rules) {
    /* So many sets of rules that there can be no more: all of them hold, and those are stricter than any one. */
    if (syscall(SYS_landlock_restrict_self, rules, 0u) == 0 || errno == E2BIG) return 0;
    return -1;
}
