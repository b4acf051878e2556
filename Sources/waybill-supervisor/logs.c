#include "supervisor.h"

#include <errno.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = WB_MASK_CHUNK,
    /* The largest pipe that an unprivileged program can make (`/proc/sys/fs/pipe-max-size`), and some. */
    LARGEST_PIPE_BYTES = 4 << 20,
};

static char buffer[BUFFER_BYTES];

static void keep(struct log *log, const char *bytes, size_t count) {
    size_t kept = count < log->room ? count : (size_t)log->room;
    log->dropped += count - kept;
    for (const char *rest = bytes; kept > 0;) {
        ssize_t written = write(log->file, rest, kept);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            /* A hole in the middle would look like the whole: nothing more is kept. */
            log->dropped += kept;
            log->room = 0;
            return;
        }
        log->room -= (uint64_t)written;
        rest += written;
        kept -= (size_t)written;
    }
}

/* What was read goes to the disk without the secrets in it. */
static void take(struct log *log, size_t count) {
    if (log->masks == NULL) return keep(log, buffer, count);
    const void *masked;
    size_t rest = wb_mask_feed(log->masks, buffer, count, &masked);
    keep(log, masked, rest);
}

bool log_pump(struct log *log) {
    ssize_t count = read(log->pipe, buffer, sizeof buffer);
    if (count <= 0) return count < 0 && (errno == EAGAIN || errno == EINTR);
    take(log, (size_t)count);
    return true;
}

static void drain(struct log *log) {
    for (size_t moved = 0; moved < LARGEST_PIPE_BYTES;) {
        ssize_t count = read(log->pipe, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        take(log, (size_t)count);
        moved += (size_t)count;
    }
}

void log_drain(struct log *log) {
    if (log->pipe >= 0) drain(log);
    if (log->masks == NULL) return;
    const void *rest;
    size_t count = wb_mask_end(log->masks, &rest);
    keep(log, rest, count);
}
