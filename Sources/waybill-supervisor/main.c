#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* `waybill-supervisor <version> <folder>`: begins to serve the tree whose `.waybill/` that is, unless somebody does.

   Whoever starts it reads its standard output to the end. Nothing there: the tree is served now; else it is what
   went wrong. Only the process that serves lives on, without any tie to the one that asked. */

static _Noreturn void refuse(const char *what, int failure) {
    if (failure != 0) {
        printf("%s: %s\n", what, strerror(failure));
    } else {
        printf("%s\n", what);
    }
    fflush(stdout);
    _exit(1);
}

static int listen_at(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    /* Of one that was killed: the lock says that nobody is there. */
    unlink(name);
    int file = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&address, sizeof address) != 0 || listen(file, 128) != 0) {
        refuse("cannot listen for requests", errno);
    }
    return file;
}

static void leave_standard_files(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int number = 0; number < 3 && null >= 0; number++) dup2(null, number);
    if (null >= 0) close(null);
}

int main(int count, char **arguments) {
    static char socket_name[64], lock_name[64];
    if (count != 3) refuse("waybill-supervisor is started by waybill when it is needed", 0);
    int version = atoi(arguments[1]);
    if (version != WB_SUPERVISION_VERSION) {
        refuse("this waybill-supervisor is of another version than the waybill that asks for it; start that one anew", 0);
    }
    if (chdir(arguments[2]) != 0) refuse(arguments[2], errno);
    umask(0177);
    /* The programs of attempts begin with what is set here: all defaults, whatever the starter had. */
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    snprintf(socket_name, sizeof socket_name, WB_SUPERVISOR_SOCKET_FORMAT, version, (unsigned)geteuid());
    snprintf(lock_name, sizeof lock_name, WB_SUPERVISOR_LOCK_FORMAT, version, (unsigned)geteuid());

    struct server server = {.socket_name = socket_name};
    server.lock = open(lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (server.lock < 0) refuse(lock_name, errno);
    int failure = server_lock(server.lock, SERVER_START, F_WRLCK, true);
    if (failure < 0) refuse(lock_name, -failure);
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int other = wb_connect(here, socket_name);
    if (other >= 0) return 0; /* Somebody was faster. */
    if (server_lock(server.lock, SERVER_LIFE, F_WRLCK, false) < 0) {
        refuse("a supervisor holds the tree's lock and takes no requests", -other);
    }
    server.listener = listen_at(socket_name);
    close(here);

    pid_t child = fork();
    if (child < 0) refuse("cannot go on in the background", errno);
    if (child > 0) _exit(0);
    leave_standard_files();
    server_lock(server.lock, SERVER_START, F_UNLCK, false);
    server_run(&server);
    return 0;
}
