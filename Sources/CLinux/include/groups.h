#ifndef WAYBILL_CLINUX_GROUPS_H
#define WAYBILL_CLINUX_GROUPS_H

/* ---- Control groups of attempts (groups.c), of version 2 (cgroups(7)) ---- */

#include <linux/limits.h>
#include <stddef.h>
#include <stdint.h>

/* Names the group in which groups of attempts may be made: the one above this process's own, if whoever manages the
   machine's groups gave it away (`user.delegate`, as systemd sets it for `Delegate=`) and this process may write there.
   It is above because a group with controllers for its children has no processes itself. 0; -ENOENT without version 2,
   -EPERM if nothing was given away. */
int wb_find_groups(char path[PATH_MAX]);

/* Has the controllers of memory and process numbers work there, and removes what was left behind empty. */
void wb_prepare_groups(const char *path);

/* Which of the limits the groups below can have. */
enum { WB_GROUP_MEMORY = 1, WB_GROUP_PROCESSES = 2 };
int wb_group_controllers(const char *path);

/* A group of one attempt. */
struct wb_group {
    int folder;  /* -1 for none. */
    int parent;
    char name[64];
    int held; /* WB_GROUP_...: what it limits. */
};

/* Makes one, with limits where they are not 0: 0 or -errno. */
int wb_make_group(struct wb_group *group, const char *path, const char *name, uint64_t memory, uint64_t processes);

/* Puts the calling process into it: 0, or -1 with errno. Only system calls. */
int wb_join_group(int folder);

void wb_kill_group(const struct wb_group *group);
/* Whether the kernel killed something in it for want of memory. */
int wb_has_group_run_out(const struct wb_group *group);
/* Removes it once it is empty; closes it in any case. */
void wb_end_group(struct wb_group *group);

#endif
