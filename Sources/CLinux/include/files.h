#ifndef WAYBILL_CLINUX_FILES_H
#define WAYBILL_CLINUX_FILES_H

/* Files: what Glibc's Swift overlay lacks or cannot spell. Every call answers -errno on failure. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS; -ENOSYS where the kernel lacks it. */
int wb_open_beneath(int directory, const char *path, int flags, mode_t mode);

/* renameat2(2) with RENAME_NOREPLACE. */
int wb_rename_new(int directory, const char *path, int new_directory, const char *new_path);

/* getdents64(2): fills the buffer with records of struct linux_dirent64; 0 at the end. */
ssize_t wb_directory_entries(int directory, void *buffer, size_t size);

/* flock(2), exclusive and without waiting: 0, or -EWOULDBLOCK when another open file has it. */
int wb_lock(int file);
int wb_unlock(int file);

/* Shared open-file-description lock on the first byte, and the question whether another one has any. */
int wb_mark_presence(int file);
int wb_has_presence(int file);

/* FICLONE: the target shares the source's blocks. */
int wb_clone(int target, int source);

/* sync_file_range(2) that begins to write the whole file and waits for nothing. A failure shows when the file is synced. */
void wb_begin_sync(int file);

/* f_type of statfs(2). */
int wb_file_system_type(int file, uint64_t *type);

/* O_PATH, which the overlay lacks. */
extern const int wb_o_path;

/* The one fcntl(2) that Swift needs without its variable arguments. */
int wb_is_close_on_exec(int file);

#endif
