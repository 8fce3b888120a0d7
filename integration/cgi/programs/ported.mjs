// A CGI program in JavaScript: run as a program, and called as a function. What it prints is up to the path.

const text = 'Content-Type: text/plain; charset=utf-8\n\n';

const pages = {
  '/environment': async (environ, stdin, stdout) => {
    const body = Buffer.concat(await stdin.toArray());
    const entries = Object.entries(environ).toSorted(([a], [b]) => (a < b ? -1 : 1));
    stdout.write(`Content-Type: application/json\n\n${JSON.stringify([entries, body.toString('latin1')])}`);
  },
  '/form': async (environ, stdin, stdout) => {
    let body = '';
    for await (const piece of stdin.setEncoding('utf8')) body += piece;
    const name = new URLSearchParams(body).get('name');
    const seen = new Map((environ.HTTP_COOKIE ?? '').split('; ').map((pair) => pair.split('=')));
    stdout.write(
      `Set-Cookie: name=${encodeURIComponent(name)}\nSet-Cookie: visits=${Number(seen.get('visits')) + 1}\n`,
    );
    stdout.write(`${text}Hello ${name}\n`);
  },
  '/echo': (_environ, stdin, stdout) => {
    stdout.write('Content-Type: application/octet-stream\r\n\r\n');
    stdin.pipe(stdout);
  },
  '/large': async (_environ, _stdin, stdout) => {
    stdout.write('Content-Type: application/octet-stream\n\n');
    for (let line = 0; line < 5000; line += 1) {
      if (!stdout.write(`${line} ${'0123456789'.repeat(20)}\n`))
        await new Promise((resolve) => stdout.once('drain', resolve));
    }
  },
  '/octets': (_environ, _stdin, stdout) => {
    stdout.write(text);
    stdout.write(Uint8Array.from({ length: 256 }, (_, octet) => octet));
    stdout.end('äöü', 'latin1');
  },
  '/status': (_environ, _stdin, stdout) =>
    void stdout.write('Status: 404 Not to be found\nX-A: 1\nX-A: 2\n\nnothing\n'),
  '/line': (_environ, _stdin, stdout) => void stdout.write('HTTP/1.1 201 Made\r\nETag: "1"\r\n\r\n'),
  '/length': (_environ, _stdin, stdout) => void stdout.write('Content-Length: 3\n\nabcdef'),
  '/short': (_environ, _stdin, stdout) => void stdout.write('Content-Length: 9\n\nabc'),
  '/away': (_environ, _stdin, stdout) => void stdout.write('Location: https://example.org/\n\n'),
  '/away-with-page': (_environ, _stdin, stdout) =>
    void stdout.write('Status: 303 See Other\nLocation: https://example.org/\n\n<p>there</p>'),
  '/local': (_environ, _stdin, stdout) => void stdout.write('Location: /environment?from=local\n\n'),
  '/loop': (_environ, _stdin, stdout) => void stdout.write('Location: /loop\n\n'),
  '/garbage': (_environ, _stdin, stdout) => void stdout.write('Traceback (most recent call last):\n\n'),
  '/nothing': (_environ, _stdin, _stdout) => {},
  '/half': async (_environ, _stdin, stdout) => void stdout.write('Content-Type: text/plain\n'),
  '/throws': () => {
    throw new Error('a bug');
  },
  '/arguments': (_environ, _stdin, stdout) => void stdout.write(text + JSON.stringify(process.argv.slice(2))),
  '/folder': (_environ, _stdin, stdout) => void stdout.write(text + process.cwd()),
};

export function main(environ, stdin, stdout) {
  const page = Object.keys(pages).find((path) => environ.PATH_INFO?.startsWith(path)) ?? '/environment';
  return pages[page](environ, stdin, stdout);
}

if (process.argv[1] === import.meta.filename) await main(process.env, process.stdin, process.stdout);
