# Rows of day,sku,quantity,cents under a header; prints {"problem": "", "rows": n, "cents": n}. Nothing of the file itself
# is printed, so that its bytes cannot spoil the JSON.
BEGIN { FS = "," }
function bad(why) {
    problem = "line " NR ": " why
    exit
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
    if (NR == 0) problem = "the file is empty"
    printf "{\"problem\": \"%s\", \"rows\": %d, \"cents\": %.0f}\n", problem, rows, cents
}
