# Rows of day,sku,quantity,cents under a header; prints {"rows": n, "cents": n}.
BEGIN { FS = "," }
function bad(why) {
    printf "line %d: %s\n", NR, why > "/dev/stderr"
    failed = 1
    exit 1
}
{ sub(/\r$/, "") }
NR == 1 {
    if ($0 != columns) bad("the header is not " columns)
    next
}
NF != 4 { bad(NF " fields instead of 4") }
$1 !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ { bad("no date") }
$2 == "" { bad("no sku") }
$3 !~ /^[0-9]+$/ || $4 !~ /^[0-9]+$/ { bad("quantity and cents are whole numbers") }
{
    rows++
    cents += $3 * $4
}
END {
    if (failed) exit 1
    if (NR == 0) bad("the file is empty")
    printf "{\"rows\": %d, \"cents\": %.0f}\n", rows, cents
}
