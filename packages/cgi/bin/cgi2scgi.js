#!/usr/bin/env node
// The command `cgi2scgi`: a file that is there and executable before anything is built.
import '../dist/cgi2scgi/main.js';
