// The clients among the faces: Backend, scgi(), ScgiClient, createScgiFetch.

import type { ScgiRequestOptions, ScgiResponse } from '@scgi/client';
import { createScgiFetch, scgi, ScgiClient } from '@scgi/client';
import type { Call, ExchangeHandler } from '@scgi/client/exchange';
import { Backend } from '@scgi/client/exchange';
import type { ResponseHead, ScgiError } from '@scgi/core/protocol';
import { codeOf, type Asked, type Face, type FaceOptions, type OpenFace, type Outcome } from './face.js';

const variables = ['REQUEST_METHOD', '', 'REQUEST_URI', '/asked?x=1', 'SERVER_PROTOCOL', 'HTTP/1.1'];

/** One call, from its start to its end. */
class Caller implements ExchangeHandler<ResponseHead> {
  readonly outcome: Promise<Outcome>;
  readonly #body: Uint8Array;
  readonly #onFirstBytes: Asked['onFirstBytes'];
  readonly #settle: (outcome: Outcome) => void;
  #call: Call<ResponseHead> | undefined;
  #status: number | undefined;
  #received: string;
  #sent: number;

  constructor(backend: Backend, { method, body, signal, onFirstBytes }: Asked) {
    this.#onFirstBytes = onFirstBytes;
    this.#body = method === 'POST' ? body : new Uint8Array(0);
    this.#status = undefined;
    this.#received = '';
    this.#sent = 0;
    let settle: (outcome: Outcome) => void = () => {};
    this.outcome = new Promise((resolve) => (settle = resolve));
    this.#settle = settle;
    const request = { method, variables: variables.with(1, method), bodyLength: this.#body.length };
    try {
      this.#call = backend.open(request, this);
    } catch (error) {
      this.#finish([codeOf(error)]);
    }
    signal?.addEventListener('abort', () => {
      this.#call?.destroy();
      this.#finish([]);
    });
  }

  onConnect(): void {
    this.onDrain();
  }

  onDrain(): void {
    for (let more = true; more && this.#sent < this.#body.length;) {
      const piece = this.#body.subarray(this.#sent, this.#sent + 65_536);
      this.#sent += piece.length;
      more = this.#call?.write(piece) ?? false;
    }
  }

  onHead(head: ResponseHead): void {
    this.#status = head.status;
  }

  onBody(data: Uint8Array): boolean {
    if (this.#received === '') this.#onFirstBytes?.();
    this.#received += Buffer.from(data).toString('latin1');
    return true;
  }

  onEnd(): void {
    this.#settle({ status: this.#status, body: this.#received, broken: false, codes: [] });
  }

  onError(error: ScgiError): void {
    this.#finish([error.code]);
  }

  #finish(codes: readonly string[]): void {
    this.#settle({ status: this.#status, body: this.#received, broken: true, codes });
  }
}

async function openBackend(target: string, options: FaceOptions): Promise<OpenFace> {
  const backend = new Backend(target, options);
  return {
    ask: (asked) => new Caller(backend, asked).outcome,
    close: async () => backend.close(),
  };
}

/** What a request says, for those who take it in these words. */
function requestOf({ method, body, signal }: Asked): Omit<ScgiRequestOptions, 'raw'> {
  return { method, path: '/asked', query: { x: 1 }, body: method === 'POST' ? body : undefined, signal };
}

/** Reads an answer to its end, good or bad. */
async function read(answered: Promise<ScgiResponse>, { onFirstBytes }: Asked): Promise<Outcome> {
  let status: number | undefined;
  let received = '';
  try {
    const response = await answered;
    ({ status } = response);
    for await (const chunk of response.body.setEncoding('latin1')) {
      if (received === '') onFirstBytes?.();
      received += chunk;
    }
  } catch (error) {
    return { status, body: received, broken: true, codes: [codeOf(error)] };
  }
  return { status, body: received, broken: false, codes: [] };
}

async function openClient(target: string, options: FaceOptions): Promise<OpenFace> {
  const client = new ScgiClient(target, options);
  return {
    ask: (asked) => read(client.request(requestOf(asked)), asked),
    close: async () => client.close(),
  };
}

/** A client of its own for every request. */
async function openFunction(target: string, options: FaceOptions): Promise<OpenFace> {
  return {
    ask: (asked) => read(scgi(new ScgiClient(target, options), requestOf(asked)), asked),
    close: async () => {},
  };
}

async function openFetch(target: string, options: FaceOptions): Promise<OpenFace> {
  const client = new ScgiClient(target, options);
  const ask = createScgiFetch(client);
  return {
    ask: async ({ method, body, signal = null, onFirstBytes }) => {
      let status: number | undefined;
      let received = '';
      try {
        const response = await ask('/asked?x=1', { method, body: method === 'POST' ? body : null, signal });
        ({ status } = response);
        for await (const chunk of response.body ?? []) {
          if (received === '') onFirstBytes?.();
          received += Buffer.from(chunk).toString('latin1');
        }
      } catch (error) {
        // As with every fetch, the cause of a TypeError says what has happened.
        const cause = error instanceof TypeError ? error.cause : error;
        return { status, body: received, broken: true, codes: [codeOf(cause)] };
      }
      return { status, body: received, broken: false, codes: [] };
    },
    close: async () => client.close(),
  };
}

export const clients: readonly Face[] = [
  { name: 'Backend', kind: 'client', open: openBackend },
  { name: 'ScgiClient', kind: 'client', open: openClient },
  { name: 'scgi()', kind: 'client', perRequest: true, open: openFunction },
  { name: 'createScgiFetch', kind: 'client', open: openFetch },
];
