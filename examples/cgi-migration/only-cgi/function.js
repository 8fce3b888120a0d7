#!/usr/bin/env node
// The function of step 4 where there is only CGI.
import { guestbook } from '../guestbook.js';

await guestbook(process.env, process.stdin, process.stdout);
