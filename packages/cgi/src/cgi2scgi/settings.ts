// How the program is configured: one line of words, the server's address and options, from the web server's
// configuration or from the `#!` line of the program. Never from a client. Reads nothing but what it is given.

import { parseTarget } from '@scgi/client/exchange';
import { LocalProtocolError } from '@scgi/core/protocol';
import { isAbsolute } from 'node:path';
import { toOctets } from '../octets.js';

/** Times in milliseconds, 0 for none. */
export interface Cgi2ScgiSettings {
  readonly target: string;
  /** How long to try again while the server is away. Default 10,000. */
  readonly retryFor: number;
  /** Until the server has accepted the connection. Default 5,000. */
  readonly connectTimeout: number;
  /** From the last byte of the request to the first one of the answer. Default 60,000. */
  readonly firstByteTimeout: number;
  /** Without a byte moving inside a body. Default 60,000. */
  readonly idleTimeout: number;
  /** Names of further variables to pass on. Default none. */
  readonly pass: readonly string[];
  /** Absolute path of a program that starts the server. Default none. */
  readonly start: string | undefined;
}

/** Longest time a Node timer can wait. */
const MAX_TIME_MS = 2_147_483_647;
/** sizeof(sun_path) less the final NUL: unix(7), unix(4). Node before 24 cuts a longer path without a word. */
const maxPathBytes = process.platform === 'linux' ? 107 : 103;
const nameList = /^\w+\*?(?:,\w+\*?)*$/;

/**
 * Where the settings come from: SCGI_TO, which a client cannot set (its variables begin with HTTP_), else the first
 * argument. Everything behind that is the script's path, and perhaps the client's.
 * @param env octets, by name
 * @param args those behind the program's own name
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function readSettings(env: ReadonlyMap<string, string>, args: readonly string[]): Cgi2ScgiSettings {
  const configured = Buffer.from(env.get('SCGI_TO') ?? '', 'latin1').toString();
  const [first = ''] = args;
  if (configured !== '') return parseSettings(configured);
  return parseSettings(isFromQuery(toOctets(first), env.get('QUERY_STRING') ?? '') ? '' : first);
}

/**
 * RFC 3875 §4.4: a query without "=" is cut at each "+" and becomes arguments, so a client could say where to connect
 * (php-cgi was taken over that way, CVE-2012-1823). They stand behind all others: if the first argument is the first
 * word of the query, there are no others. Apache puts backslashes before some characters; they do not count here.
 */
function isFromQuery(argument: string, query: string): boolean {
  if (query === '' || query.includes('=')) return false;
  const [word = ''] = query.split('+', 1);
  const octets = word.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  const [asArgument = ''] = octets.split('\0', 1);
  return asArgument.replaceAll('\\', '') === argument.replaceAll('\\', '');
}

/** `unix:/home/me/app.sock --retry-for=5000`: Linux passes all that stands behind the interpreter as one argument. */
function parseSettings(line: string): Cgi2ScgiSettings {
  let target: string | undefined;
  const times = { 'retry-for': 10_000, 'connect-timeout': 5000, 'first-byte-timeout': 60_000, 'idle-timeout': 60_000 };
  let pass: readonly string[] = [];
  let start: string | undefined;
  for (const word of line.split(/[ \t\r\n]+/)) {
    if (word === '') continue;
    if (!word.startsWith('--') && target === undefined) {
      target = checkTarget(word);
      continue;
    }
    const [, name = '', value = ''] = /^--([a-z-]+)=(.*)$/.exec(word) ?? [];
    if (isTime(name, times)) times[name] = parseTime(word, value);
    else if (name === 'pass') pass = parseNames(word, value);
    else if (name === 'start') start = parsePath(word, value);
    else throw refuse(word, 'there is no such option');
  }
  if (target === undefined) throw refuse('SCGI_TO', 'nothing says where the SCGI server is');
  return {
    target,
    retryFor: times['retry-for'],
    connectTimeout: times['connect-timeout'],
    firstByteTimeout: times['first-byte-timeout'],
    idleTimeout: times['idle-timeout'],
    pass,
    start,
  };
}

function checkTarget(word: string): string {
  // Read here for its errors; the backend reads it again.
  const { connect } = parseTarget(word);
  if ('path' in connect && Buffer.byteLength(connect.path) > maxPathBytes) {
    throw new LocalProtocolError('ERR_SCGI_OPTION', {
      target: word,
      problem: 'the path is too long for a socket address',
    });
  }
  return word;
}

function isTime<Times extends object>(name: string, times: Times): name is keyof Times & string {
  return Object.hasOwn(times, name);
}

function parseTime(word: string, value: string): number {
  const time = /^[0-9]{1,10}$/.test(value) ? Number(value) : Infinity;
  if (time > MAX_TIME_MS) throw refuse(word, 'not a number of milliseconds');
  return time;
}

function parseNames(word: string, value: string): string[] {
  if (!nameList.test(value)) throw refuse(word, 'not a list of names');
  return value.split(',');
}

function parsePath(word: string, value: string): string {
  if (!isAbsolute(value)) throw refuse(word, 'not an absolute path');
  return value;
}

function refuse(option: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, problem });
}
