#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

#define NANOSECONDS 1000000000ll
#define MILLISECOND 1000000ll

enum {
    TICKS_PER_SECOND = 100, /* Of /proc, on every architecture that Linux has had for long. */
    IDENTITY_BYTES = 512,
    SHELL_SIGNAL = 128, /* A shell's exit code for a program that a signal ended, less the signal. */
};
/* Between two looks at what was killed and is not gone, and for how long. */
#define SWEEP_PAUSE (20 * MILLISECOND)
#define KILL_PATIENCE (5 * NANOSECONDS)

enum source { SIGNALS, STDOUT, STDERR, TIMER, READER, SOURCES };

/* What a monitor keeps from attempt to attempt. */
static struct {
    const char *boot;
    int signals, timer;
    /* Where groups of attempts are made; empty where they cannot be. */
    char groups[PATH_MAX];
} kept = {.signals = -1, .timer = -1};

/* All that a monitor knows of an attempt. The times are of CLOCK_BOOTTIME, in nanoseconds; 0 for none. */
struct monitor {
    struct launch launch;
    const struct mark *mark;
    struct lineage lineage;
    struct log logs[2];
    struct wb_group group;
    struct wb_masks *masks; /* NULL where there are no secrets. */
    struct wb_mask_stream *masked[2];
    struct outcome outcome;
    struct pollfd polled[SOURCES];
    bool has_ended;        /* The first process, that is. */
    bool is_alone;         /* Nothing of the step is left. */
    bool is_stopping;      /* TERM was sent. */
    int64_t stops_at;      /* The timeout; after TERM the end of the grace. */
    int64_t killing_since;
    int64_t looks_at;      /* The next look at what was killed. */
    int64_t alarm;         /* What the timer is set to. */
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

/* A moment later than another; far away where the sum has no room. */
static int64_t later(int64_t moment, int64_t span) {
    int64_t sum;
    return __builtin_add_overflow(moment, span, &sum) ? INT64_MAX : sum;
}

/* ---- stopping ---- */

static void set_alarm(struct monitor *monitor) {
    int64_t next = monitor->stops_at;
    if (monitor->looks_at != 0 && (next == 0 || monitor->looks_at < next)) next = monitor->looks_at;
    if (next == monitor->alarm) return;
    /* The clock of the boot goes on while the machine sleeps. */
    if (kept.timer < 0) kept.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    monitor->polled[TIMER] = (struct pollfd){.fd = kept.timer, .events = POLLIN};
    monitor->alarm = next;
    struct itimerspec spec = {.it_value = {.tv_sec = next / NANOSECONDS, .tv_nsec = next % NANOSECONDS}};
    timerfd_settime(kept.timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void kill_all(struct monitor *monitor) {
    if (!monitor->has_ended && !monitor->outcome.timed_out) monitor->outcome.stopped = true;
    monitor->stops_at = 0;
    if (monitor->killing_since == 0) monitor->killing_since = now();
    lineage_kill(&monitor->lineage, monitor->has_ended);
    wb_kill_group(&monitor->group);
    if (monitor->has_ended) monitor->looks_at = later(now(), SWEEP_PAUSE);
}

static void terminate(struct monitor *monitor, bool is_timeout, int64_t grace) {
    if (monitor->killing_since != 0) return;
    int64_t end = grace < 0 ? INT64_MAX : later(now(), grace);
    if (!monitor->is_stopping) {
        /* What the program left behind is being killed already: too late for manners. */
        if (monitor->has_ended) return;
        monitor->is_stopping = true;
        monitor->outcome.timed_out = is_timeout;
        monitor->outcome.stopped = !is_timeout;
        monitor->stops_at = end;
        lineage_terminate(&monitor->lineage);
    } else if (end < monitor->stops_at) {
        monitor->stops_at = end;
    }
}

static void take_stop(struct monitor *monitor, uint64_t value) {
    int32_t grace = (int32_t)value;
    if (value >> 32 != monitor->mark->token) return; /* It was about the attempt before this one. */
    if (grace == WB_STOP_AT_ONCE) {
        kill_all(monitor);
    } else {
        bool is_own = grace == WB_STOP_GRACE_OF_REQUEST;
        terminate(monitor, false, is_own ? monitor->launch.header.grace : grace * MILLISECOND);
    }
}

static void take_signals(struct monitor *monitor) {
    struct signalfd_siginfo info;
    while (read(kept.signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM) terminate(monitor, false, monitor->launch.header.grace);
        if ((int)info.ssi_signo == wb_stop_signal) take_stop(monitor, info.ssi_ptr);
        /* All that ended is collected anyway, and another read would only say that there is no more. */
        if (info.ssi_signo == SIGCHLD) return;
    }
}

static void take_alarm(struct monitor *monitor) {
    uint64_t count;
    (void)!read(kept.timer, &count, sizeof count);
    monitor->alarm = 0;
    int64_t moment = now();
    if (monitor->stops_at != 0 && monitor->stops_at <= moment) {
        if (monitor->is_stopping) {
            kill_all(monitor);
        } else {
            terminate(monitor, true, monitor->launch.header.grace);
        }
    }
    if (monitor->looks_at != 0 && monitor->looks_at <= moment) monitor->looks_at = 0;
}

/* ---- ending ---- */

/* Collects what has ended: the program, and whatever lost its parent and so became this process's child. */
static void collect(struct monitor *monitor) {
    for (;;) {
        int status;
        struct rusage usage;
        pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
        if (pid < 0 && errno == EINTR) continue;
        if (pid <= 0) {
            /* Without a child there is no descendant: orphans come to this process, which is their subreaper. */
            monitor->is_alone = pid < 0;
            return;
        }
        if (pid != monitor->lineage.first) continue;
        clock_gettime(CLOCK_REALTIME, &monitor->outcome.ended);
        monitor->outcome.status = status;
        monitor->outcome.usage = usage;
        monitor->has_ended = true;
        monitor->lineage.first = 0;
    }
}

/* After the program's end: true when it is over. What is left has the rest of the grace after a TERM, and none else. */
static bool is_over(struct monitor *monitor) {
    if (!monitor->has_ended) return false;
    if (monitor->is_alone) return true;
    bool has_grace = monitor->is_stopping && monitor->killing_since == 0;
    if (!has_grace && monitor->looks_at == 0) kill_all(monitor);
    collect(monitor);
    if (monitor->is_alone) return true;
    if (monitor->killing_since == 0 || now() < monitor->killing_since + KILL_PATIENCE) return false;
    monitor->outcome.still_running = lineage_children();
    return true;
}

static void say_outcome(struct monitor *monitor) {
    const struct launch *launch = &monitor->launch;
    char *text = outcome_text(&monitor->outcome);
    if (text == NULL) return;
    if (launch->folder >= 0) outcome_write(launch->folder, launch->lock, launch->exit_name, text);
    size_t count = strlen(text);
    char head[32];
    struct iovec parts[] = {{head, (size_t)snprintf(head, sizeof head, "E %zu\n", count)}, {text, count}};
    /* A few kilobytes into a pipe that holds more: whole or, if nobody reads any more, not at all. */
    (void)!writev(launch->report, parts, 2);
    free(text);
}

/* ---- the beginning ---- */

/* Whose attempt this is, for whoever finds the folder when this process is gone, or wants something of it. */
static bool leave_identity(struct monitor *monitor) {
    int lock = monitor->launch.lock;
    if (lock < 0) return true;
    char text[IDENTITY_BYTES];
    /* A copy of this file, in a backup, says by these that it is one. */
    struct stat status;
    if (fstat(lock, &status) != 0) return false;
    int64_t ticks = now() / (NANOSECONDS / TICKS_PER_SECOND);
    int length = snprintf(
        text, sizeof text,
        "{\n  \"boot\": \"%s\",\n  \"device\": %" PRIu64 ",\n  \"format\": 1,\n  \"inode\": %" PRIu64 ",\n  \"mask\": \"%016" PRIx64 "\",\n  \"monitor\": %d,\n"
        "  \"startTicks\": %" PRId64 ",\n  \"tag\": \"%016" PRIx64 "\",\n  \"token\": %" PRIu32 "\n}\n",
        kept.boot, (uint64_t)status.st_dev, (uint64_t)status.st_ino, monitor->lineage.mask, getpid(), ticks, monitor->lineage.tag, monitor->mark->token);
    return pwrite(lock, text, (size_t)length, 0) == length;
}

static int open_pipe(struct log *log, int file, uint64_t limit) {
    int reading, writing;
    *log = (struct log){.pipe = -1, .file = file, .room = limit};
    if (file < 0) return STDOUT_FILENO; /* /dev/null, here */
    if (waybill_pipe(&reading, &writing) != 0) return -1;
    fcntl(reading, F_SETFL, O_NONBLOCK);
    log->pipe = reading;
    return writing;
}

/* Nothing was begun, and nothing will be: the sender may try again later. */
static void refuse(struct monitor *monitor, int failure, int stage) {
    char line[64];
    int length = snprintf(line, sizeof line, "R %d %d\n", failure, stage);
    /* An empty file says so, too. */
    if (monitor->launch.lock >= 0) (void)!ftruncate(monitor->launch.lock, 0);
    write_all(monitor->launch.report, line, (size_t)length);
}

/* The program has its own ends; as long as this process had them, too, no pipe would end. */
static void close_ends(const int ends[3]) {
    for (int number = 0; number < 3; number++) {
        if (ends[number] > STDERR_FILENO) close(ends[number]);
    }
}

/* Has the kernel hold the step as a whole where it can, and else each of its processes. */
static void limit(struct monitor *monitor, struct waybill_spawn_request *request, bool takes_group) {
    struct waybill_limits *limits = &request->limits;
    *limits = monitor->launch.header.limits;
    request->has_group = false;
    bool needs_group = takes_group && (limits->memory != 0 || limits->processes != 0);
    char name[40];
    snprintf(name, sizeof name, "%d-%" PRIu32, getpid(), monitor->mark->token);
    if (needs_group &&
        wb_make_group(&monitor->group, kept.groups, name, limits->memory, limits->processes) == 0) {
        request->has_group = true;
        request->group = monitor->group.folder;
        if (monitor->group.held & WB_GROUP_MEMORY) limits->memory = 0;
        if (monitor->group.held & WB_GROUP_PROCESSES) limits->processes = 0;
    }
    /* The kernel counts all that the user has, so what is there already is no part of the step. */
    if (limits->processes != 0) limits->processes += wb_count_processes();
}

/* Makes what the program finds beside its standard descriptors: how many there are now, fewer than asked for with errno. */
static size_t make_files(const struct launch *launch, int files[WAYBILL_MOST_FILES]) {
    for (size_t index = 0; index < launch->header.files; index++) {
        const char *text = launch->files[index];
        files[index] = waybill_sealed_file("secret", text, strlen(text));
        if (files[index] < 0) return index;
    }
    return launch->header.files;
}

/* Makes the rules about what the program may change; false with an errno. */
static bool confine(const struct launch *launch, struct waybill_spawn_request *request, int *failure) {
    const struct wb_launch_header *header = &launch->header;
    if (header->closed == 0) return true;
    const struct wb_confinement confinement = {
        .closed = (const char *const *)launch->closed, .closed_count = header->closed,
        .open = (const char *const *)launch->open, .open_count = header->open,
        .directory = launch->directory, .is_strict = (header->flags & WB_IS_STRICT) != 0};
    *failure = -wb_make_confinement(&confinement, &request->rules);
    request->is_confined = request->rules >= 0;
    return *failure == 0;
}

static bool start(struct monitor *monitor) {
    struct launch *launch = &monitor->launch;
    int files[WAYBILL_MOST_FILES];
    struct waybill_spawn_request request = {
        .paths = launch->paths, .argv = launch->arguments, .envp = launch->variables,
        .directory = launch->directory, .standard = {STDIN_FILENO, -1, -1}, .tag = monitor->lineage.tag,
        .has_default_signals = true, .files = files,
        .leaves_no_core = true, .gains_no_privileges = (launch->header.flags & WB_MAY_GAIN_PRIVILEGES) == 0};
    struct waybill_spawn_result result = {.stage = WAYBILL_SPAWN_CLONE};
    limit(monitor, &request, kept.groups[0] != 0);
    if (launch->input >= 0) request.standard[0] = launch->input;
    launch->input = -1;
    for (int number = 0; number < 2; number++) {
        request.standard[1 + number] =
            open_pipe(&monitor->logs[number], launch->output[number], launch->header.log_limit);
        if (request.standard[1 + number] < 0) result.failure = errno;
        monitor->logs[number].masks = monitor->masked[number];
    }
    request.file_count = make_files(launch, files);
    if (request.file_count < launch->header.files) result.failure = errno;
    clock_gettime(CLOCK_REALTIME, &monitor->outcome.started);
    bool runs = result.failure == 0 && confine(launch, &request, &result.failure) && waybill_spawn(&request, &result) == 0;
    if (!runs && request.has_group && result.stage == WAYBILL_SPAWN_SETUP) {
        /* Whoever manages the groups may have taken this one away. */
        wb_end_group(&monitor->group);
        limit(monitor, &request, false);
        runs = waybill_spawn(&request, &result) == 0;
    }
    if (request.is_confined) close(request.rules);
    close_ends(request.standard);
    for (size_t index = 0; index < request.file_count; index++) close(files[index]);
    if (!runs && result.stage == WAYBILL_SPAWN_CLONE) {
        refuse(monitor, result.failure, result.stage);
        return false;
    }
    if (runs) {
        close(result.pidfd);
        monitor->lineage.first = result.pid;
    } else {
        monitor->has_ended = true;
        monitor->outcome.failure = result.failure;
        monitor->outcome.message = failure_text(launch, &result);
        clock_gettime(CLOCK_REALTIME, &monitor->outcome.ended);
    }
    char line[128];
    int length = snprintf(
        line, sizeof line, "S %d %d %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", getpid(), runs ? result.pid : 0,
        monitor->mark->token, monitor->lineage.tag, monitor->lineage.mask);
    write_all(launch->report, line, (size_t)length);
    return true;
}

/* What is printed must not reach the disk unmasked: false if there is no memory to see to it. */
static bool make_masks(struct monitor *monitor) {
    uint32_t count = monitor->launch.header.secrets;
    if (count == 0) return true;
    monitor->masks = wb_masks_make((const char *const *)monitor->launch.secrets, count);
    if (monitor->masks == NULL) return false;
    for (int number = 0; number < 2; number++) {
        monitor->masked[number] = wb_mask_stream_make(monitor->masks);
        if (monitor->masked[number] == NULL) return false;
    }
    return true;
}

static void free_masks(struct monitor *monitor) {
    for (int number = 0; number < 2; number++) wb_mask_stream_free(monitor->masked[number]);
    wb_masks_free(monitor->masks);
}

static bool begin(struct monitor *monitor) {
    for (int source = 0; source < SOURCES; source++) monitor->polled[source] = (struct pollfd){.fd = -1};
    monitor->logs[0].pipe = monitor->logs[1].pipe = -1;
    if (!make_masks(monitor)) {
        refuse(monitor, ENOMEM, WAYBILL_SPAWN_SETUP);
        return false;
    }
    if (!leave_identity(monitor)) {
        refuse(monitor, ENOSPC, WAYBILL_SPAWN_SETUP);
        return false;
    }
    if (!start(monitor)) return false;
    monitor->polled[SIGNALS] = (struct pollfd){.fd = kept.signals, .events = POLLIN};
    for (int number = 0; number < 2; number++) {
        monitor->polled[STDOUT + number] = (struct pollfd){.fd = monitor->logs[number].pipe, .events = POLLIN};
    }
    /* Without a folder nobody but the one who asked can ever take the outcome: the program ends with that one. */
    if (monitor->launch.folder < 0) monitor->polled[READER].fd = monitor->launch.report;
    int64_t timeout = monitor->launch.header.timeout;
    if (timeout >= 0 && !monitor->has_ended) monitor->stops_at = later(now(), timeout);
    return true;
}

static void attend(struct monitor *monitor) {
    set_alarm(monitor);
    if (poll(monitor->polled, SOURCES, -1) < 0) return;
    bool has_signals = monitor->polled[SIGNALS].revents != 0;
    if (has_signals) take_signals(monitor);
    for (int number = 0; number < 2; number++) {
        struct pollfd *polled = &monitor->polled[STDOUT + number];
        if (polled->revents != 0 && !log_pump(&monitor->logs[number])) polled->fd = -1;
    }
    if (monitor->polled[TIMER].revents != 0) take_alarm(monitor);
    if (monitor->polled[READER].revents != 0) {
        monitor->polled[READER].fd = -1;
        kill_all(monitor);
    }
    if (has_signals) collect(monitor);
}

/* Whether the program, or the one that its shell waited for, ended because its processor time was used up. */
static bool has_used_up(const struct monitor *monitor) {
    const struct outcome *outcome = &monitor->outcome;
    uint64_t limit = monitor->launch.header.limits.cpu;
    if (limit == 0 || outcome->failure != 0 || outcome->stopped || outcome->timed_out) return false;
    int status = outcome->status;
    bool is_told = (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) ||
                   (WIFEXITED(status) && WEXITSTATUS(status) == SHELL_SIGNAL + SIGXCPU);
    if (is_told) return true;
    /* Nobody but the kernel kills what ran for so long; who survived the first signal gets this one. */
    double used = seconds(outcome->usage.ru_utime) + seconds(outcome->usage.ru_stime);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && used >= (double)limit;
}

/* Which limit ended the program; NULL if none did. */
static const char *limit_passed(const struct monitor *monitor) {
    const struct outcome *outcome = &monitor->outcome;
    if (has_used_up(monitor)) return "cpu";
    bool is_failure = outcome->failure == 0 && outcome->status != 0 && !outcome->stopped && !outcome->timed_out;
    return is_failure && wb_has_group_run_out(&monitor->group) ? "memory" : NULL;
}

static void finish(struct monitor *monitor) {
    for (int number = 0; number < 2; number++) {
        log_drain(&monitor->logs[number]);
        monitor->outcome.dropped[number] = monitor->logs[number].dropped;
        if (monitor->masks != NULL) monitor->outcome.masked[number] = wb_mask_found(monitor->masked[number]);
    }
    monitor->outcome.limit = limit_passed(monitor);
    monitor->outcome.left_behind = monitor->lineage.left_behind;
    say_outcome(monitor);
    free(monitor->outcome.message);
}

void monitor_prepare(void) {
    if (wb_find_groups(kept.groups) == 0) {
        wb_prepare_groups(kept.groups);
    } else {
        kept.groups[0] = 0;
    }
}

void monitor_begin(const char *boot) {
    sigset_t signals;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    prctl(PR_SET_NAME, "waybill-monitor");
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, wb_stop_signal);
    kept.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    kept.boot = boot;
}

bool monitor_run(struct packet *packet) {
    const struct mark *mark = &packet->mark;
    struct monitor monitor = {.mark = mark, .group = {.folder = -1}, .lineage = {.tag = mark->tag, .mask = mark->mask}};
    bool is_sound = launch_read(&monitor.launch, packet);
    if (!is_sound || kept.signals < 0) return false;
    if (begin(&monitor)) {
        collect(&monitor);
        while (!is_over(&monitor)) attend(&monitor);
        finish(&monitor);
        is_sound = monitor.outcome.still_running == 0;
    }
    for (int number = 0; number < 2; number++) {
        if (monitor.logs[number].pipe >= 0) close(monitor.logs[number].pipe);
    }
    if (monitor.alarm != 0) {
        const struct itimerspec none = {0};
        timerfd_settime(kept.timer, 0, &none, NULL);
    }
    wb_end_group(&monitor.group);
    free_masks(&monitor);
    lineage_forget();
    /* The lock is free from here on, and the report ends. */
    launch_close(&monitor.launch);
    return is_sound;
}
