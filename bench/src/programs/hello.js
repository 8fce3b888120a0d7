// A tiny CGI program in JavaScript, as a function: what calls it makes it a process per request, or a handler.

export function hello(environ, stdin, stdout) {
  const name = new URLSearchParams(environ.QUERY_STRING).get('name') ?? 'world';
  stdout.end(`Content-Type: text/plain\r\n\r\nHello ${name}\n`);
}
