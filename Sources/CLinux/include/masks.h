#ifndef WAYBILL_CLINUX_MASKS_H
#define WAYBILL_CLINUX_MASKS_H

/* ---- Finding secrets in a stream (masks.c) ----

   Shared by the monitors, which mask what a step prints, and the daemon, which looks into what it left. Found are a
   secret as it is, JSON-escaped, percent-encoded and in base64 at any place of a longer text, each as the usual writers
   spell it, base64 also across line breaks; of a secret with several lines also each line. */

#include <stddef.h>
#include <stdint.h>

/* Bytes of a secret. A shorter one would be found everywhere, and a longer one takes too much memory. */
enum { WB_SHORTEST_SECRET = 8, WB_LONGEST_SECRET = 32 * 1024 };

/* At most so much is fed at once. */
enum { WB_MASK_CHUNK = 64 * 1024 };

/* What is put in a secret's place. */
#define WB_MASK_TEXT "***"

struct wb_masks;

/* Made once for all streams; the secrets end with a NUL. NULL for want of memory. */
struct wb_masks *wb_masks_make(const char *const *secrets, size_t count);
void wb_masks_free(struct wb_masks *masks);

struct wb_mask_stream;

/* The masks must outlive it. NULL for want of memory. */
struct wb_mask_stream *wb_mask_stream_make(const struct wb_masks *masks);
void wb_mask_stream_free(struct wb_mask_stream *stream);

/* Takes what comes next, and gives what cannot be a part of a secret any more: how many bytes, and where they are until
   the next call. What may be one is held back, at most three times the length of the longest form. */
size_t wb_mask_feed(struct wb_mask_stream *stream, const void *bytes, size_t count, const void **out);
/* After the last byte: gives what was held back. */
size_t wb_mask_end(struct wb_mask_stream *stream, const void **out);

/* How often something was masked in what was given so far. */
uint64_t wb_mask_found(const struct wb_mask_stream *stream);

#endif
