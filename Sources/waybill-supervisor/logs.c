#include "supervisor.h"

#include <errno.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 64 * 1024,
    /* The largest pipe that an unprivileged program can make (`/proc/sys/fs/pipe-max-size`), and some. */
    LARGEST_PIPE_BYTES = 4 << 20,
};

static char buffer[BUFFER_BYTES];

static void keep(struct log *log, size_t count) {
    size_t kept = count < log->room ? count : (size_t)log->room;
    log->dropped += count - kept;
    for (const char *rest = buffer; kept > 0;) {
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

bool log_pump(struct log *log) {
    ssize_t count = read(log->pipe, buffer, sizeof buffer);
    if (count <= 0) return count < 0 && (errno == EAGAIN || errno == EINTR);
    keep(log, (size_t)count);
    return true;
}

void log_drain(struct log *log) {
    if (log->pipe < 0) return;
    for (size_t moved = 0; moved < LARGEST_PIPE_BYTES;) {
        ssize_t count = read(log->pipe, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        keep(log, (size_t)count);
        moved += (size_t)count;
    }
}
