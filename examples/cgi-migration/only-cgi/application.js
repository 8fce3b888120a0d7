#!/usr/bin/env node
// The application where there is only CGI. With SCGI_BIND, or on the socket of systemd, it is step5.js.
import { serveCgi } from '@scgi/adapter-express';
import { app } from '../app.js';

await serveCgi(app);
