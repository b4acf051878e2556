#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CLIENTS = 256,
    MONITORS = 4096,
    SLOTS = 1 + CLIENTS + MONITORS,
    /* So many monitors without an attempt are kept: giving one the next attempt is cheaper than a fork. */
    IDLE_MONITORS = 16,
    /* After this long without a request, and with nothing running, it ends: starting one takes a few milliseconds. */
    IDLE_SECONDS = 10,
};

/* Who is behind a descriptor that is waited on. */
enum kind { LISTENER, CLIENT, IDLE, BUSY };

static struct pollfd polled[SLOTS];
static unsigned char kinds[SLOTS];
static nfds_t slot_count;
static int counts[BUSY + 1];

static struct packet packet;
static char boot[64];
static uint64_t inherited_limit, next_number;
static volatile sig_atomic_t is_leaving;

static void leave(int number) {
    (void)number;
    is_leaving = 1;
}

int server_lock(int file, enum server_byte byte, short type, bool waits) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    while (fcntl(file, waits ? F_OFD_SETLKW : F_OFD_SETLK, &lock) != 0) {
        if (errno != EINTR) return -errno;
    }
    return 0;
}

/* ---- slots ---- */

static void add_slot(int file, enum kind kind) {
    polled[slot_count] = (struct pollfd){.fd = file, .events = POLLIN};
    kinds[slot_count++] = (unsigned char)kind;
    counts[kind]++;
}

static void remove_slot(nfds_t slot) {
    counts[kinds[slot]]--;
    close(polled[slot].fd);
    slot_count--;
    polled[slot] = polled[slot_count];
    kinds[slot] = kinds[slot_count];
}

static void change_slot(nfds_t slot, enum kind kind) {
    counts[kinds[slot]]--;
    counts[kind]++;
    kinds[slot] = (unsigned char)kind;
}

/* ---- monitors ---- */

static void make_mark(struct mark *mark) {
    memset(mark, 0, sizeof *mark);
    mark->token = (uint32_t)next_number;
    mark->tag = wb_make_tag(inherited_limit, next_number++, &mark->mask);
}

/* A monitor's life: one attempt after the other, until nobody has one for it. */
static _Noreturn void be_monitor(int channel) {
    monitor_begin(boot);
    while (monitor_run(&packet)) {
        if (write(channel, "", 1) != 1 || packet_receive(&packet, channel, true, 0) != 1) break;
    }
    _exit(0);
}

static bool give_to_idle(void) {
    for (nfds_t slot = slot_count; counts[IDLE] > 0 && slot-- > 1;) {
        if (kinds[slot] != IDLE) continue;
        if (packet_send(&packet, polled[slot].fd) == 0) {
            change_slot(slot, BUSY);
            return true;
        }
        remove_slot(slot);
    }
    return false;
}

/* In the monitor: the server's own descriptors must not live on in it, above all not its lock. */
static void forget_server(const struct server *server) {
    close(server->lock);
    for (nfds_t slot = 0; slot < slot_count; slot++) close(polled[slot].fd);
}

static int fork_monitor(const struct server *server) {
    int ends[2];
    if (slot_count == SLOTS) return EAGAIN;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    pid_t child = fork();
    int failure = errno;
    if (child == 0) {
        forget_server(server);
        close(ends[0]);
        be_monitor(ends[1]);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return failure;
    }
    add_slot(ends[0], BUSY);
    return 0;
}

static void launch(const struct server *server) {
    make_mark(&packet.mark);
    int failure = give_to_idle() ? 0 : fork_monitor(server);
    if (failure != 0 && packet.count >= sizeof(struct wb_launch_header)) {
        struct wb_launch_header header;
        memcpy(&header, packet.bytes, sizeof header);
        /* The report comes first, or second after the lock. */
        size_t report = header.flags & WB_FILE_LOCK ? 1 : 0;
        char line[64];
        int length = snprintf(line, sizeof line, "R %d %d\n", failure, WAYBILL_SPAWN_CLONE);
        if (report < packet.file_count) write_all(packet.files[report], line, (size_t)length);
    }
    packet_close_files(&packet);
}

/* A monitor says that it is free, or is gone. */
static void serve_monitor(nfds_t slot) {
    char word;
    bool is_free = read(polled[slot].fd, &word, 1) == 1;
    if (is_free && counts[IDLE] < IDLE_MONITORS) {
        change_slot(slot, IDLE);
    } else {
        /* Without its channel it ends. */
        remove_slot(slot);
    }
}

/* ---- clients ---- */

static void let_in(int listener) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    struct ucred peer;
    socklen_t size = sizeof peer;
    bool is_ours = getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
    if (is_ours && counts[CLIENT] < CLIENTS && slot_count < SLOTS) {
        add_slot(client, CLIENT);
    } else {
        close(client);
    }
}

/* What a client sent: false when there was nothing. */
static bool serve_client(const struct server *server, nfds_t slot) {
    int result = packet_receive(&packet, polled[slot].fd, false, MSG_DONTWAIT);
    if (result == 1) {
        launch(server);
    } else if (result != -EMSGSIZE && result != -EAGAIN) {
        remove_slot(slot);
    }
    return result == 1 || result == -EMSGSIZE;
}

static void serve(const struct server *server) {
    /* Backwards: removing one puts the last into its place, and new ones are not asked yet. */
    for (nfds_t slot = slot_count; slot-- > 0;) {
        if (polled[slot].revents == 0) continue;
        polled[slot].revents = 0;
        switch (kinds[slot]) {
        case LISTENER: let_in(server->listener); break;
        case CLIENT: serve_client(server, slot); break;
        default: serve_monitor(slot);
        }
    }
}

/* ---- life ---- */

/* Ends, if no request is lost by it: what was sent is carried out, and nothing can be sent afterwards. */
static void try_to_leave(const struct server *server) {
    struct stat own, named;
    /* Whoever starts one at this moment would find this one. */
    if (server_lock(server->lock, SERVER_START, F_WRLCK, false) < 0) return;
    /* If somebody removed these files, a newer one may have taken their places. */
    bool is_ours = fstat(server->lock, &own) == 0 && own.st_nlink > 0 && lstat(server->socket_name, &named) == 0;
    if (is_ours) unlink(server->socket_name);
    for (int before = -1; before < counts[CLIENT];) {
        before = counts[CLIENT];
        let_in(server->listener);
    }
    for (nfds_t slot = slot_count; slot-- > 1;) {
        if (kinds[slot] != CLIENT) continue;
        shutdown(polled[slot].fd, SHUT_RD);
        while (slot < slot_count && kinds[slot] == CLIENT && serve_client(server, slot)) {
        }
    }
    /* Monitors that have an attempt end after it, the others now. */
    _exit(0);
}

static void begin(void) {
    /* Monitors are collected by the kernel. What they block, they inherit from here. */
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = leave;
    sigaction(SIGTERM, &action, NULL);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGPIPE);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, wb_stop_signal);
    sigprocmask(SIG_SETMASK, &blocked, NULL);

    if (waybill_process_tag(0, &inherited_limit) != 0) inherited_limit = 0;
    /* Where marks of several supervisors begin must differ; which is first does not matter. */
    if (getrandom(&next_number, sizeof next_number, GRND_NONBLOCK) != sizeof next_number) {
        next_number = (uint64_t)getpid() << 16;
    }
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t count = read(file, boot, sizeof boot - 1);
        close(file);
        boot[count > 0 ? strcspn(boot, "\n") : 0] = 0;
    }
}

void server_run(const struct server *server) {
    prctl(PR_SET_NAME, "waybill-superv");
    begin();
    monitor_prepare();
    add_slot(server->listener, LISTENER);
    sigset_t waiting; /* SIGTERM is let in only while it waits. */
    sigemptyset(&waiting);
    sigaddset(&waiting, SIGCHLD);
    sigaddset(&waiting, SIGPIPE);
    sigaddset(&waiting, wb_stop_signal);
    const struct timespec idle = {.tv_sec = IDLE_SECONDS};
    for (;;) {
        int count = ppoll(polled, slot_count, &idle, &waiting);
        if (count > 0) serve(server);
        if ((count == 0 || is_leaving) && counts[BUSY] == 0) try_to_leave(server);
    }
}
