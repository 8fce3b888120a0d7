<?php
// What every page begins with: the session, and the head of the document.
session_save_path(getenv('SESSIONS'));
session_start();

function page(string $title, string $body): void {
    header('Content-Type: text/html; charset=UTF-8');
    echo "<!DOCTYPE html><title>$title</title><h1>$title</h1>$body\n";
}
