<?php
// Many small pieces, flushed one by one.
header('Content-Type: text/plain');
for ($line = 1; $line <= 1000; $line++) {
    echo "$line\n";
    flush();
}
