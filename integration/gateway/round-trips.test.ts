// From a client through the stand-alone front to real applications and back.

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { describe, expect } from 'vitest';
import { startExample } from '../adapters/support/example-process.js';
import { test } from '../nginx/support/stage.js';
import { createEchoApp } from '../peers/support/echo-app.js';
import { within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { startUwsgi } from '../support/uwsgi.js';
import { Peer } from '../websocket/support/peer.js';
import { startFront } from './support/front.js';

describe('Express behind the front', () => {
  test('gets method, target, fields and client, and gives all its fields', async ({ stage }) => {
    const { address } = await stage.serve(createEchoApp());
    const { origin } = await startFront(stage, { backends: { '/mount': address } });
    const response = await fetch(`${origin}/mount/facts/a%20b?x=1`, { method: 'PUT', headers: { 'X-Some': 'grün' } });
    expect(await response.json()).toMatchObject({
      method: 'PUT',
      url: '/facts/a%20b?x=1',
      ip: '127.0.0.1',
      secure: false,
      query: { x: '1' },
      fields: [['x-some', 'grün']],
    });
    const fields = await fetch(`${origin}/mount/fields`);
    expect(fields.status).toBe(299);
    expect(fields.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=two words; Secure', 'c=']);
    expect((await fetch(`${origin}/fields`)).status).toBe(404);
  });

  test('echoes bodies with and without a length', async ({ stage }) => {
    const { address } = await stage.serve(createEchoApp());
    const { origin } = await startFront(stage, { to: address, maxHeldBody: 100_000 });
    const sent = randomBytes(3_000_000);
    const known = await fetch(`${origin}/echo`, { method: 'POST', body: sent });
    expect(sent.equals(Buffer.from(await known.arrayBuffer()))).toBe(true);
    const body = new Blob([sent]).stream();
    const unknown = await fetch(`${origin}/echo`, { method: 'POST', body, duplex: 'half' });
    expect(sent.equals(Buffer.from(await unknown.arrayBuffer()))).toBe(true);
  });

  test('and its own error page comes through', async ({ stage }) => {
    const { address } = await stage.serve(createEchoApp());
    const { origin, errors } = await startFront(stage, { to: address });
    expect((await fetch(`${origin}/throws`)).status).toBe(500);
    expect(errors).toEqual([]);
  });
});

describeWith('uwsgi', 'uWSGI behind the front', () => {
  const application = fileURLToPath(new URL('../peers/backends/wsgi_app.py', import.meta.url));

  test('is mounted beside an Express application', async ({ stage }) => {
    const uwsgi = await startUwsgi({ application });
    stage.add(uwsgi.stop);
    const { address } = await stage.serve(createEchoApp());
    const { origin } = await startFront(stage, { backends: { '/python': uwsgi.unixAddress, '/': address } });
    const python = await fetch(`${origin}/python/any?x=1`, { method: 'POST', body: 'body' });
    expect(await python.json()).toMatchObject({
      variables: { SCRIPT_NAME: '/python', PATH_INFO: '/any', QUERY_STRING: 'x=1', REQUEST_METHOD: 'POST' },
      body: 'body',
    });
    expect(await (await fetch(`${origin}/facts/x`)).json()).toMatchObject({ url: '/facts/x' });
  });
});

describe('the examples behind the front', () => {
  test('Express: page, static file, upload', async ({ stage }) => {
    const { address } = await startExample(stage, 'express', stage.freeAddress('unix'));
    const folder = fileURLToPath(new URL('../../examples/express/public/assets', import.meta.url));
    const { origin, errors } = await startFront(stage, { to: address, static: { '/shipped': folder } });
    const page = await fetch(origin);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await page.text()).toContain('</html>');
    const [fromApp, fromFolder] = await Promise.all([
      fetch(`${origin}/assets/scgi.txt`),
      fetch(`${origin}/shipped/scgi.txt`),
    ]);
    expect(fromApp.status).toBe(200);
    expect(await fromFolder.text()).toBe(await fromApp.text());
    expect(errors).toEqual([]);
  });

  test('the WebSocket chat: page, and two guests', async ({ stage }) => {
    const { address } = await startExample(stage, 'websocket-chat', stage.freeAddress('unix'));
    const { origin } = await startFront(stage, { to: address });
    expect(await (await fetch(origin)).text()).toContain('chat.js');
    const enter = async (name: string): Promise<Peer> => {
      const socket = new WebSocket(`${origin.replace('http', 'ws')}/chat?name=${name}`, { origin });
      stage.add(() => socket.terminate());
      return new Peer(socket).opened();
    };
    const ada = await enter('ada');
    const grace = await enter('grace');
    ada.socket.send('hello');
    const heard: string[] = [];
    const listen = async (): Promise<void> => {
      while (!heard.some((text) => text.includes('"said"'))) heard.push(String(await grace.next()));
    };
    await within(listen(), 5_000, 'what ada said');
    expect(JSON.parse(heard.at(-1) ?? '')).toMatchObject({ said: { name: 'ada', text: 'hello' } });
  });
});
