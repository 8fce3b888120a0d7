// examples/rtorrent with a real rTorrent, and where Debian's is too old for JSON-RPC, with a stand-in that is not.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveScgi } from '@scgi/core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Rtorrent as Caller } from '../../examples/rtorrent/rtorrent.js';
import { decodeAnswer } from '../../examples/rtorrent/xml-rpc-answer.js';
import { encodeCall } from '../../examples/rtorrent/xml-rpc-call.js';
import { createTorrent } from '../peers/support/torrent-file.js';
import { describeWith } from '../support/front-ends.js';
import { startRtorrent, type Rtorrent } from '../support/rtorrent.js';
import { runExample, type CommandResult } from './support/example-program.js';

describeWith('rtorrent', 'the example of rTorrent', () => {
  let rtorrent: Rtorrent;
  beforeAll(async () => {
    rtorrent = await startRtorrent();
  });
  afterAll(async () => void (await rtorrent?.stop()));
  const run = (...args: string[]): Promise<CommandResult> =>
    runExample('rtorrent/torrents.js', args, { RTORRENT_SOCKET: rtorrent.address });

  test('tells the version, and by which protocol', async () => {
    const { code, stdout, stderr } = await run('version');
    expect([code, stderr]).toEqual([0, '']);
    const [, number = '', spoken = ''] = /^rTorrent ([\d.]+) over SCGI, by (.+)\n$/.exec(stdout) ?? [];
    expect(number).not.toBe('');
    expect(spoken).toBe(hasJsonRpc(number) ? 'JSON-RPC' : 'XML-RPC, it has no JSON-RPC');
  });

  test('adds a file, watches it until it is complete, and lists it', async () => {
    const torrent = createTorrent(rtorrent.downloads, 'a <small> & "odd" name.bin', 300_000);
    const file = join(rtorrent.folder, 'small.torrent');
    writeFileSync(file, torrent.bytes);
    expect(await run('list')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('add', file)).toEqual({ code: 0, stdout: `added ${file}\n`, stderr: '' });
    const watched = await run('watch');
    expect([watched.code, watched.stderr]).toEqual([0, '']);
    const line = `[####################] 100 %  ${torrent.name}  complete`;
    expect(watched.stdout).toContain(line);
    expect((await run()).stdout).toContain(line);
    const again = await run('add', file);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('has this one already')]);
  });

  test('adds a magnet link', async () => {
    const magnet = `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=x&tr=http://127.0.0.1:9/announce`;
    expect(await run('add', magnet)).toEqual({ code: 0, stdout: `added ${magnet}\n`, stderr: '' });
    expect((await run('list')).stdout).toContain(`${'AB'.repeat(20)}.meta`);
  });

  test('takes the address as an argument, and says what is wrong with it', async () => {
    const { code, stdout } = await run('version', '--socket', rtorrent.address);
    expect([code, stdout]).toEqual([0, expect.stringContaining('over SCGI')]);
    const nowhere = await run('list', '--socket', 'unix:/nowhere/rt.sock');
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('ERR_SCGI_BACKEND_UNREACHABLE')]);
    const wrong = await run('list', '--socket', '/nowhere/rt.sock');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('a path needs unix: before it')]);
  });

  test('says what is wrong with a command', async () => {
    const { code, stderr } = await run('remove');
    expect([code, stderr]).toEqual([1, 'no command remove: add, list, version, watch\n']);
    expect(await run('add', '/nowhere.torrent')).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') });
  });
});

describe('the example of rTorrent with a stand-in for rTorrent 0.15.2 and later, which Debian does not have', () => {
  interface Call {
    readonly type: string | undefined;
    readonly method: string;
    readonly params: readonly unknown[];
  }

  async function standIn(results: Readonly<Record<string, unknown>>): Promise<{ calls: Call[]; address: string }> {
    const calls: Call[] = [];
    const server = await serveScgi(
      async (request, response) => {
        const { id, method, params } = JSON.parse(Buffer.concat(await request.toArray()).toString());
        calls.push({ type: request.headers['content-type'], method, params });
        const outcome =
          method in results ? { result: results[method] } : { error: { code: -32601, message: 'Method not found' } };
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
      },
      { bind: 0 },
    );
    onTestFinished(() => server.close({ timeout: 0 }));
    return { calls, address: server.endpoints[0]?.address ?? '' };
  }

  test('calls by JSON-RPC, and sends bytes as a data URI', async () => {
    const { calls, address } = await standIn({ 'system.client_version': '0.15.2', 'load.raw_start_verbose': 0 });
    const caller = new Caller(address);
    expect(await caller.call('load.raw_start_verbose', '', Buffer.from('d4:infoe'))).toBe(0);
    await expect(caller.call('no.such', 1)).rejects.toMatchObject({ code: -32601, message: 'Method not found' });
    expect(calls).toEqual([
      { type: 'application/json', method: 'system.client_version', params: [] },
      {
        type: 'application/json',
        method: 'load.raw_start_verbose',
        params: ['', 'data:application/x-bittorrent;base64,ZDQ6aW5mb2U='],
      },
      { type: 'application/json', method: 'no.such', params: [1] },
    ]);
  });

  test('lists as with the real one', async () => {
    const rows = [
      ['debian.iso', 1, 0, 0, 250, 1000, 5, ''],
      ['old.iso', 0, 1, 0, 1000, 1000, 0, 'seen'],
    ];
    const { address } = await standIn({ 'system.client_version': '0.15.2', 'd.multicall2': rows });
    expect((await runExample('rtorrent/torrents.js', ['version', '--socket', address])).stdout).toBe(
      'rTorrent 0.15.2 over SCGI, by JSON-RPC\n',
    );
    expect((await runExample('rtorrent/torrents.js', ['list', '--socket', address])).stdout).toBe(
      '[#####...............]  25 %  debian.iso  5 B/s\n[####################] 100 %  old.iso  complete  seen\n',
    );
  });
});

describe('XML-RPC of the example', () => {
  test('is written with all that XML could take for its own', () => {
    const call = encodeCall('m', ['<&>', 7, Buffer.from('bytes'), ['a'], { 'k&': 1 }]);
    expect(call).toContain('<string>&lt;&amp;&gt;</string>');
    expect(call).toContain('<i8>7</i8>');
    expect(call).toContain('<base64>Ynl0ZXM=</base64>');
    expect(call).toContain('<member><name>k&amp;</name><value><i8>1</i8></value></member>');
  });

  test.each([
    ['<value><string>a &lt;b&gt; &amp;&#38;&#x26; c</string></value>', 'a <b> &&& c'],
    ['<value>text without a type</value>', 'text without a type'],
    ['<value><string></string></value>', ''],
    ['<value><string/></value>', ''],
    ['<value><i8>-9007199254740991</i8></value>', -9007199254740991],
    ['<value><base64>Ynl0ZXM=</base64></value>', Buffer.from('bytes')],
    ['<value><array><data>\r\n<value><i4>1</i4></value>\r\n</data></array></value>', [1]],
    ['<value><array><data/></array></value>', []],
    ['<value><struct><member><name>k</name><value><i4>1</i4></value></member></struct></value>', { k: 1 }],
  ])('is read: %s', (value, expected) => {
    const xml = `<?xml version="1.0"?><methodResponse><params><param>${value}</param></params></methodResponse>`;
    expect(decodeAnswer(xml)).toEqual(expected);
  });

  test.each(['', 'no XML', '<methodResponse><params><param><value>', '<a></b>', '<methodResponse></methodResponse>'])(
    'is refused when it is not whole: %j',
    (xml) => {
      expect(() => decodeAnswer(xml)).toThrow('XML-RPC');
    },
  );
});

/** JSON-RPC came with 0.15.2. */
function hasJsonRpc(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major > 0 || minor > 15 || (minor === 15 && patch >= 2);
}
