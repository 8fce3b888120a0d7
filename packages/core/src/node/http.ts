// Node's `http`, by no import of it: an import reads all that a module exports, and `http.WebSocket` (Node 22.5) is there when
// Undici is loaded, which takes as long as the rest of a start. Only a CGI program pays for that at each request.

export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
