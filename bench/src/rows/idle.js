// What an open, silent connection costs the app process in memory: event streams and WebSockets, straight at its socket.
// A process per case. The client is this process.

import { connect } from 'node:net';
import { encodeRequest } from '@scgi/core/protocol';
import { startApp } from '../support/app.js';
import { within } from '../support/deadline.js';
import { memoryMiB } from '../support/proc.js';
import { idleGoal } from '../goals.js';

const KiB_PER_MiB = 1024;
/** Opened at the same time: more would overrun the listen queue. */
const AT_ONCE = 200;
const WARM_UP = 500;

const cases = ['unix', 'tcp'].flatMap((socket) =>
  ['event stream', 'WebSocket'].flatMap((kind) => ['scgi', 'http'].map((app) => ({ socket, kind, app }))),
);

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureIdle({ idleConnections }, { folder, log }) {
  const results = [];
  for (const [index, one] of cases.entries()) {
    log(`${idleConnections} ${one.kind}s, ${one.app} over ${one.socket}`);
    const path = one.socket === 'unix' ? `${folder}/app${index}.sock` : undefined;
    results.push({ ...one, kibibytes: await measure(one, idleConnections, path) });
  }
  return summarize(results, idleConnections);
}

async function measure({ app, kind }, count, path) {
  const process = await startApp(`idle-${app}`, path);
  const request = requestOf(app, kind);
  // Code and pools that come with the first connections are not theirs.
  const sockets = await open(process.connectTo, request, WARM_UP);
  const before = memoryMiB(process.pid).current;
  sockets.push(...(await open(process.connectTo, request, count)));
  const after = memoryMiB(process.pid).current;
  for (const socket of sockets) socket.destroy();
  await process.stop();
  return ((after - before) * KiB_PER_MiB) / count;
}

async function open(connectTo, request, count) {
  const sockets = [];
  while (sockets.length < count) {
    const batch = Math.min(AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => openOne(connectTo, request)))));
  }
  return sockets;
}

function openOne(connectTo, request) {
  const answered = new Promise((resolve, reject) => {
    const socket = connect(connectTo, () => socket.write(request));
    socket.once('data', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('an idle connection was closed')));
  });
  return within(10_000, 'the answer on an idle connection', answered);
}

function requestOf(app, kind) {
  const fields =
    kind === 'WebSocket'
      ? {
          Host: 'bench',
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw==',
        }
      : { Host: 'bench' };
  if (app === 'http') {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET / HTTP/1.1\r\n${lines.join('')}\r\n`;
  }
  const variables = Object.entries(fields).flatMap(([name, value]) => [
    `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  return encodeRequest(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', 'SERVER_PROTOCOL', 'HTTP/1.1', ...variables], 0);
}

function summarize(results, count) {
  const rows = [];
  const goals = [];
  for (let index = 0; index < results.length; index += 2) {
    const [scgi, http] = results.slice(index, index + 2);
    const ratio = scgi.kibibytes / http.kibibytes;
    rows.push([scgi.kind, scgi.socket, scgi.kibibytes.toFixed(1), http.kibibytes.toFixed(1), ratio.toFixed(2)]);
    goals.push({
      what: `${count} idle ${scgi.kind}s, ${scgi.socket}: memory per connection, SCGI ÷ HTTP`,
      value: ratio.toFixed(2),
      goal: `≤ ${idleGoal}`,
      reached: ratio <= idleGoal,
    });
  }
  return {
    title: `Memory of the app process per idle connection in KiB (${count.toLocaleString('en')} connections)`,
    head: ['connection', 'socket', 'SCGI', 'HTTP', 'SCGI÷HTTP'],
    rows,
    goals,
    data: results,
  };
}
