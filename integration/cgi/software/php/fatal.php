<?php
// What happens to a program that breaks: PHP answers with 500 and complains to its standard error.
ini_set('display_errors', '0');
ini_set('log_errors', '1');
ini_set('error_log', '');
no_such_function();
