#ifndef WAYBILL_SUPERVISOR_H
#define WAYBILL_SUPERVISOR_H

/* The resident supervisor and its monitors. One process serves a tree (server.c) and forks monitors; each has one
   attempt at a time (monitor.c): it starts the program, owns everything that the program starts (lineage.c), keeps what
   it prints (logs.c), and writes down how it ended (record.c, failure.c). Everything here has one thread. */

#include "CLinux.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>

/* ---- server.c ---- */

struct server {
    int lock;     /* Held for life on its first byte; on the second while one is being started or goes. */
    int listener; /* Bound and listening. */
    const char *socket_name;
};

/* Takes or gives back one byte of the lock file: 0 or -errno. */
enum server_byte { SERVER_LIFE, SERVER_START };
int server_lock(int file, enum server_byte byte, short type, bool waits);

/* Serves until nothing runs and nobody asked for anything for a while. */
void server_run(const struct server *server);

/* ---- message.c ---- */

/* What to start. The texts point into the message. */
struct launch {
    struct wb_launch_header header;
    int lock, report, folder, input, output[2]; /* -1 where there is none; output: the two logs. */
    const char *directory;
    const char *exit_name;
    const char **paths;
    char **arguments;
    char **variables;
    char **secrets; /* To be masked in the logs. */
    char **closed; /* What the program cannot change, and what it can all the same. */
    char **open;
    char **files; /* The texts of what it gets beside its standard descriptors. */
    char *body; /* Mapped; NULL where the texts are in the packet. */
};

/* What tells an attempt from all others. */
struct mark {
    uint64_t tag, mask; /* 0 for none. */
    uint32_t token;
};

/* A packet as it came. Between server and monitor the mark goes before it, in the same message. */
struct packet {
    struct mark mark;
    char bytes[WB_LONGEST_PACKET];
    size_t count; /* Of `bytes`. */
    int files[WB_FILES];
    size_t file_count;
};

/* Receives the next one, with a mark or without: 1, or 0 at the end, or -errno; what is cut off is -EMSGSIZE, and its
   descriptors are closed. */
int packet_receive(struct packet *packet, int socket, bool has_mark, int flags);
/* Sends one with its mark: 0 or -errno. */
int packet_send(const struct packet *packet, int socket);
void packet_close_files(const struct packet *packet);

/* Takes a packet apart; its descriptors are the launch's from then on, the body's text, too. False if it makes no sense. */
bool launch_read(struct launch *launch, struct packet *packet);

/* Closes and frees everything. */
void launch_close(struct launch *launch);

/* ---- monitor.c ---- */

/* Before the first of them: finds out what this machine offers to all. */
void monitor_prepare(void);
/* Makes this process a monitor; `boot` is the boot's id, for whoever finds a lock file after the next one. */
void monitor_begin(const char *boot);
/* Runs one attempt to its end: false if this process must not have another one, because something of it lives. */
bool monitor_run(struct packet *packet);

/* ---- lineage.c ---- */

struct lineage {
    uint64_t tag, mask;
    pid_t first;      /* 0 once it was collected: its number may come back as another's. */
    int left_behind;  /* Processes that had to be killed after the first one ended. */
};

/* Asks everything to end. */
void lineage_terminate(struct lineage *lineage);
/* Kills everything; `is_leftover`: and counts it. */
void lineage_kill(struct lineage *lineage, bool is_leftover);
/* Forgets whom it killed: the next attempt's processes may have the same numbers. */
void lineage_forget(void);
/* How many children this process has, the dead ones that nobody collected among them. */
int lineage_children(void);

/* ---- logs.c ---- */

/* The reading end of a program's output and the log behind it. */
struct log {
    int pipe, file; /* -1 where there is none. */
    uint64_t room;
    uint64_t dropped; /* Bytes that were over the limit, or that the disk did not take. */
    struct wb_mask_stream *masks; /* NULL where there are no secrets to mask. */
};

/* Moves what is there, at most a buffer full; false at the end, when nobody has the pipe's other end. */
bool log_pump(struct log *log);
/* Moves what is left, but no more than a pipe can hold. */
void log_drain(struct log *log);

/* ---- record.c, failure.c ---- */

struct outcome {
    int status; /* Of wait(2). */
    struct rusage usage;
    struct timespec started, ended; /* By the wall clock. */
    bool timed_out, stopped;
    const char *limit; /* Which it ended for; NULL for none. */
    uint64_t dropped[2];
    uint64_t masked[2]; /* How often a secret was masked. */
    int left_behind, still_running;
    int failure;         /* An errno; 0 if the program ran. */
    char *message;       /* What people are told about it. */
};

double seconds(struct timeval time);
/* The outcome as JSON, in memory of its own. */
char *outcome_text(const struct outcome *outcome);
/* Leaves the outcome as a file that is whole as soon as it has its name: the attempt's lock, held or -1, becomes it or
   goes. Where no such file can be made the lock stays, and says that the attempt had begun. */
void outcome_write(int folder, int lock, const char *name, const char *text);
/* Writes all of a text; errors are the reader's to notice. */
void write_all(int file, const char *text, size_t count);

/* Why a program did not start, in words that say what to do. */
char *failure_text(const struct launch *launch, const struct waybill_spawn_result *result);

#endif
