#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TEXTS = 1 << 20 };

void packet_close_files(const struct packet *packet) {
    for (size_t index = 0; index < packet->file_count; index++) close(packet->files[index]);
}

enum { MARK_BYTES = offsetof(struct packet, bytes) };

int packet_receive(struct packet *packet, int socket, bool has_mark, int flags) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof packet->files)];
    size_t before = has_mark ? MARK_BYTES : 0;
    struct iovec part = {(char *)packet + MARK_BYTES - before, before + sizeof packet->bytes};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t count;
    do {
        count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    } while (count < 0 && errno == EINTR);
    if (count <= (ssize_t)before) return count < 0 ? -errno : 0;
    packet->count = (size_t)count - before;
    packet->file_count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        packet->file_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(packet->files, CMSG_DATA(header), packet->file_count * sizeof(int));
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return 1;
    /* The sender sees the report end without a word, and says so. */
    packet_close_files(packet);
    return -EMSGSIZE;
}

int packet_send(const struct packet *packet, int socket) {
    return wb_send(socket, packet, MARK_BYTES + packet->count, packet->files, packet->file_count);
}

static bool take_files(struct launch *launch, const struct packet *packet, int *body) {
    int *places[] = {&launch->lock,  &launch->report,    &launch->folder,    &launch->input,
                     &launch->output[0], &launch->output[1], body};
    size_t next = 0;
    for (size_t bit = 0; bit < sizeof places / sizeof places[0]; bit++) {
        bool is_there = (launch->header.flags & 1u << bit) != 0;
        if (is_there && next == packet->file_count) return false;
        *places[bit] = is_there ? packet->files[next++] : -1;
    }
    return next == packet->file_count && launch->report >= 0;
}

/* The next text; NULL when there is none any more. */
static char *next_text(char **cursor, char *end) {
    char *text = *cursor;
    char *terminator = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
    if (terminator == NULL) return NULL;
    *cursor = terminator + 1;
    return text;
}

static bool read_list(char ***list, uint32_t count, char **cursor, char *end) {
    *list = calloc((size_t)count + 1, sizeof **list);
    if (*list == NULL) return false;
    for (uint32_t index = 0; index < count; index++) {
        (*list)[index] = next_text(cursor, end);
        if ((*list)[index] == NULL) return false;
    }
    return true;
}

static char *body_of(int file, size_t bytes) {
    struct stat status;
    if (fstat(file, &status) != 0 || (uint64_t)status.st_size < bytes) return NULL;
    char *text = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    close(file);
    return text == MAP_FAILED ? NULL : text;
}

static bool read_texts(struct launch *launch, char *cursor, char *end) {
    const struct wb_launch_header *header = &launch->header;
    launch->directory = next_text(&cursor, end);
    launch->exit_name = next_text(&cursor, end);
    if (launch->directory == NULL || launch->exit_name == NULL) return false;
    return read_list((char ***)&launch->paths, header->paths, &cursor, end) &&
           read_list(&launch->arguments, header->arguments, &cursor, end) &&
           read_list(&launch->variables, header->variables, &cursor, end) &&
           read_list(&launch->secrets, header->secrets, &cursor, end) &&
           read_list(&launch->closed, header->closed, &cursor, end) &&
           read_list(&launch->open, header->open, &cursor, end) &&
           read_list(&launch->files, header->files, &cursor, end);
}

bool launch_read(struct launch *launch, struct packet *packet) {
    int body = -1;
    memset(launch, 0, sizeof *launch);
    launch->lock = launch->report = launch->folder = launch->input = launch->output[0] = launch->output[1] = -1;
    if (packet->count < sizeof launch->header) return false;
    struct wb_launch_header *header = &launch->header;
    memcpy(header, packet->bytes, sizeof *header);
    if (header->version != WB_SUPERVISION_VERSION || header->paths == 0 || header->arguments == 0) return false;
    if (header->paths > MOST_TEXTS || header->arguments > MOST_TEXTS || header->variables > MOST_TEXTS) return false;
    if (header->secrets > MOST_TEXTS || header->closed > MOST_TEXTS || header->open > MOST_TEXTS) return false;
    if (header->files > WAYBILL_MOST_FILES) return false;
    if (!take_files(launch, packet, &body)) return false;
    char *texts = packet->bytes + sizeof *header;
    if (body >= 0) {
        texts = launch->body = body_of(body, header->bytes);
        if (texts == NULL) return false;
    } else if (header->bytes != packet->count - sizeof *header) {
        return false;
    }
    return read_texts(launch, texts, texts + header->bytes);
}

void launch_close(struct launch *launch) {
    const int files[] = {launch->folder, launch->input, launch->output[0], launch->output[1], launch->lock, launch->report};
    for (size_t index = 0; index < sizeof files / sizeof files[0]; index++) {
        if (files[index] >= 0) close(files[index]);
    }
    free(launch->paths);
    free(launch->arguments);
    free(launch->variables);
    free(launch->secrets);
    free(launch->closed);
    free(launch->open);
    free(launch->files);
    if (launch->body != NULL) munmap(launch->body, launch->header.bytes);
}
