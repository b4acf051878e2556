#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel reads as much of a script (`BINPRM_BUF_SIZE`). */
enum { HEAD_BYTES = 256 };

static char *format(const char *text, const char *first, const char *second) {
    char *made = NULL;
    return asprintf(&made, text, first, second) < 0 ? NULL : made;
}

/* The file that the kernel refused, by a path that does not count from this process's folder; to be freed. */
static char *absolute(const struct launch *launch, const char *path) {
    return path[0] == '/' ? strdup(path) : format("%s/%s", launch->directory, path);
}

/* What the first line of a script names; false if the file is missing or no script. */
static bool find_interpreter(const char *path, char name[HEAD_BYTES + 1]) {
    char head[HEAD_BYTES + 1];
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = read(file, head, HEAD_BYTES);
    close(file);
    if (count <= 2 || head[0] != '#' || head[1] != '!') return false;
    head[count] = 0;
    char *line = head + 2;
    line[strcspn(line, "\n")] = 0;
    line += strspn(line, " \t");
    line[strcspn(line, " \t")] = 0;
    strcpy(name, line);
    return line[0] != 0;
}

static const char *search_path(const struct launch *launch) {
    for (char **variable = launch->variables; *variable != NULL; variable++) {
        if (strncmp(*variable, "PATH=", 5) == 0) return *variable + 5;
    }
    return "/usr/local/bin:/usr/bin:/bin";
}

static char *missing_text(const struct launch *launch, const char *path, const char *full) {
    char name[HEAD_BYTES + 1];
    if (launch->header.flags & WB_LOOKED_UP) {
        return format("%s: not found in PATH (%s)", launch->arguments[0], search_path(launch));
    }
    if (!find_interpreter(full, name)) return NULL;
    if (name[strlen(name) - 1] == '\r') {
        return format("%s: its first line ends with a carriage return; save it with Unix line ends%s", path, "");
    }
    return format("%s: its interpreter %s does not exist", path, name);
}

static char *denied_text(const char *path, const char *full) {
    struct stat status;
    if (stat(full, &status) != 0) return NULL;
    if (S_ISDIR(status.st_mode)) return format("%s: is a directory%s", path, "");
    if (S_ISREG(status.st_mode) && (status.st_mode & 0111) == 0) {
        return format("%s: not executable (chmod +x %s)", path, path);
    }
    return NULL;
}

static char *execution_text(const struct launch *launch, const struct waybill_spawn_result *result) {
    const char *path = launch->paths[result->candidate];
    char *full = absolute(launch, path);
    char *text = NULL;
    switch (result->failure) {
    case ENOENT:
    case ENOTDIR:
        if (full != NULL) text = missing_text(launch, path, full);
        break;
    case EACCES:
        if (full != NULL) text = denied_text(path, full);
        break;
    case ENOEXEC:
        text = format("%s: neither a program for this machine nor a script that begins with #!%s", path, "");
        break;
    case E2BIG:
        text = format("%s: arguments and environment are too long for the system%s", launch->arguments[0], "");
        break;
    }
    free(full);
    return text != NULL ? text : format("%s: %s", path, strerror(result->failure));
}

char *failure_text(const struct launch *launch, const struct waybill_spawn_result *result) {
    const char *reason = strerror(result->failure);
    switch (result->stage) {
    case WAYBILL_SPAWN_DIRECTORY: return format("working directory %s: %s", launch->directory, reason);
    case WAYBILL_SPAWN_EXECUTE: return execution_text(launch, result);
    default: return format("cannot prepare the process of %s: %s", launch->arguments[0], reason);
    }
}
