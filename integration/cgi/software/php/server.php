<?php
// Says what PHP makes of the environment, and what it has of the input.
header('Content-Type: application/json');
echo json_encode(['server' => $_SERVER, 'get' => $_GET, 'input' => file_get_contents('php://input'), 'sapi' => PHP_SAPI]);
