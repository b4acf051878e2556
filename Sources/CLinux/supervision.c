#define _GNU_SOURCE
#include "supervision.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* The first two real-time signals are the library's own; SIGRTMIN is a call there, hence not a constant. */
const int wb_stop_signal = 40;

int wb_connect(int directory, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* Through the descriptor, because a socket's path must be short and a tree's need not be. */
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof address.sun_path) return -ENAMETOOLONG;
    int file = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (file < 0) return -errno;
    struct ucred peer;
    socklen_t size = sizeof peer;
    int failure = 0;
    /* A supervisor that stands still must not hold its clients for ever. */
    const struct timeval patience = {.tv_sec = WB_PATIENCE_SECONDS};
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(file, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockopt(file, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        failure = errno;
    } else if (peer.uid != geteuid()) {
        failure = EPERM;
    }
    if (failure == 0) return file;
    close(file);
    return -failure;
}

int wb_send(int socket, const void *bytes, size_t count, const int *files, size_t file_count) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * WB_FILES)];
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (file_count > WB_FILES) return -EINVAL;
    if (file_count > 0) {
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * file_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * file_count);
        memcpy(CMSG_DATA(header), files, sizeof(int) * file_count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int wb_send_stop(int pidfd, uint32_t token, int32_t grace) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = wb_stop_signal;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)((uint64_t)token << 32 | (uint32_t)grace);
    return syscall(SYS_pidfd_send_signal, pidfd, wb_stop_signal, &info, 0u) < 0 ? -errno : 0;
}

int wb_is_locked(int file) {
    if (flock(file, LOCK_SH | LOCK_NB) == 0) {
        flock(file, LOCK_UN);
        return 0;
    }
    return errno == EWOULDBLOCK ? 1 : -errno;
}

int wb_wait_unlocked(int file) {
    while (flock(file, LOCK_SH) != 0) {
        if (errno != EINTR) return -errno;
    }
    flock(file, LOCK_UN);
    return 0;
}

uint64_t wb_make_tag(uint64_t inherited, uint64_t number, uint64_t *mask) {
    unsigned shift, bits;
    uint64_t above;
    if (inherited >= 1ull << 62) {
        shift = 32, bits = 30, above = 0;
    } else if (inherited >= 1ull << 32 && (inherited & 0xFFFFFFFF) == 0xFFFFFFFF) {
        shift = 16, bits = 16, above = inherited & ~0ull << 32;
    } else if (inherited >= 1ull << 32 && (inherited & 0xFFFF) == 0xFFFF) {
        shift = 0, bits = 16, above = inherited & ~0ull << 16;
    } else {
        *mask = 0;
        return 0;
    }
    /* All ones would read as the mark of the level above, and all zeros at the top as a foreign limit. */
    uint64_t own = 1 + number % ((1ull << bits) - 2);
    *mask = ~0ull << shift;
    return above | own << shift | ((1ull << shift) - 1);
}
