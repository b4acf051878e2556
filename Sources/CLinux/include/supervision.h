#ifndef WAYBILL_CLINUX_SUPERVISION_H
#define WAYBILL_CLINUX_SUPERVISION_H

/* ---- What daemons, supervisors and monitors say to each other (supervision.c) ----

   A daemon sends a supervisor one message per attempt, over a SOCK_SEQPACKET socket: the header below, the texts it
   counts, and descriptors. The supervisor answers nothing; it gives the message to a monitor, and that writes lines to
   the descriptor `report`, whose end the daemon hears of when the monitor is done or gone, however it went:

     S <monitor> <program> <token> <tag> <mask>   a program runs; the first two are process numbers; program 0: it could
                                                  not start
     R <errno> <stage>                            nothing was started, for want of what may be there later
     E <bytes>, a line feed, a JSON text          the outcome, as in the exit file, which is there by now

   Of these numbers the version is the only one that every supervisor understands; names in a tree carry it. */

#include "limits.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WB_SUPERVISION_VERSION 4

/* Names in `.waybill/`; the user's number and the version keep apart what must not meet. */
#define WB_SUPERVISOR_SOCKET_FORMAT "supervisor-%d-%u.sock"
#define WB_SUPERVISOR_LOCK_FORMAT "supervisor-%d-%u.lock"

/* The name in an attempt's folder for as long as its monitor lives. The file is empty until the attempt has begun, and
   at its end becomes the exit file. */
#define WB_MONITOR_LOCK "monitor.lock"

/* Which descriptors come with a message, in this order. */
enum wb_launch_files {
    WB_FILE_LOCK = 1,    /* Locked by the sender: the lock is free when nobody has the attempt any more. */
    WB_FILE_REPORT = 2,  /* Always there. */
    WB_FILE_FOLDER = 4,  /* The attempt's folder. Without it the program ends with whoever reads the report. */
    WB_FILE_INPUT = 8,   /* Standard input. */
    WB_FILE_STDOUT = 16, /* The logs. */
    WB_FILE_STDERR = 32,
    WB_FILE_BODY = 64, /* The message itself, where it is long: then only the header is in the packet. */
    /* Not a file: argv[0] was looked up in PATH. */
    WB_LOOKED_UP = 128,
    /* Nor this: the program may be more than its user, as sudo is. */
    WB_MAY_GAIN_PRIVILEGES = 256,
    /* Nor this: see struct wb_confinement. */
    WB_IS_STRICT = 512,
};

enum { WB_FILES = 7, WB_LONGEST_PACKET = 32 * 1024, WB_PATIENCE_SECONDS = 10 };

/* Times are nanoseconds, negative for never. The texts follow, each with its NUL: directory, name of the exit file
   (empty: none), the files to try, the arguments, the environment, the secrets to mask in the logs (masks.h),
   what the program cannot change, and what it can all the same (confinement.h; without the first it is not confined),
   and what it finds in files that cannot be changed, at the descriptors 3 and after (WAYBILL_MOST_FILES at most). */
struct wb_launch_header {
    uint32_t version;
    uint32_t flags;
    uint32_t bytes; /* Of all texts. */
    uint32_t paths;
    uint32_t arguments;
    uint32_t variables;
    uint32_t secrets;
    uint32_t closed;
    uint32_t open;
    uint32_t files;
    int64_t timeout;
    int64_t grace;
    uint64_t log_limit; /* Bytes. */
    struct waybill_limits limits;
};

/* The signal that stops an attempt's program, sent to its monitor. Its value is the attempt's token in the upper half,
   for a monitor may be at its next attempt already, and below the grace in milliseconds or one of the two others.
   Real-time signals queue, so a second one is never swallowed. */
extern const int wb_stop_signal;
enum { WB_STOP_GRACE_OF_REQUEST = -1, WB_STOP_AT_ONCE = -2 };

/* Connects to the supervisor whose socket lies in a directory, and checks that it belongs to this user: a descriptor,
   or -errno; -EPERM if it is somebody else's. */
int wb_connect(int directory, const char *name);

/* Sends one packet with descriptors: 0 or -errno. A peer that is gone is -EPIPE or -ECONNRESET, never a signal, and one
   that takes nothing for a while -EAGAIN. */
int wb_send(int socket, const void *bytes, size_t count, const int *files, size_t file_count);

/* Sends the signal that stops: 0 or -errno. */
int wb_send_stop(int pidfd, uint32_t token, int32_t grace);

/* flock(2), shared: whether another open file has the lock (1 or 0, or -errno); and waiting for its end. */
int wb_is_locked(int file);
int wb_wait_unlocked(int file);

/* The level at which a process of this limit marks its children, and one such mark; 0 if there is no room left. */
uint64_t wb_make_tag(uint64_t inherited, uint64_t number, uint64_t *mask);

#endif
