#ifndef WAYBILL_CLINUX_H
#define WAYBILL_CLINUX_H

/* The few system calls that Swift cannot import, and what Waybill shares with its supervisor. */

/* ---- files (files.c) ---- */
#include "files.h"

/* ---- Processes: process.c ------------------------------------------------------------------------------------- */

/* Swift's own module leaves these headers out. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#include <stdint.h>
#include <sys/types.h>

#include "confinement.h"
#include "groups.h"
#include "limits.h"
#include "signals.h"

/* What a program gets beside its standard descriptors comes from numbers that cannot be those that it gets. */
enum { WAYBILL_MOST_FILES = 64, WAYBILL_FILES_FROM = 3 + WAYBILL_MOST_FILES };

/* How far a spawn came before it failed. */
enum waybill_spawn_stage {
    WAYBILL_SPAWN_CLONE,     /* No process was made. */
    WAYBILL_SPAWN_SETUP,     /* Session, signals, descriptors. */
    WAYBILL_SPAWN_DIRECTORY, /* The working directory. */
    WAYBILL_SPAWN_EXECUTE,   /* The program. */
};

struct waybill_spawn_request {
    const char *const *paths; /* Files to try, in order, relative to `directory`; ends with NULL. */
    char *const *argv;        /* Ends with NULL. */
    char *const *envp;        /* Ends with NULL. */
    const char *directory;
    int standard[3]; /* What becomes descriptors 0, 1 and 2. */
    const int *files; /* What becomes 3 and those after it; each WAYBILL_FILES_FROM or more. */
    size_t file_count;
    uint64_t tag;    /* Becomes RLIMIT_LOCKS; 0 leaves it alone. */
    int has_default_signals; /* Nobody in this process handles or ignores any: there is nothing to reset. */
    struct waybill_limits limits;
    int gains_no_privileges; /* PR_SET_NO_NEW_PRIVS. */
    int leaves_no_core;      /* RLIMIT_CORE of 0. */
    int is_confined;         /* By `rules`. */
    int rules;
    int has_group; /* Begins in the control group whose folder is `group`. */
    int group;
};

struct waybill_spawn_result {
    pid_t pid;
    int pidfd;   /* Close-on-exec. */
    int failure; /* An errno; 0 if the program runs. */
    enum waybill_spawn_stage stage;
    int candidate; /* Which of `paths` the failure is about. */
};

/* Starts a program as the leader of a session of its own, which the kernel kills when the calling THREAD ends.
   Returns once the program runs (0) or it is known that it does not (-1, with `failure` and `stage`). */
int waybill_spawn(const struct waybill_spawn_request *request, struct waybill_spawn_result *result);

/* RLIMIT_LOCKS of a process, UINT64_MAX if it has none; -1 if it is gone or not ours. */
int waybill_process_tag(pid_t pid, uint64_t *tag);

int waybill_pidfd_open(pid_t pid);
int waybill_pidfd_send_signal(int pidfd, int number);

/* A pipe's reading and writing end, close-on-exec. */
int waybill_pipe(int *reading, int *writing);

/* An anonymous file, close-on-exec. */
int waybill_memory_file(const char *name);

/* An anonymous file with these bytes that nobody can change, close-on-exec, WAYBILL_FILES_FROM or more; -1 with errno.
   Whoever opens it anew begins at its beginning. */
int waybill_sealed_file(const char *name, const void *bytes, size_t size);

/* Gives free memory back to the kernel, of all threads. */
void waybill_trim_memory(void);

#include "supervision.h"

#include "masks.h"

/* ---- End of processes ------------------------------------------------------------------------------------------ */

#endif
