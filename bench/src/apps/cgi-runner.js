// The CGI programs of a folder, run behind SCGI.

import { cgiDirectory } from '@scgi/cgi';
import { createScgiServer } from '@scgi/core';
import { listen } from './listen.js';

const { folder, mount, launcher } = JSON.parse(process.env.BACKEND);
listen(createScgiServer(cgiDirectory(folder, { mount, launcher })));
