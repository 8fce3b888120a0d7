// Every recorded request, read back: the application must see the HTTP request that the client sent,
// up to what the front end itself changed. Those changes are listed below, each with its front end.

import { describe, expect, it } from 'vitest';
import { readRequest, resolveBodyLength } from '../../src/env/index.js';
import { RequestDecoder } from '../../src/protocol/index.js';
import { type Capture, loadCaptures } from '../support/captures.js';

type Fields = Map<string, string>;

/** Something that happened to the fields between the client and us. */
interface Change {
  readonly frontEnd: Capture['frontEnd'] | 'any';
  readonly what: string;
  readonly apply: (fields: Fields, capture: Capture) => void;
}

const changes: readonly Change[] = [
  {
    frontEnd: 'any',
    what: 'fields about the connection to the client go no further, unless it can be upgraded',
    apply(fields, { frontEnd }) {
      for (const name of ['expect', 'keep-alive', 'proxy', 'te', 'trailer', 'transfer-encoding']) fields.delete(name);
      const upgrades = /\bupgrade\b/i.test(fields.get('connection') ?? '') && fields.has('upgrade');
      if (upgrades && frontEnd !== 'apache') return;
      fields.delete('connection');
      fields.delete('upgrade');
    },
  },
  {
    frontEnd: 'nginx',
    what: 'Host is the name of the server that serves it, in lower case and without a port',
    apply(fields) {
      fields.set('host', (fields.get('host') ?? 'example.com').toLowerCase().replace(/:[0-9]+$/, ''));
    },
  },
  {
    frontEnd: 'nginx',
    what: 'a name with an underscore is dropped, or with underscores_in_headers on, the same as one with a hyphen',
    apply(fields, { config }) {
      if (config.includes('underscores_in_headers on')) hyphenate(fields);
      else dropUnderscores(fields);
    },
  },
  {
    frontEnd: 'apache',
    what: 'a name with an underscore is dropped',
    apply: dropUnderscores,
  },
  {
    frontEnd: 'apache',
    what: 'credentials are dropped, Authorization unless CGIPassAuth is on',
    apply(fields, { config }) {
      fields.delete('proxy-authorization');
      if (!config.includes('CGIPassAuth On')) fields.delete('authorization');
    },
  },
  {
    frontEnd: 'apache',
    what: 'several Cookie fields are joined with a comma',
    apply(fields, { sent }) {
      const cookies = sent.fields.filter((_, index) => sent.fields[index - 1]?.toLowerCase() === 'cookie');
      if (cookies.length > 1) fields.set('cookie', cookies.join(', '));
    },
  },
  {
    frontEnd: 'apache',
    what: 'the host of an absolute form or of CONNECT replaces the Host field',
    apply(fields, { sent }) {
      const authority = /^(?:https?:\/\/)?([^/]+)/.exec(sent.target)?.[1];
      if (authority !== undefined && !sent.target.startsWith('/')) fields.set('host', authority);
    },
  },
  {
    frontEnd: 'lighttpd',
    what: 'Host is in lower case',
    apply(fields) {
      const host = fields.get('host');
      if (host !== undefined) fields.set('host', host.toLowerCase());
    },
  },
  {
    frontEnd: 'lighttpd',
    what: 'every other character of a name than a letter or a digit is the same as a hyphen',
    apply: hyphenate,
  },
  {
    frontEnd: 'lighttpd',
    what: 'a field without a value is dropped',
    apply(fields) {
      for (const [name, value] of fields) if (value === '') fields.delete(name);
    },
  },
  {
    frontEnd: 'any',
    what: 'a body whose length the client did not announce has been measured',
    apply(fields, { sent }) {
      if (sent.bodyLength > 0) fields.set('content-length', String(sent.bodyLength));
    },
  },
];

const captures = loadCaptures();

describe.each(captures.map((capture) => [capture.name, capture] as const))('%s', (_, capture) => {
  const { sent } = capture;
  const { variables, bodyLength, body } = decode(capture.bytes);
  const request = readRequest(variables, bodyLength);

  it('has the method and the target that the client sent', () => {
    expect(request.method).toBe(sent.method);
    expect(request.target).toBe(sent.target.replace(/^https?:\/\/[^/]+/, ''));
    expect(request.httpVersionMinor).toBe(sent.httpVersion === '1.0' ? 0 : 1);
  });

  it('has the fields that the client sent and the front end passed on', () => {
    expect(Object.fromEntries(joinFields(request.fields))).toEqual(Object.fromEntries(expectedFields(capture)));
  });

  it('has the body that the client sent', () => {
    expect(bodyLength).toBe(sent.bodyLength);
    expect(body.equals(sent.body)).toBe(true);
    if (!capture.cut) expect(body.length).toBe(bodyLength);
  });

  it('knows the client, and whether it spoke TLS', () => {
    expect(request.remoteAddress).toBe(capture.name.endsWith('ipv6-client') ? '::1' : '127.0.0.1');
    expect(request.remotePort).toBeGreaterThan(1023);
    expect(request.encrypted).toBe(capture.config.startsWith('TLS'));
  });
});

it('lists no change that no recording shows', () => {
  const idle = changes.filter(({ frontEnd, apply }) =>
    captures.every((capture) => {
      if (frontEnd !== 'any' && frontEnd !== capture.frontEnd) return true;
      const fields = joinFields(capture.sent.fields);
      const before = [...fields];
      apply(fields, capture);
      return JSON.stringify(before) === JSON.stringify([...fields]);
    }),
  );
  expect(idle.map(({ what }) => what)).toEqual([]);
});

function decode(bytes: Buffer): { variables: readonly string[]; bodyLength: number; body: Buffer } {
  const decoder = new RequestDecoder({ bodyLength: resolveBodyLength });
  decoder.receiveData(bytes);
  const event = decoder.nextEvent();
  if (event?.type !== 'head') throw new Error('no head');
  const body: Uint8Array[] = [];
  for (let next = decoder.nextEvent(); next?.type === 'body'; next = decoder.nextEvent()) body.push(next.data);
  const { variables, bodyLength } = event.head;
  return { variables, bodyLength, body: Buffer.concat(body) };
}

function expectedFields(capture: Capture): Fields {
  const fields = joinFields(capture.sent.fields);
  for (const { frontEnd, apply } of changes) {
    if (frontEnd === 'any' || frontEnd === capture.frontEnd) apply(fields, capture);
  }
  return fields;
}

// Repeated fields as one, as Node shows them to the application.
function joinFields(list: readonly string[]): Fields {
  const fields: Fields = new Map();
  for (let index = 0; index < list.length; index += 2)
    add(fields, (list[index] ?? '').toLowerCase(), list[index + 1] ?? '');
  return fields;
}

function add(fields: Fields, name: string, value: string): void {
  const earlier = fields.get(name);
  fields.set(name, earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`);
}

function dropUnderscores(fields: Fields): void {
  for (const name of fields.keys()) if (name.includes('_')) fields.delete(name);
}

function hyphenate(fields: Fields): void {
  const before = [...fields];
  fields.clear();
  for (const [name, value] of before) add(fields, name.replace(/[^a-z0-9]/g, '-'), value);
}
