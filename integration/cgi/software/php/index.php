<?php
require __DIR__ . '/lib/page.php';
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
$entries = array_map('htmlspecialchars', $_SESSION['entries'] ?? []);
page('Guest book', "<p>visit {$_SESSION['visits']}</p><ul><li>" . implode('<li>', $entries) . '</ul>');
