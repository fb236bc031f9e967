#!/bin/sh
# Writes a man page for the program and for each verb into a folder, out of what --help prints.
#   man.sh SLIPWAY FOLDER VERSION
set -eu
slipway=$1 folder=$2 version=$3
mkdir -p "$folder"

# page NAME SUMMARY < help text
page() {
    printf '.TH "%s" 1 "" "slipway %s" "Slipway"\n.SH NAME\n%s \\- %s\n' \
        "$(printf %s "$1" | tr a-z A-Z)" "$version" "$1" "$2"
    awk '
        function roff(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); sub(/^[.\x27]/, "\\\\\\&&", text); return text }
        /^Usage: / { sub(/^Usage: /, ""); print ".SH SYNOPSIS"; print roff($0); print ".SH DESCRIPTION"; next }
        /^(Options|Global options|Verbs):$/ { sub(/:$/, ""); print ".SH " toupper($0); options = 1; next }
        /^Exit: / { options = 0; print ".SH EXIT STATUS" }
        options && /^  / { sub(/^ +/, ""); at = match($0, /  +/); print ".TP"
                           print ".B " roff(at ? substr($0, 1, at - 1) : $0); print roff(at ? substr($0, at + RLENGTH) : ""); next }
        /^$/ { print ".PP"; options = 0; next }
        { print roff($0) }'
}

"$slipway" --help | page slipway "turn a commit into a container image" >"$folder/slipway.1"
"$slipway" --help | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\?\)  .*/\1/p' | while read -r verb; do
    # shellcheck disable=SC2086 # a verb may be two words
    help=$("$slipway" $verb --help)
    summary=$(printf '%s\n' "$help" | sed -n '3s/\.$//p')
    name=slipway-$(printf %s "$verb" | tr ' ' -)
    printf '%s\n' "$help" | page "$name" "$summary" >"$folder/$name.1"
done
