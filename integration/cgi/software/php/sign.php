<?php
require __DIR__ . '/lib/page.php';
if (($_POST['name'] ?? '') === '') {
    http_response_code(422);
    page('Nobody', '<p>Who are you?</p>');
    exit;
}
$_SESSION['entries'][] = $_POST['name'];
header('Location: ./');
