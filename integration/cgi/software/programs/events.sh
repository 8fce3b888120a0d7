#!/bin/sh
# One event at once, and another one when somebody writes to the pipe.
printf 'Content-Type: text/event-stream\n\ndata: first\n\n'
read -r line < "$PIPE"
printf 'data: %s\n\n' "$line"
