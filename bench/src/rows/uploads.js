// How fast a large body gets through nginx into an application that counts its bytes.

import { startApp } from '../support/app.js';
import { exchange } from '../support/exchange.js';
import { startNginx } from '../support/nginx.js';
import { cpuSeconds } from '../support/proc.js';
import { uploadGoal } from '../goals.js';
import { median, spread } from './cells.js';

const MiB = 1024 * 1024;

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureUploads({ rounds, uploadMiB }, { folder, log }) {
  const cells = [false, true].flatMap((buffering) =>
    ['unix', 'tcp'].flatMap((socket) => ['scgi', 'close'].map((pass) => ({ buffering, socket, pass, rounds: [] }))),
  );
  for (const [index, cell] of cells.entries()) {
    const file = cell.pass === 'scgi' ? 'bodies-scgi' : 'bodies-http';
    cell.process = await startApp(file, cell.socket === 'unix' ? `${folder}/app${index}.sock` : undefined);
    cell.path = `/${index}/`;
  }
  const nginx = await startNginx(
    folder,
    cells.map(({ path, pass, buffering, process }) => ({ path, pass, buffering, to: process.address })),
  );

  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    log(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const cell of cells) {
      const figures = await upload(nginx, cell, uploadMiB);
      if (round > 0) cell.rounds.push(figures);
    }
  }
  await Promise.all([nginx.stop(), ...cells.map(({ process }) => process.stop())]);
  return summarize(cells, uploadMiB);
}

async function upload(nginx, { path, process }, mebibytes) {
  const bodyBytes = mebibytes * MiB;
  const head = `POST ${path}count HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
  const before = cpuSeconds(process.pid);
  const nginxBefore = nginx.workerCpuSeconds();
  const { start, seconds } = await exchange({ host: '127.0.0.1', port: nginx.port }, head, { bodyBytes });
  if (!start.includes(`counted ${bodyBytes}\n`)) throw new Error(`upload to ${path} was answered ${start}`);
  const cpu = cpuSeconds(process.pid) - before;
  const nginxBusy = (nginx.workerCpuSeconds() - nginxBefore) / seconds;
  return { perSecond: mebibytes / seconds, cpuPerGiB: (cpu * 1000 * 1024) / mebibytes, nginxBusy };
}

function summarize(cells, mebibytes) {
  const results = cells.map(({ buffering, socket, pass, rounds }) => ({
    buffering,
    socket,
    pass,
    mebibytesPerSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpuMillisecondsPerGiB: median(rounds.map(({ cpuPerGiB }) => cpuPerGiB)),
    nginxBusy: median(rounds.map(({ nginxBusy }) => nginxBusy)),
    rounds: rounds.map(({ perSecond }) => perSecond),
  }));
  const rows = [];
  const goals = [];
  for (let index = 0; index < results.length; index += 2) {
    const [scgi, http] = results.slice(index, index + 2);
    const ratio = scgi.mebibytesPerSecond / http.mebibytesPerSecond;
    const mode = scgi.buffering ? 'buffered' : 'unbuffered';
    rows.push([
      mode,
      scgi.socket,
      scgi.mebibytesPerSecond.toFixed(0),
      http.mebibytesPerSecond.toFixed(0),
      ratio.toFixed(2),
      spread(scgi.rounds, http.rounds)
        .map((bound) => bound.toFixed(2))
        .join('–'),
      scgi.cpuMillisecondsPerGiB.toFixed(0),
      http.cpuMillisecondsPerGiB.toFixed(0),
      (scgi.cpuMillisecondsPerGiB / http.cpuMillisecondsPerGiB).toFixed(2),
      [scgi, http].map(({ nginxBusy }) => `${(100 * nginxBusy).toFixed(0)}%`).join(' / '),
    ]);
    goals.push({
      what: `upload, ${mode}, ${scgi.socket}: throughput, SCGI ÷ HTTP`,
      value: ratio.toFixed(2),
      goal: `≥ ${uploadGoal}`,
      reached: ratio >= uploadGoal,
    });
  }
  return {
    title: `Uploads of ${mebibytes} MiB: MiB per second (median), then CPU time of the app process in ms per GiB,\nand how busy nginx's one worker was with SCGI / HTTP`,
    head: [
      'nginx',
      'socket',
      'SCGI',
      'HTTP',
      'SCGI÷HTTP',
      'by round',
      'SCGI CPU',
      'HTTP CPU',
      'SCGI÷HTTP',
      'nginx busy',
    ],
    rows,
    goals,
    data: results,
  };
}
