// An application as a CGI program, for serve-cgi.test.ts: node cgi-app.mjs CORE. What it does is in the path of the request.
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import process from 'node:process';

const core = process.argv[2];
const { serveCgi } = await import(core);
const say = (text) => process.stderr.write(`${text}\n`);

const events = ['aborted', 'close'];
const behaviours = {
  '/hello': (_req, res) => res.end('hello'),
  '/show': (req, res) => {
    const { env, basePath } = req.scgi;
    res.end(JSON.stringify({ url: req.url, original: req.originalUrl, env, basePath }));
  },
  '/echo': (req, res) => req.pipe(res),
  '/collect': async (req, res) => res.end(Buffer.concat(await req.toArray())),
  '/count': async (req, res) => {
    let count = 0;
    for await (const chunk of req) count += chunk.length;
    res.end(`${count} octets, ${process.resourceUsage().maxRSS} KiB`);
  },
  '/large': (req, res) => {
    const block = Buffer.alloc(65_536, 'a');
    const write = (left) => {
      while (left-- > 0) if (!res.write(block)) return res.once('drain', () => write(left));
      return res.end(() => say(`${process.resourceUsage().maxRSS} KiB`));
    };
    write(Number(req.url.split('?')[1]));
  },
  '/endless': (_req, res) => {
    const block = Buffer.alloc(65_536, 'a');
    const write = () => {
      while (res.write(block));
    };
    for (const event of events) res.req.on(event, () => say(`request ${event}`));
    res.on('drain', write).once('close', () => say('response close'));
    write();
  },
  // Begins, then waits for nothing that Node.js knows of.
  '/begin': (req, res) => {
    for (const event of events) req.on(event, () => say(`request ${event}`));
    res.write('begun');
  },
  '/silent': (req) => {
    for (const event of events) req.on(event, () => say(`request ${event}`));
    say('waits');
  },
  '/throw': () => {
    throw new Error('thrown by the handler');
  },
  '/crash': () => {
    setImmediate(() => {
      throw new Error('thrown by nobody');
    });
  },
  '/break': (_req, res) => res.write('begun', () => res.destroy()),
  '/print': (_req, res) => {
    console.log('printed by console.log');
    process.stdout.write('printed to process.stdout\n');
    writeSync(1, 'printed to descriptor 1\n');
    spawnSync('echo', ['printed by a child'], { stdio: 'inherit' });
    res.end('hello');
  },
  '/print-a-lot': (_req, res) => {
    for (let line = 0; line < 20_000; line += 1) console.error(`line ${line} `.padEnd(50, '.'));
    res.end('hello');
  },
  // Holds the process, as an open database connection does.
  '/hold': (_req, res) => {
    setInterval(() => {}, 1000);
    res.end('hello');
  },
  '/proxy': (_req, res) => res.end(`${process.env.HTTP_PROXY} ${process.env.SECRET}`),
};

if (process.argv[3] !== undefined) await (await import(process.argv[3])).default(serveCgi);
else {
  const server = await serveCgi((req, res) => behaviours[req.url.split('?')[0]](req, res), {
    cgi: { variables: ['EXTRA_*'] },
    onError: (error) => say(`failed: ${error.message}`),
  });
  for (const { address } of server.endpoints) console.log(address);
}
