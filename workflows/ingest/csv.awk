# Reads CSV (RFC 4180: quoted fields may hold commas, quotes and line breaks) and writes records that end in 0x1e,
# of fields that are separated by 0x1f, the first one being the record's line number. jq takes it from there:
# telling quotes apart is easy here, writing JSON is not.

BEGIN {
    UNIT = sprintf("%c", 31)
    RECORD = sprintf("%c", 30)
}

function emit(text, line,    out, field, at, more) {
    out = line
    do {
        more = 0
        field = ""
        if (substr(text, 1, 1) == "\"") {
            text = substr(text, 2)
            while ((at = index(text, "\"")) > 0) {
                field = field substr(text, 1, at - 1)
                text = substr(text, at + 1)
                if (substr(text, 1, 1) != "\"") break
                field = field "\""
                text = substr(text, 2)
            }
        }
        at = index(text, ",")
        if (at > 0) {
            field = field substr(text, 1, at - 1)
            text = substr(text, at + 1)
            more = 1
        } else {
            field = field text
        }
        out = out UNIT field
    } while (more)
    printf "%s%s", out, RECORD
}

{
    line = $0
    sub(/\r$/, "", line)
    gsub(/[\036\037]/, " ", line)
    if (NR == 1) sub(/^\357\273\277/, "", line)
    if (open) {
        record = record "\n" line
    } else {
        record = line
        start = NR
    }
    if (gsub(/"/, "\"", line) % 2) open = !open
    if (!open && record != "") emit(record, start)
}

# A quote that is never closed has swallowed the rest of the file: one bad record that says so.
END {
    if (open) printf "%s%s\"%s", start, UNIT, RECORD
}
