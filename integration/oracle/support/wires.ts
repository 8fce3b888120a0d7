// The two wire formats, seen from the client: one request plan in, the bytes a client or a front end would send out.
// SCGI variables are those of nginx's stock scgi_params. Knows nothing of sockets.
import { parseHttpAnswer, parseScgiAnswer, type Answer, type Ending, type Field } from './answer.js';

/** A request, independent of the wire. Default: `GET /` with a Host field and no body. */
export interface RequestPlan {
  readonly method?: string;
  readonly target?: string;
  readonly protocol?: 'HTTP/1.0' | 'HTTP/1.1';
  /** Sent after `Host: example.test`, in this order. */
  readonly fields?: readonly Field[];
  /** Strings are sent as UTF-8. Announced by Content-Length, or by the chunked coding. */
  readonly body?: string | Uint8Array;
  /** HTTP: the chunked coding. SCGI: a front end has removed it, and knows the length. */
  readonly chunked?: boolean;
  /** The request asks for an upgrade of this protocol; otherwise the connection is closed after the answer. */
  readonly upgrade?: string;
  /** Bytes sent instead of the request: what breaks the wire format is particular to the wire. */
  readonly raw?: { readonly http: string; readonly scgi: string };
}

/** Addresses that the front end tells the application. */
export interface PeerFacts {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly serverPort: number;
}

export interface Wire {
  encodeHead(plan: RequestPlan, peer: PeerFacts): Buffer;
  encodeBody(plan: RequestPlan): Buffer;
  parseAnswer(bytes: Buffer, ending: Ending, method: string): Answer;
}

export const httpWire: Wire = {
  encodeHead(plan) {
    if (plan.raw !== undefined) return Buffer.from(plan.raw.http, 'latin1');
    const { method = 'GET', target = '/', protocol = 'HTTP/1.1' } = plan;
    const lines = [`${method} ${target} ${protocol}`, ...requestFields(plan).map((field) => field.join(': '))];
    if (plan.chunked === true) lines.push('Transfer-Encoding: chunked');
    if (plan.upgrade === undefined) lines.push('Connection: close');
    else lines.push('Connection: upgrade, close', `Upgrade: ${plan.upgrade}`);
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  },
  encodeBody(plan) {
    const body = Buffer.from(plan.body ?? '');
    if (plan.chunked !== true) return body;
    return Buffer.concat([Buffer.from(`${body.byteLength.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  },
  parseAnswer: parseHttpAnswer,
};

export const scgiWire: Wire = {
  encodeHead(plan, peer) {
    if (plan.raw !== undefined) return Buffer.from(plan.raw.scgi, 'latin1');
    const head = nginxVariables(plan, peer)
      .map((pair) => `${pair[0]}\0${pair[1]}\0`)
      .join('');
    return Buffer.from(`${head.length}:${head},`, 'latin1');
  },
  encodeBody: (plan) => Buffer.from(plan.body ?? ''),
  parseAnswer: parseScgiAnswer,
};

function requestFields(plan: RequestPlan): Field[] {
  const fields: Field[] = [['Host', 'example.test'], ...(plan.fields ?? [])];
  const announced = fields.some(([name]) => /^content-length$/i.test(name)) || plan.chunked === true;
  if (plan.body !== undefined && !announced) fields.push(['Content-Length', String(Buffer.byteLength(plan.body))]);
  return fields;
}

// The order and the empty values of nginx 1.22 with Debian's scgi_params: a repeated field is a repeated variable.
function nginxVariables(plan: RequestPlan, peer: PeerFacts): Field[] {
  const { method = 'GET', target = '/', protocol = 'HTTP/1.1' } = plan;
  const fields = requestFields(plan);
  const valueOf = (wanted: string): string => fields.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const length = valueOf('content-length') || String(Buffer.byteLength(plan.body ?? ''));
  const connection: Field[] =
    plan.upgrade === undefined
      ? [['Connection', 'close']]
      : [
          ['Connection', 'upgrade, close'],
          ['Upgrade', plan.upgrade],
        ];
  const chunked: Field[] = plan.chunked === true ? [['Transfer-Encoding', 'chunked']] : [];
  return [
    ['CONTENT_LENGTH', length],
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', target],
    ['QUERY_STRING', question < 0 ? '' : target.slice(question + 1)],
    ['CONTENT_TYPE', valueOf('content-type')],
    ['DOCUMENT_URI', path],
    ['DOCUMENT_ROOT', '/srv/www'],
    ['SCGI', '1'],
    ['SERVER_PROTOCOL', protocol],
    ['REQUEST_SCHEME', 'http'],
    ['REMOTE_ADDR', peer.remoteAddress],
    ['REMOTE_PORT', String(peer.remotePort)],
    ['SERVER_PORT', String(peer.serverPort)],
    ['SERVER_NAME', 'example.test'],
    ...[...fields, ...chunked, ...connection].map(variableOf),
  ];
}

function variableOf([name, value]: Field): Field {
  return [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value];
}
