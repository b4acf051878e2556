#ifndef WAYBILL_CLINUX_CONFINEMENT_H
#define WAYBILL_CLINUX_CONFINEMENT_H

/* ---- What a program may write (confinement.c), by Landlock (landlock(7)) ---- */

#include <stddef.h>

/* The version of Landlock that the kernel offers; -errno without it: -ENOSYS if it was not built in, -EOPNOTSUPP if it
   was not switched on at boot. */
int wb_landlock_version(void);

/* The first version in which files can be moved from folder to folder, as programs do all the time. */
enum { WB_LEAST_LANDLOCK = 2 };

struct wb_confinement {
    const char *const *closed; /* Absolute paths: nothing in them can be changed, nor they themselves. */
    size_t closed_count;
    const char *const *open; /* Absolute paths of what can be changed in them all the same. */
    size_t open_count;
    /* Where the program begins. Nothing could be made in an ancestor of what is closed, so without `is_strict` a program
       that begins in one is not confined. */
    const char *directory;
    int is_strict;
};

/* Makes a set of rules for wb_confine_self, a descriptor; -1 if the program is not to be confined, or cannot be by this
   kernel. 0, or -errno if the rules could not be made. */
int wb_make_confinement(const struct wb_confinement *confinement, int *rules);

/* Holds the calling thread to the rules, and what it starts: 0, or -1 with errno. It gains no privileges any more by
   then. Only system calls, because it is called between clone and exec. */
int wb_confine_self(int rules);

#endif
