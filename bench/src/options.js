// The command line of the benchmark, resolved into one object. Knows the names of the rows, not what they do.

import { parseArgs } from 'node:util';

export const usage = `Usage: npm run bench -- [options]

  --only=<row>    Only this row; may be repeated or hold commas. Default: all of
                  bare, express, koa, fastify, fetch-hono, fetch-srvx, ssgi (requests),
                  fronts, client, cgi, cgi2scgi, serve-cgi, uploads, memory,
                  idle, decode.
  --rounds=<n>    Rounds of interleaved measurements. Default 6.
  --requests=<n>  Requests per cell and round. Default 10000.
  --quick         2 rounds, fewer requests, smaller bodies: says whether the harness works, not how fast we are.
  --help          This text.
`;

/** How much is measured unless the command line says otherwise. */
const full = {
  rounds: 6,
  requests: 10_000,
  warmUp: 6000,
  uploadMiB: 256,
  streamMiB: 1024,
  paceMiB: 200,
  idleConnections: 10_000,
  cgiRequests: 2000,
};
const quick = {
  rounds: 2,
  requests: 3000,
  warmUp: 1000,
  uploadMiB: 64,
  streamMiB: 128,
  paceMiB: 100,
  idleConnections: 1000,
  cgiRequests: 400,
};

/**
 * @param {string[]} args
 * @param {readonly string[]} rowNames every name that `--only` may take
 * @returns {{ help: boolean, quick: boolean, only: Set<string>, rounds: number, requests: number, warmUp: number,
 *   uploadMiB: number, streamMiB: number, paceMiB: number, idleConnections: number, cgiRequests: number }} sizes in MiB, pace in MiB per second
 * @throws TypeError for an option or a row that does not exist
 */
export function readOptions(args, rowNames) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      requests: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const only = new Set(values.only?.flatMap((names) => names.split(',')) ?? rowNames);
  for (const name of only) {
    if (!rowNames.includes(name)) throw new TypeError(`--only=${name}: there are ${rowNames.join(', ')}`);
  }
  const amounts = values.quick ? quick : full;
  return {
    help: values.help,
    quick: values.quick,
    only,
    ...amounts,
    rounds: count('rounds', values.rounds, amounts.rounds),
    requests: count('requests', values.requests, amounts.requests),
  };
}

function count(name, text, fallback) {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new TypeError(`--${name}=${text}: a whole number from 1 is needed`);
  return number;
}
