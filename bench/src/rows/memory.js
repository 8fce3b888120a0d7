// How far the memory of the app process grows while a large body passes through it and one side is slow.
// A process per case, so that the kernel's record of its peak belongs to that case.

import { encodeRequest } from '@scgi/core/protocol';
import { startApp } from '../support/app.js';
import { exchange } from '../support/exchange.js';
import { startNginx } from '../support/nginx.js';
import { memoryMiB } from '../support/proc.js';
import { memoryGoalMiB } from '../goals.js';

const MiB = 1024 * 1024;

/** `via` is what the client speaks to, of which `front` is ours and is itself measured; node:http is there to compare with. */
const cases = [
  { app: 'scgi', direction: 'up', via: 'nginx' },
  { app: 'scgi', direction: 'up', via: 'socket' },
  { app: 'scgi', direction: 'down', via: 'nginx' },
  { app: 'scgi', direction: 'down', via: 'socket' },
  { app: 'scgi', direction: 'up', via: 'front' },
  { app: 'scgi', direction: 'down', via: 'front' },
  { app: 'http', direction: 'up', via: 'nginx' },
  { app: 'http', direction: 'down', via: 'nginx' },
].flatMap((one) => ['unix', 'tcp'].map((socket) => ({ ...one, socket })));

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureMemory(options, { folder, log }) {
  const results = [];
  for (const [index, one] of cases.entries()) {
    log(`${one.app} ${one.direction} over ${one.socket}, by ${one.via}`);
    results.push({ ...one, ...(await measure(one, options, { folder, path: `${folder}/app${index}.sock` })) });
  }
  return summarize(results, options);
}

async function measure({ app, direction, via, socket }, options, { folder, path }) {
  const backend = await startApp(`bodies-${app}`, socket === 'unix' ? path : undefined);
  const process = via === 'front' ? await startApp('front-gateway', undefined, backend.address) : backend;
  const pass = app === 'scgi' ? 'scgi' : 'close';
  const nginx = await startNginx(folder, [{ path: '/', pass, to: backend.address, buffering: false }]);
  const connectTo = via === 'nginx' ? { host: '127.0.0.1', port: nginx.port } : process.connectTo;
  const formatHead = via === 'socket' ? scgiHead : httpHead;
  const transfer = direction === 'up' ? upload : download;

  await transfer(connectTo, formatHead, { ...options, streamMiB: 1 });
  const before = memoryMiB(process.pid).current;
  const seconds = await transfer(connectTo, formatHead, options);
  const { peak } = memoryMiB(process.pid);
  await Promise.all([nginx.stop(), process.stop(), backend.stop()]);
  return { beforeMiB: before, peakMiB: peak, growthMiB: peak - before, seconds };
}

/** The application reads slowly. */
async function upload(connectTo, formatHead, { streamMiB, paceMiB }) {
  const bodyBytes = streamMiB * MiB;
  const head = formatHead('POST', `/count?pace=${paceMiB * MiB}`, bodyBytes);
  const { start, seconds } = await exchange(connectTo, head, { bodyBytes });
  if (!start.includes(`counted ${bodyBytes}\n`)) throw new Error(`upload was answered ${start}`);
  return seconds;
}

/** The client reads slowly. */
async function download(connectTo, formatHead, { streamMiB, paceMiB }) {
  const bodyBytes = streamMiB * MiB;
  const head = formatHead('GET', `/stream?bytes=${bodyBytes}`, 0);
  const { start, bytes, seconds } = await exchange(connectTo, head, { readBytesPerSecond: paceMiB * MiB });
  if (bytes < bodyBytes) throw new Error(`download ended after ${bytes} bytes: ${start}`);
  return seconds;
}

function httpHead(method, target, bodyBytes) {
  const length = bodyBytes > 0 ? `Content-Length: ${bodyBytes}\r\n` : '';
  return `${method} ${target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n${length}\r\n`;
}

function scgiHead(method, target, bodyBytes) {
  const variables = { REQUEST_METHOD: method, REQUEST_URI: target, SERVER_PROTOCOL: 'HTTP/1.1', HTTP_HOST: 'bench' };
  return encodeRequest(Object.entries(variables).flat(), bodyBytes);
}

function summarize(results, { streamMiB, paceMiB }) {
  return {
    title: `Memory of the app process in MiB while ${streamMiB} MiB pass, one side slowed to ${paceMiB} MiB/s (nginx unbuffered)`,
    head: ['server', 'direction', 'client at', 'socket', 'before', 'peak', 'growth', 'seconds'],
    rows: results.map((result) => [
      result.app === 'scgi' ? 'SCGI' : 'HTTP',
      result.direction,
      result.via,
      result.socket,
      ...[result.beforeMiB, result.peakMiB, result.growthMiB, result.seconds].map((figure) => figure.toFixed(1)),
    ]),
    goals: results
      .filter(({ app }) => app === 'scgi')
      .map(({ direction, via, socket, growthMiB }) => ({
        what: `${streamMiB} MiB ${direction}, client at ${via}, ${socket}: growth of memory`,
        value: `${growthMiB.toFixed(1)} MiB`,
        goal: `≤ ${memoryGoalMiB} MiB`,
        reached: growthMiB <= memoryGoalMiB,
      })),
    data: results,
  };
}
