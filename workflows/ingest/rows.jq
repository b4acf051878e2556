# Turns rows into verdicts: {"line", "row", "reasons"}; a row without reasons is good, and typed as the rules say.
# Arguments: $format csv|jsonl; $rules and $corrections, lists of one (--slurpfile). Run with -n and -R, csv also with -s.

# Every row as {line, row}, or {line, row: null, reasons} where there is none to look at.
def rows:
    if $format == "csv" then
        (input | split("\u001e")[:-1] | map(split("\u001f"))) as $records
        | ($records[0] // ["1"])[1:] as $header
        | $records[1:][]
        | (.[0] | tonumber) as $line | .[1:] as $fields
        | if $fields == ["\""] then {line: $line, row: null, reasons: ["a quote is opened and never closed"]}
          elif ($fields | length) != ($header | length) then
            {line: $line, row: null, fields: $fields,
             reasons: ["\($fields | length) fields where the header has \($header | length)"]}
          else {line: $line, row: ([$header, $fields] | transpose | map({key: .[0], value: .[1]}) | from_entries)}
          end
    else
        foreach inputs as $text ({line: 0}; {line: (.line + 1), text: $text};
            select(.text | test("[^ \t\r]"))
            | .line as $line
            | try (.text | fromjson | if type == "object" then {line: $line, row: .} else error("not an object") end)
              catch {line: $line, row: null, fields: [$text[:200]], reasons: ["not a JSON object"]})
    end;

# One value as its column's type: [typed, null], or [the value, what is wrong with it].
def typed($rule):
    . as $value
    | if . == null or . == "" then [null, if $rule.required then "is missing" else null end]
      elif $rule.type == "integer" then
        (if type == "string" and test("^[+-]?[0-9]+$") then ltrimstr("+") | tonumber else . end)
        | if type == "number" and . == floor then [., null] else [$value, "is no integer"] end
      elif $rule.type == "number" then
        (if type == "string" and test("^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$")
         then ltrimstr("+") | tonumber else . end)
        | if type == "number" then [., null] else [$value, "is no number"] end
      elif type == "string" then [., null]
      else [., "is no text"]
      end;

def reason($rule):
    .[0] as $value
    | if .[1] != null then .[1]
      elif $value == null then null
      elif $rule.minimum != null and $value < $rule.minimum then "is below \($rule.minimum)"
      elif $rule.maximum != null and $value > $rule.maximum then "is above \($rule.maximum)"
      elif $rule.pattern != null and ($value | tostring | test($rule.pattern) | not) then
        "does not match \($rule.pattern)"
      elif $rule.enum != null and ([$value] | inside($rule.enum) | not) then "is none of \($rule.enum | join(", "))"
      else null
      end;

def verdict:
    . as $entry
    | if .row == null then .
      else reduce ($rules[0].columns | to_entries[]) as {key: $name, value: $rule} (
            {line, row, reasons: []};
            ($entry.row[$name] | typed($rule)) as $typed
            | ($typed | reason($rule)) as $reason
            | .row[$name] = $typed[0]
            | if $reason then .reasons += ["\($name) \($entry.row[$name] // "" | tojson) \($reason)"] else . end)
        | (($entry.row | keys_unsorted) - ($rules[0].columns | keys)) as $unknown
        | if ($unknown | length) > 0 and $rules[0].additional != true
          then .reasons += ["unknown column \($unknown | join(", "))"] else . end
      end;

($corrections[0] | map({key: (.line | tostring), value: .row}) | from_entries) as $corrected
| [$rules[0].columns | to_entries[] | select(.value.unique) | .key] as $unique
| foreach (rows
    | (.line | tostring) as $line
    | if $corrected | has($line) then {line, row: $corrected[$line], dropped: ($corrected[$line] == null)} else . end
    | select(.dropped != true) | del(.dropped) | verdict) as $entry (
    {seen: {}};
    .out = $entry
    | reduce ($unique[] | select($entry.row != null and $entry.row[.] != null)) as $name (.;
        ($name + "=" + ($entry.row[$name] | tojson)) as $key
        | if .seen[$key] then
            .out.reasons += ["\($name) \($entry.row[$name] | tojson) is already in line \(.seen[$key])"]
          else .seen[$key] = $entry.line end);
    .out | .reasons //= [])
