#ifndef WAYBILL_CLINUX_LIMITS_H
#define WAYBILL_CLINUX_LIMITS_H

/* ---- What the processes of an attempt may use of the machine (limits.c) ---- */

#include <stdint.h>

/* 0 for none. */
struct waybill_limits {
    uint64_t cpu;       /* Seconds of processor time of each process. */
    uint64_t memory;    /* Bytes of address space of each process. */
    uint64_t files;     /* Open files of each process. */
    uint64_t processes; /* All of the user's, threads included. */
};

/* Between the signal that says that the processor time is used up and the one that kills, in seconds of it. */
enum { WB_CPU_GRACE_SECONDS = 1 };

/* Holds the calling process to limits, or to what it is held to already where that is less: 0, or -1 with errno. Only
   system calls, because it is called between clone and exec. */
int wb_limit_self(const struct waybill_limits *limits);

/* How many processes and threads the calling process's user has; 0 if that cannot be found out. */
uint64_t wb_count_processes(void);

#endif
