// A Gemini request as handlers see it, whichever way it came: over TLS to the front, or from a Gemini server that
// speaks SCGI. Plain facts, and the news that the client has left.

import { RemoteProtocolError } from '@scgi/core';
import { decodePercent } from './percent.js';
import { parseGeminiUrl } from './url.js';
import type { GeminiUrl } from './url.js';

/** The certificate that the client showed. Nobody has vouched for it: what it proves is that it is the same client again. */
export interface ClientCertificate {
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly fingerprint: string;
  /** The subject's CN; undefined if it has none. */
  readonly commonName: string | undefined;
  readonly issuerCommonName: string | undefined;
  /** In hexadecimal. */
  readonly serialNumber: string | undefined;
  readonly notBefore: Date | undefined;
  readonly notAfter: Date | undefined;
}

/** What is known of the TLS connection. */
export interface TlsFacts {
  /** As OpenSSL writes it: TLSv1.3. */
  readonly version: string | undefined;
  readonly cipher: string | undefined;
}

/** What a request is made of. */
export interface RequestFacts {
  readonly url: GeminiUrl;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly certificate: ClientCertificate | undefined;
  readonly tls: TlsFacts | undefined;
  /** All variables, if the request came over SCGI; octets as latin1 characters. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly departure: Departure;
}

/** Facts that `GeminiRequest.for` can be given. */
export type GivenFacts = Partial<Omit<RequestFacts, 'url' | 'departure'>> & {
  readonly signal?: AbortSignal | undefined;
};

/** What the application shares with its handlers and backends. */
export type GeminiState = Record<string, unknown>;

export class GeminiRequest {
  /** The whole URL, checked, in ASCII. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The whole path, decoded. */
  readonly path: string;
  /** As it was sent, without the question mark; undefined without one. */
  readonly query: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly certificate: ClientCertificate | undefined;
  readonly tls: TlsFacts | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  /** The state of the application that handles it. */
  readonly state: GeminiState;
  readonly #facts: RequestFacts;
  readonly #depth: number;

  /** @param depth how many segments of the path are the mount point */
  constructor(facts: RequestFacts, depth: number = 0, state: GeminiState = {}) {
    const { url } = facts;
    this.url = url.text;
    this.host = url.host;
    this.port = url.port;
    this.path = `/${url.segments.join('/')}`;
    this.query = url.query;
    this.remoteAddress = facts.remoteAddress;
    this.remotePort = facts.remotePort;
    this.certificate = facts.certificate;
    this.tls = facts.tls;
    this.env = facts.env;
    this.state = state;
    this.#facts = facts;
    this.#depth = depth;
  }

  /**
   * A request that no connection brought, for `handle` in tests.
   * @throws {RemoteProtocolError} ERR_SCGI_GEMINI_REQUEST for what is no URL of Gemini
   */
  static for(url: string, facts: GivenFacts = {}): GeminiRequest {
    const parsed = parseGeminiUrl(url);
    if ('fault' in parsed) throw new RemoteProtocolError('ERR_SCGI_GEMINI_REQUEST', { fault: parsed.fault });
    const { remoteAddress, remotePort, certificate, tls, env } = facts;
    const departure = new Departure(facts.signal);
    return new GeminiRequest({ url: parsed, remoteAddress, remotePort, certificate, tls, env, departure });
  }

  /** What the user typed in answer to a prompt: the query, decoded. */
  get input(): string | undefined {
    return this.query === undefined ? undefined : decodePercent(this.query);
  }

  /** Where the handler is mounted, decoded: `/api`; empty at the root. */
  get scriptName(): string {
    return this.#facts.url.segments.slice(0, this.#depth).reduce((path, segment) => `${path}/${segment}`, '');
  }

  /** The path below that, decoded: `/users/1`; empty for the mount point itself. */
  get pathInfo(): string {
    return this.segments.reduce((path, segment) => `${path}/${segment}`, '');
  }

  /** The decoded segments below the mount point: a slash inside of one was escaped. */
  get segments(): readonly string[] {
    return this.#facts.url.segments.slice(this.#depth);
  }

  /** Aborted when the client leaves, or has waited too long, before it has the response. */
  get signal(): AbortSignal {
    return this.#facts.departure.signal;
  }

  /** The same request, for a handler that is mounted `depth` segments further down. */
  mounted(depth: number): GeminiRequest {
    return new GeminiRequest(this.#facts, this.#depth + depth, this.state);
  }

  /** The same request, for an application with this state. */
  withState(state: GeminiState): GeminiRequest {
    return state === this.state ? this : new GeminiRequest(this.#facts, this.#depth, state);
  }
}

/** The end of a request before its response; a signal is made only if somebody looks. */
export class Departure {
  readonly #given: AbortSignal | undefined;
  #controller: AbortController | undefined = undefined;
  #reason: Error | undefined = undefined;

  /** @param given a signal of somebody else's, in place of our own */
  constructor(given?: AbortSignal) {
    this.#given = given;
  }

  get signal(): AbortSignal {
    if (this.#given !== undefined) return this.#given;
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  announce(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
