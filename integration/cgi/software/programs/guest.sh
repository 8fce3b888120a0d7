#!/bin/sh
# A guest book of one line a guest. A POST adds one and sends the browser back; a GET shows them.
set -eu
book=$GUESTS
if [ "$REQUEST_METHOD" = POST ]; then
  head -c "$CONTENT_LENGTH" | sed 's/^name=//; s/+/ /g' >> "$book"
  echo >> "$book"
  printf 'Status: 303 See Other\r\nLocation: %s\r\n\r\n' "$SCRIPT_NAME"
  exit
fi
[ -e "$book" ] || exit 7
echo 'Content-Type: text/plain'
echo
cat "$book"
