#include "masks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Aho and Corasick, "Efficient String Matching: An Aid to Bibliographic Search" (1975): a trie of all forms, in which
   every node knows the longest other node that ends alike. */

enum {
    /* A line of a secret that is at least so long is a secret, too. */
    SHORTEST_LINE = 8,
    /* Base64 may be broken after any character, by a line feed that a carriage return may precede. */
    LONGEST_BREAK = 2,
};

struct node {
    uint32_t child, sibling; /* 0 for none: the root is nobody's child. */
    uint32_t fail;
    uint32_t depth;
    uint32_t whole;   /* The longest form that ends here; 0 for none. */
    uint32_t wrapped; /* The same of those that may be broken into lines. */
    unsigned char byte;
    bool wraps; /* On the way to one of those. */
};

struct wb_masks {
    struct node *nodes;
    uint32_t count, room;
    uint32_t longest;
    uint32_t root[256];
    bool is_full; /* No memory was left for all forms. */
};

/* ---- the trie ---- */

static uint32_t find_child(const struct wb_masks *masks, uint32_t node, unsigned char byte) {
    uint32_t child = masks->nodes[node].child;
    while (child != 0 && masks->nodes[child].byte != byte) child = masks->nodes[child].sibling;
    return child;
}

static uint32_t add_child(struct wb_masks *masks, uint32_t node, unsigned char byte) {
    if (masks->count == masks->room) {
        uint32_t room = masks->room * 2;
        struct node *nodes = realloc(masks->nodes, room * sizeof *nodes);
        if (nodes == NULL) {
            masks->is_full = true;
            return 0;
        }
        masks->nodes = nodes;
        masks->room = room;
    }
    uint32_t child = masks->count++;
    masks->nodes[child] =
        (struct node){.byte = byte, .sibling = masks->nodes[node].child, .depth = masks->nodes[node].depth + 1};
    masks->nodes[node].child = child;
    return child;
}

static void add_form(struct wb_masks *masks, const unsigned char *bytes, size_t count, bool wraps) {
    uint32_t node = 0;
    for (size_t index = 0; index < count; index++) {
        uint32_t child = find_child(masks, node, bytes[index]);
        if (child == 0) child = add_child(masks, node, bytes[index]);
        if (child == 0) return;
        node = child;
        if (wraps) masks->nodes[node].wraps = true;
    }
    if (node == 0) return;
    masks->nodes[node].whole = (uint32_t)count;
    if (wraps) masks->nodes[node].wrapped = (uint32_t)count;
    if (count > masks->longest) masks->longest = (uint32_t)count;
}

static uint32_t next_node(const struct wb_masks *masks, uint32_t node, unsigned char byte) {
    while (node != 0) {
        uint32_t child = find_child(masks, node, byte);
        if (child != 0) return child;
        node = masks->nodes[node].fail;
    }
    return masks->root[byte];
}

/* In the order of their depth, every node gets the node of its longest proper ending. */
static bool link_nodes(struct wb_masks *masks) {
    uint32_t *queue = malloc(masks->count * sizeof *queue);
    if (queue == NULL) return false;
    size_t first = 0, last = 0;
    for (uint32_t child = masks->nodes[0].child; child != 0; child = masks->nodes[child].sibling) {
        masks->root[masks->nodes[child].byte] = child;
        queue[last++] = child;
    }
    while (first < last) {
        uint32_t parent = queue[first++];
        const struct node *ending = &masks->nodes[masks->nodes[parent].fail];
        struct node *node = &masks->nodes[parent];
        /* What ends here is longer than what ends at the shorter node. */
        if (node->whole == 0) node->whole = ending->whole;
        if (node->wrapped == 0) node->wrapped = ending->wrapped;
        for (uint32_t child = node->child; child != 0; child = masks->nodes[child].sibling) {
            masks->nodes[child].fail = next_node(masks, node->fail, masks->nodes[child].byte);
            queue[last++] = child;
        }
    }
    free(queue);
    return true;
}

/* ---- forms ---- */

struct text {
    unsigned char *bytes;
    size_t count;
};

static void put(struct text *text, unsigned char byte) { text->bytes[text->count++] = byte; }

static void put_hex(struct text *text, unsigned value, int digits, bool is_upper) {
    while (digits-- > 0) {
        put(text, (unsigned char)(is_upper ? "0123456789ABCDEF" : "0123456789abcdef")[value >> (4 * digits) & 15]);
    }
}

/* How JSON is escaped differs: RFC 8259 demands little, and allows everything. */
enum json { PLAIN = 0, SLASH = 1, ASCII = 2, UPPER = 4, MARKUP = 8 };

/* The scalar that begins at a byte and how many bytes it has; 0 where the text is no UTF-8. */
static size_t read_scalar(const unsigned char *bytes, size_t count, uint32_t *scalar) {
    size_t size = bytes[0] < 0x80 ? 1 : bytes[0] >> 5 == 6 ? 2 : bytes[0] >> 4 == 14 ? 3 : bytes[0] >> 3 == 30 ? 4 : 0;
    if (size == 0 || size > count) return 0;
    *scalar = size == 1 ? bytes[0] : bytes[0] & (0x7Fu >> size);
    for (size_t index = 1; index < size; index++) {
        if (bytes[index] >> 6 != 2) return 0;
        *scalar = *scalar << 6 | (bytes[index] & 0x3Fu);
    }
    return size;
}

static void put_escape(struct text *text, unsigned unit, int how) {
    put(text, '\\');
    put(text, 'u');
    put_hex(text, unit, 4, how & UPPER);
}

static void put_json(struct text *text, uint32_t scalar, const unsigned char *bytes, size_t size, int how) {
    static const char short_escapes[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *pair = short_escapes; *pair != 0; pair += 2) {
        if (scalar != (unsigned char)pair[0]) continue;
        put(text, '\\');
        put(text, (unsigned char)pair[1]);
        return;
    }
    bool is_markup = scalar == '<' || scalar == '>' || scalar == '&';
    if (scalar < 0x20 || (is_markup && how & MARKUP) || (scalar >= 0x80 && how & ASCII && scalar < 0x10000)) {
        put_escape(text, scalar, how);
    } else if (scalar >= 0x10000 && how & ASCII) {
        put_escape(text, 0xD800 + ((scalar - 0x10000) >> 10), how);
        put_escape(text, 0xDC00 + ((scalar - 0x10000) & 0x3FF), how);
    } else {
        if (scalar == '/' && how & SLASH) put(text, '\\');
        for (size_t index = 0; index < size; index++) put(text, bytes[index]);
    }
}

static void add_json(struct wb_masks *masks, struct text *text, const unsigned char *bytes, size_t count, int how) {
    text->count = 0;
    for (size_t index = 0; index < count;) {
        uint32_t scalar = 0;
        size_t size = read_scalar(bytes + index, count - index, &scalar);
        if (size == 0) {
            put(text, bytes[index++]);
            continue;
        }
        put_json(text, scalar, bytes + index, size, how);
        index += size;
    }
    add_form(masks, text->bytes, text->count, false);
}

static bool is_alphanumeric(unsigned char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Percent-encoded (RFC 3986, section 2.1), but letters, digits and `kept`. */
static void add_percent(
    struct wb_masks *masks, struct text *text, const unsigned char *bytes, size_t count, const char *kept,
    bool is_form, bool is_upper) {
    text->count = 0;
    for (size_t index = 0; index < count; index++) {
        unsigned char byte = bytes[index];
        if (is_alphanumeric(byte) || strchr(kept, byte) != NULL) {
            put(text, byte);
        } else if (byte == ' ' && is_form) {
            put(text, '+');
        } else {
            put(text, '%');
            put_hex(text, byte, 2, is_upper);
        }
    }
    add_form(masks, text->bytes, text->count, false);
}

/* The characters that a secret alone decides, when `before` bytes stand in front of it in their group of three. */
static void add_base64(
    struct wb_masks *masks, struct text *text, const unsigned char *bytes, size_t count, size_t before,
    const char *marks) {
    static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t first = (before * 8 + 5) / 6, end = (before + count) * 8 / 6;
    text->count = 0;
    for (size_t position = first; position < end; position++) {
        unsigned value = 0;
        for (size_t bit = position * 6; bit < position * 6 + 6; bit++) {
            value = value << 1 | (bytes[bit / 8 - before] >> (7 - bit % 8) & 1u);
        }
        put(text, (unsigned char)(value < 62 ? common[value] : marks[value - 62]));
    }
    add_form(masks, text->bytes, text->count, true);
}

static void add_lines(struct wb_masks *masks, const unsigned char *bytes, size_t count) {
    for (size_t start = 0; start < count;) {
        const unsigned char *feed = memchr(bytes + start, '\n', count - start);
        size_t end = feed == NULL ? count : (size_t)(feed - bytes), length = end - start;
        if (length > 0 && bytes[end - 1] == '\r') length--;
        /* Everybody's keys begin and end alike. */
        bool is_frame = length >= 5 && memcmp(bytes + start, "-----", 5) == 0;
        if (length < count && length >= SHORTEST_LINE && !is_frame) add_form(masks, bytes + start, length, false);
        start = end + 1;
    }
}

static void add_secret(struct wb_masks *masks, struct text *text, const unsigned char *bytes, size_t count) {
    static const int json[] = {PLAIN, SLASH, ASCII, ASCII | UPPER, ASCII | SLASH, MARKUP, UPPER};
    /* RFC 3986 itself, ECMAScript's two functions, the usual one of paths, and forms. */
    static const char *const kept[] = {"-._~", "-._~!'()*", "-._~!'()*;,/?:@&=+$#", "-._~/", "*-._"};
    add_form(masks, bytes, count, false);
    add_lines(masks, bytes, count);
    for (size_t way = 0; way < sizeof json / sizeof *json; way++) add_json(masks, text, bytes, count, json[way]);
    for (size_t way = 0; way < sizeof kept / sizeof *kept * 4; way++) {
        add_percent(masks, text, bytes, count, kept[way / 4], way & 1, way & 2);
    }
    for (size_t before = 0; before < 3; before++) {
        add_base64(masks, text, bytes, count, before, "+/");
        add_base64(masks, text, bytes, count, before, "-_");
    }
}

struct wb_masks *wb_masks_make(const char *const *secrets, size_t count) {
    struct wb_masks *masks = calloc(1, sizeof *masks);
    if (masks == NULL) return NULL;
    masks->room = 1024;
    masks->nodes = calloc(masks->room, sizeof *masks->nodes);
    masks->count = 1;
    bool is_sound = masks->nodes != NULL;
    for (size_t index = 0; index < count && is_sound; index++) {
        size_t length = strlen(secrets[index]);
        /* No form has more bytes for one than an escape in JSON. */
        struct text text = {.bytes = malloc(6 * length + 6)};
        is_sound = text.bytes != NULL;
        if (is_sound) add_secret(masks, &text, (const unsigned char *)secrets[index], length);
        free(text.bytes);
        is_sound = is_sound && !masks->is_full;
    }
    if (is_sound && link_nodes(masks)) return masks;
    wb_masks_free(masks);
    return NULL;
}

void wb_masks_free(struct wb_masks *masks) {
    if (masks == NULL) return;
    free(masks->nodes);
    free(masks);
}

/* ---- streams ---- */

struct wb_mask_stream {
    const struct wb_masks *masks;
    unsigned char *held;   /* What was not given yet. */
    unsigned char *marked; /* For each byte, whether it belongs to a secret. */
    unsigned char *out;
    size_t count;
    uint32_t node;
    unsigned breaks;   /* Bytes of the line break at the end. */
    bool is_in_secret; /* Its beginning was given as a mask. */
    uint64_t found;
};

struct wb_mask_stream *wb_mask_stream_make(const struct wb_masks *masks) {
    size_t room = WB_MASK_CHUNK + (1 + LONGEST_BREAK) * ((size_t)masks->longest + 1);
    struct wb_mask_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    stream->masks = masks;
    stream->held = malloc(room);
    stream->marked = malloc(room);
    stream->out = malloc(room + sizeof WB_MASK_TEXT);
    if (stream->held != NULL && stream->marked != NULL && stream->out != NULL) return stream;
    wb_mask_stream_free(stream);
    return NULL;
}

void wb_mask_stream_free(struct wb_mask_stream *stream) {
    if (stream == NULL) return;
    free(stream->held);
    free(stream->marked);
    free(stream->out);
    free(stream);
}

static bool is_break(unsigned char byte) { return byte == '\n' || byte == '\r'; }

/* Where the last `count` bytes begin, line breaks apart. */
static size_t begin_of(const struct wb_mask_stream *stream, size_t end, size_t count) {
    size_t least = end > (1 + LONGEST_BREAK) * count ? end - (1 + LONGEST_BREAK) * count : 0;
    while (count > 0 && end > least) {
        if (!is_break(stream->held[--end])) count--;
    }
    return end;
}

/* Goes on by one byte, which is at `position` by now. */
static void advance(struct wb_mask_stream *stream, size_t position) {
    const struct wb_masks *masks = stream->masks;
    unsigned char byte = stream->held[position];
    uint32_t next = next_node(masks, stream->node, byte);
    if (next == 0 && is_break(byte) && stream->breaks < LONGEST_BREAK) {
        uint32_t node = stream->node;
        while (node != 0 && !masks->nodes[node].wraps) node = masks->nodes[node].fail;
        stream->node = node;
        stream->breaks++;
        return;
    }
    stream->breaks = 0;
    stream->node = next;
    if (next == 0) return;
    const struct node *node = &masks->nodes[next];
    if (node->whole > 0) memset(stream->marked + position + 1 - node->whole, 1, node->whole);
    if (node->wrapped > 0) {
        size_t begin = begin_of(stream, position + 1, node->wrapped);
        memset(stream->marked + begin, 1, position + 1 - begin);
    }
}

/* Gives the first `count` bytes. */
static size_t give(struct wb_mask_stream *stream, size_t count, const void **out) {
    size_t given = 0;
    for (size_t index = 0; index < count; index++) {
        if (!stream->marked[index]) {
            stream->is_in_secret = false;
            stream->out[given++] = stream->held[index];
        } else if (!stream->is_in_secret) {
            stream->is_in_secret = true;
            stream->found++;
            memcpy(stream->out + given, WB_MASK_TEXT, sizeof WB_MASK_TEXT - 1);
            given += sizeof WB_MASK_TEXT - 1;
        }
    }
    stream->count -= count;
    memmove(stream->held, stream->held + count, stream->count);
    memmove(stream->marked, stream->marked + count, stream->count);
    *out = stream->out;
    return given;
}

size_t wb_mask_feed(struct wb_mask_stream *stream, const void *bytes, size_t count, const void **out) {
    size_t position = stream->count;
    if (count > WB_MASK_CHUNK) abort(); /* It would be written beside the buffer. */
    memcpy(stream->held + position, bytes, count);
    memset(stream->marked + position, 0, count);
    stream->count += count;
    for (; position < stream->count; position++) advance(stream, position);
    return give(stream, begin_of(stream, stream->count, stream->masks->nodes[stream->node].depth), out);
}

size_t wb_mask_end(struct wb_mask_stream *stream, const void **out) {
    stream->node = 0;
    stream->breaks = 0;
    return give(stream, stream->count, out);
}

uint64_t wb_mask_found(const struct wb_mask_stream *stream) { return stream->found; }
