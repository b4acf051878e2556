#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

/* How long an executable that somebody still holds open for writing is waited for. That somebody may be a sibling
   between its own clone and exec, which holds a copy of every descriptor of this process. */
enum { BUSY_TRIES = 50, BUSY_PAUSE_NANOSECONDS = 2000000 };

struct child {
    const struct waybill_spawn_request *request;
    struct waybill_spawn_result *result;
    pid_t parent;
};

/* The child shares the memory of its parent, whose thread stands still until the exec: an assignment is the answer. */
static int give_up(struct child *child, enum waybill_spawn_stage stage) {
    child->result->failure = errno;
    child->result->stage = stage;
    _exit(127);
}

/* Handlers must be gone before signals are let in: they would run here, in the parent's memory. What is ignored would
   stay ignored across the exec. The system call itself, because the library hides the two signals that it uses
   (32 and 33), which somebody up the line may have ignored. In the kernel's structure, whatever the
   architecture, the handler comes first and all zeros mean the default. */
static void reset_signals(void) {
    enum { SIGNALS = 64, SET_BYTES = 8 };
    for (int number = 1; number <= SIGNALS; number++) {
        unsigned long action[8] = {0};
        if (syscall(SYS_rt_sigaction, number, NULL, action, SET_BYTES) != 0 || action[0] == (unsigned long)SIG_DFL) {
            continue;
        }
        memset(action, 0, sizeof action);
        syscall(SYS_rt_sigaction, number, action, NULL, SET_BYTES);
    }
}

static void place_descriptors(struct child *child) {
    int source[3];
    for (int number = 0; number < 3; number++) {
        /* A daemon started with closed standard streams gets files in their places: out of the way first. */
        source[number] = child->request->standard[number];
        if (source[number] < 3) {
            source[number] = fcntl(source[number], F_DUPFD_CLOEXEC, 3);
            if (source[number] < 0) {
                give_up(child, WAYBILL_SPAWN_SETUP);
            }
        }
    }
    for (int number = 0; number < 3; number++) {
        if (dup2(source[number], number) < 0) {
            give_up(child, WAYBILL_SPAWN_SETUP);
        }
    }
    unsigned next = 3;
    for (size_t index = 0; index < child->request->file_count; index++) {
        if (dup2(child->request->files[index], (int)next++) < 0) {
            give_up(child, WAYBILL_SPAWN_SETUP);
        }
    }
    if (syscall(SYS_close_range, next, ~0u, 0u) != 0) {
        give_up(child, WAYBILL_SPAWN_SETUP);
    }
}

static void execute(struct child *child) {
    const struct waybill_spawn_request *request = child->request;
    int denied = -1;
    for (int index = 0; request->paths[index] != NULL; index++) {
        for (int tries = 0; tries < BUSY_TRIES; tries++) {
            child->result->candidate = index;
            execve(request->paths[index], request->argv, request->envp);
            if (errno != ETXTBSY) {
                break;
            }
            nanosleep(&(struct timespec){.tv_nsec = BUSY_PAUSE_NANOSECONDS}, NULL);
        }
        /* As `execvp` does: what is not there or not allowed is looked for further on; a denial is said in the end. */
        if (errno == EACCES) {
            denied = denied < 0 ? index : denied;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            return;
        }
    }
    if (denied >= 0) {
        child->result->candidate = denied;
        errno = EACCES;
    }
}

static void restrict_self(struct child *child) {
    const struct waybill_spawn_request *request = child->request;
    const struct rlimit none = {0, 0};
    if ((request->has_group && wb_join_group(request->group) != 0) ||
        (request->leaves_no_core && setrlimit(RLIMIT_CORE, &none) != 0) ||
        (request->gains_no_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ||
        (request->is_confined && wb_confine_self(request->rules) != 0)) {
        give_up(child, WAYBILL_SPAWN_SETUP);
    }
}

static int run_child(void *argument) {
    struct child *child = argument;
    const struct waybill_spawn_request *request = child->request;

    if (!request->has_default_signals) {
        reset_signals();
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        give_up(child, WAYBILL_SPAWN_SETUP);
    }
    if (getppid() != child->parent) {
        _exit(127); /* The parent died before that took effect. */
    }
    if (setsid() < 0) {
        give_up(child, WAYBILL_SPAWN_SETUP);
    }
    umask(077);
    if (request->tag != 0) {
        /* Best effort: without the tag, the session still says whose process this is. */
        struct rlimit limit = {request->tag, request->tag};
        (void)setrlimit(RLIMIT_LOCKS, &limit);
    }
    restrict_self(child);
    place_descriptors(child);
    /* Only now: all of this process's descriptors may be more than the program may have. */
    if (wb_limit_self(&request->limits) != 0) {
        give_up(child, WAYBILL_SPAWN_SETUP);
    }
    if (chdir(request->directory) != 0) {
        give_up(child, WAYBILL_SPAWN_DIRECTORY);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execute(child);
    return give_up(child, WAYBILL_SPAWN_EXECUTE);
}

int waybill_spawn(const struct waybill_spawn_request *request, struct waybill_spawn_result *result) {
    /* Deep enough for the calls above; the parent's frame stands still while the child runs on it. */
    _Alignas(16) char stack[64 * 1024];
    struct child child = {request, result, getpid()};
    sigset_t all, before;

    memset(result, 0, sizeof *result);
    result->pidfd = -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone(run_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child,
                      &result->pidfd);
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (pid < 0) {
        result->failure = failure;
        result->stage = WAYBILL_SPAWN_CLONE;
        return -1;
    }
    if (result->failure != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        close(result->pidfd);
        result->pidfd = -1;
        return -1;
    }
    result->pid = pid;
    return 0;
}

int waybill_process_tag(pid_t pid, uint64_t *tag) {
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_LOCKS, NULL, &limit) != 0) {
        return -1;
    }
    *tag = limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
    return 0;
}

int waybill_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0u);
}

int waybill_pidfd_send_signal(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0u);
}

int waybill_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

void waybill_trim_memory(void) {
    malloc_trim(0);
}

int waybill_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */);
}

int waybill_sealed_file(const char *name, const void *bytes, size_t size) {
    int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int file = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, WAYBILL_FILES_FROM);
    int failure = errno;
    if (made >= 0) {
        close(made);
    }
    bool is_sealed = file >= 0;
    /* A file in memory takes all at once or has no memory for it. Its mode is for those who open it anew. */
    if (is_sealed && (write(file, bytes, size) != (ssize_t)size || lseek(file, 0, SEEK_SET) != 0 ||
                      fchmod(file, 0400) != 0 ||
                      fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)) {
        failure = errno;
        is_sealed = false;
        close(file);
    }
    errno = failure;
    return is_sealed ? file : -1;
}
