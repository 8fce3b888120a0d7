<?php
// Says what has been uploaded.
$file = $_FILES['file'];
$kept = tempnam(sys_get_temp_dir(), 'upload');
header('Content-Type: application/json');
echo json_encode([
    'moved' => move_uploaded_file($file['tmp_name'], $kept),
    'name' => $file['name'],
    'type' => $file['type'],
    'size' => $file['size'],
    'sha256' => hash_file('sha256', $kept),
    'note' => $_POST['note'],
]);
unlink($kept);
