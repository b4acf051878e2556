#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_BYTES = 40, MICROSECONDS = 1000000 };

void write_all(int file, const char *text, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, text, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        count -= (size_t)written;
    }
}

/* RFC 3339 in UTC. The library's conversion would read the time zone's file first. */
static void time_text(char text[TIME_BYTES], struct timespec time) {
    int64_t day = time.tv_sec / 86400, second = time.tv_sec % 86400;
    if (second < 0) second += 86400, day--;
    /* Years that begin in March make leap days the last of their year; 719468 days lie before 1970. */
    int64_t shifted = day + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    snprintf(
        text, TIME_BYTES, "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%06ldZ",
        year, month, of_month, second / 3600, second / 60 % 60, second % 60, time.tv_nsec / 1000);
}

/* How many bytes of well-formed UTF-8 a character takes; 0 if it is none. */
static size_t character_bytes(const unsigned char *text) {
    size_t count = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 : text[0] >> 3 == 30 ? 4 : 0;
    uint32_t scalar = count == 1 ? text[0] : count == 0 ? 0 : text[0] & (0x7Fu >> count);
    for (size_t index = 1; index < count; index++) {
        if (text[index] >> 6 != 2) return 0;
        scalar = scalar << 6 | (text[index] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool is_wrong = scalar < least[count] || scalar > 0x10FFFF || (scalar >= 0xD800 && scalar < 0xE000);
    return is_wrong ? 0 : count;
}

static void put_string(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *next = (const unsigned char *)text; *next != 0;) {
        size_t count = character_bytes(next);
        if (count == 0) {
            fputs("\\ufffd", out);
            next++;
        } else if (*next < 0x20 || *next == '"' || *next == '\\') {
            fprintf(out, "\\u%04x", *next);
            next++;
        } else {
            fwrite(next, 1, count, out);
            next += count;
        }
    }
    fputc('"', out);
}

double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / MICROSECONDS; }

static const char *word(bool value) { return value ? "true" : "false"; }

static void put_end(FILE *out, const struct outcome *outcome) {
    bool ran = outcome->failure == 0;
    bool exited = ran && WIFEXITED(outcome->status), signalled = ran && WIFSIGNALED(outcome->status);
    fputs("  \"error\": ", out);
    if (ran) {
        fputs("null", out);
    } else {
        fprintf(out, "{\n    \"errno\": %d,\n    \"message\": ", outcome->failure);
        put_string(out, outcome->message != NULL ? outcome->message : strerror(outcome->failure));
        fputs("\n  }", out);
    }
    fputs(",\n  \"exitCode\": ", out);
    if (exited) fprintf(out, "%d", WEXITSTATUS(outcome->status)); else fputs("null", out);
    fputs(",\n  \"signal\": ", out);
    if (signalled) fprintf(out, "%d", WTERMSIG(outcome->status)); else fputs("null", out);
    fprintf(out, ",\n  \"coreDumped\": %s,\n", word(signalled && WCOREDUMP(outcome->status)));
}

static bool is_before(struct timespec one, struct timespec other) {
    return one.tv_sec < other.tv_sec || (one.tv_sec == other.tv_sec && one.tv_nsec < other.tv_nsec);
}

char *outcome_text(const struct outcome *outcome) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return NULL;
    char started[TIME_BYTES], ended[TIME_BYTES];
    time_text(started, outcome->started);
    /* The wall clock may have been set back meanwhile. */
    time_text(ended, is_before(outcome->ended, outcome->started) ? outcome->started : outcome->ended);

    fputs("{\n  \"format\": 1,\n", out);
    put_end(out, outcome);
    fprintf(out, "  \"timedOut\": %s,\n  \"stopped\": %s,\n", word(outcome->timed_out), word(outcome->stopped));
    fputs("  \"limit\": ", out);
    if (outcome->limit != NULL) put_string(out, outcome->limit); else fputs("null", out);
    fputs(",\n", out);
    fprintf(out, "  \"startedAt\": \"%s\",\n  \"endedAt\": \"%s\",\n", started, ended);
    fprintf(
        out, "  \"truncated\": {\n    \"stdout\": %s,\n    \"stderr\": %s\n  },\n", word(outcome->dropped[0] > 0),
        word(outcome->dropped[1] > 0));
    fprintf(
        out, "  \"droppedBytes\": {\n    \"stdout\": %" PRIu64 ",\n    \"stderr\": %" PRIu64 "\n  },\n",
        outcome->dropped[0], outcome->dropped[1]);
    fprintf(
        out, "  \"masked\": {\n    \"stdout\": %" PRIu64 ",\n    \"stderr\": %" PRIu64 "\n  },\n", outcome->masked[0],
        outcome->masked[1]);
    fprintf(out, "  \"leftBehind\": %d,\n  \"stillRunning\": %d,\n", outcome->left_behind, outcome->still_running);
    if (outcome->failure != 0) {
        fputs("  \"usage\": null\n}\n", out);
    } else {
        fprintf(
            out,
            "  \"usage\": {\n    \"userSeconds\": %.6f,\n    \"systemSeconds\": %.6f,\n    \"maxResidentBytes\": %ld\n"
            "  }\n}\n",
            seconds(outcome->usage.ru_utime), seconds(outcome->usage.ru_stime), outcome->usage.ru_maxrss * 1024);
    }
    if (fclose(out) != 0) return NULL;
    return text;
}

static bool write_aside(int folder, const char *name, const char *text, size_t count) {
    char aside[300];
    int length = snprintf(aside, sizeof aside, "%s.tmp", name);
    if (length < 0 || (size_t)length >= sizeof aside) return false;
    int file = openat(folder, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return false;
    bool is_whole = write(file, text, count) == (ssize_t)count;
    close(file);
    if (is_whole && renameat(folder, aside, folder, name) == 0) return true;
    unlinkat(folder, aside, 0);
    return false;
}

/* The file is there, of one block, and nobody needs any more what it says: to make another one and remove this one takes
   a tenth of the time of a step that does nothing. Something else may have been put in its place meanwhile. */
static bool turn_lock(int folder, int lock, const char *name, const char *text, size_t count) {
    struct stat held, named;
    bool is_lock = fstat(lock, &held) == 0 && fstatat(folder, WB_MONITOR_LOCK, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                   held.st_dev == named.st_dev && held.st_ino == named.st_ino && held.st_nlink == 1;
    if (!is_lock || pwrite(lock, text, count, 0) != (ssize_t)count) return false;
    if (held.st_size > (off_t)count && ftruncate(lock, (off_t)count) != 0) return false;
    return renameat(folder, WB_MONITOR_LOCK, folder, name) == 0;
}

void outcome_write(int folder, int lock, const char *name, const char *text) {
    /* Not synced: the outcome becomes durable as an entry of the ledger. */
    size_t count = strlen(text);
    if (lock >= 0 && turn_lock(folder, lock, name, text, count)) return;
    if (write_aside(folder, name, text, count)) unlinkat(folder, WB_MONITOR_LOCK, 0);
}
