#define _GNU_SOURCE
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

const int wb_o_path = O_PATH;

int wb_open_beneath(int directory, const char *path, int flags, mode_t mode) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (uint64_t)flags;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    long file = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return file < 0 ? -errno : (int)file;
}

int wb_rename_new(int directory, const char *path, int new_directory, const char *new_path) {
    return renameat2(directory, path, new_directory, new_path, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

ssize_t wb_directory_entries(int directory, void *buffer, size_t size) {
    ssize_t count = getdents64(directory, buffer, size);
    return count < 0 ? -errno : count;
}

int wb_lock(int file) {
    return flock(file, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int wb_unlock(int file) {
    return flock(file, LOCK_UN) < 0 ? -errno : 0;
}

int wb_mark_presence(int file) {
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    return fcntl(file, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

int wb_has_presence(int file) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (fcntl(file, F_OFD_GETLK, &lock) < 0) return -errno;
    return lock.l_type != F_UNLCK;
}

int wb_clone(int target, int source) {
    return ioctl(target, FICLONE, source) < 0 ? -errno : 0;
}

void wb_begin_sync(int file) {
    sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int wb_file_system_type(int file, uint64_t *type) {
    struct statfs status;
    if (fstatfs(file, &status) < 0) return -errno;
    *type = (uint64_t)status.f_type;
    return 0;
}

int wb_is_close_on_exec(int file) {
    int flags = fcntl(file, F_GETFD);
    return flags < 0 ? -errno : (flags & FD_CLOEXEC) != 0;
}
