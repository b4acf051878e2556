#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int heard = -1;

static void note(int number) {
    int before = errno;
    unsigned char byte = (unsigned char)number;
    /* A pipe that is full says already that there is something to hear. */
    ssize_t written = write(heard, &byte, 1);
    (void)written;
    errno = before;
}

int wb_hear_signals(const int *numbers, int count) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    heard = ends[1];
    for (int index = 0; index < count; index++) {
        struct sigaction action;
        if (sigaction(numbers[index], NULL, &action) != 0) return -1;
        if (numbers[index] == SIGHUP && action.sa_handler == SIG_IGN) continue;
        action.sa_handler = note;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        if (sigaction(numbers[index], &action, NULL) != 0) return -1;
    }
    return ends[0];
}
