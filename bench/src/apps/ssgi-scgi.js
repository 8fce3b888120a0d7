import { serveScgi } from '@scgi/adapter-ssgi';
import { serve } from './listen.js';

const fields = [['content-type', 'text/plain']];

await serve((options) =>
  serveScgi((_type, _server, _remote, _method, _path, _query, _getHeader, res) => {
    res.sendHeaders(fields);
    res.send('Hello world\n');
  }, options),
);
