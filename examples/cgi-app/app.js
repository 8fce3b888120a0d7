#!/usr/bin/env node
// A guestbook. As a CGI program it is started for each request, so what it knows is in a file; with SCGI_BIND in its
// environment it stays, and serves all of them.
import { appendFile, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { serveCgi } from '@scgi/core';

const file = process.env.GUESTBOOK ?? new URL('guests.txt', import.meta.url);
const escape = (value) => value.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);

async function sign(req) {
  const form = new URLSearchParams(await text(req));
  const name = form.get('name')?.trim().replace(/\s+/g, ' ').slice(0, 100);
  if (name) await appendFile(file, `${name}\n`);
}

async function page() {
  const guests = await readFile(file, 'utf8').catch(() => '');
  const items = guests
    .split('\n')
    .filter(Boolean)
    .map((name) => `<li>${escape(name)}</li>`);
  return `<!doctype html><title>Guestbook</title><h1>Guestbook</h1><ul>${items.join('')}</ul>
<form method="post"><label>Your name <input name="name" required></label> <button>Sign</button></form>\n`;
}

const server = await serveCgi(
  async (req, res) => {
    if (req.url !== '/') return res.writeHead(404).end();
    if (req.method !== 'POST') return res.setHeader('Content-Type', 'text/html; charset=utf-8').end(await page());
    await sign(req);
    return res.writeHead(303, { Location: req.originalUrl ?? '/' }).end();
  },
  { maxBodyBytes: 10_000 },
);
for (const { address } of server.endpoints) console.log(`SCGI: listening on ${address}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close({ timeout: 10_000 }));
