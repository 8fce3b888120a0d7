// A Gemini response as handlers give it and middleware sees it: status, meta, body. Checked when it is made, so that what
// is sent is always well-formed. Knows no connection.

import { LocalProtocolError } from '@scgi/core';
import { discardBody, toReadable } from './body.js';
import type { GeminiBody } from './body.js';
import { findMetaFault, hasBody, isStatus } from './meta.js';

/** Status, meta and, for 2x, a body. */
export class GeminiResponse {
  readonly status: number;
  readonly meta: string;
  readonly body: GeminiBody | undefined;

  /** @throws {LocalProtocolError} ERR_SCGI_RESPONSE_FIELD for what no header can say, or for a body where none may be */
  constructor(status: number, meta: string, body?: GeminiBody) {
    const fault = isStatus(status) ? findMetaFault(status, meta) : 'the status is no integer from 10 to 69';
    if (fault !== undefined) throw new LocalProtocolError('ERR_SCGI_RESPONSE_FIELD', { status, fault });
    if (body !== undefined && !hasBody(status)) {
      throw new LocalProtocolError('ERR_SCGI_RESPONSE_FIELD', { status, fault: 'only 2x has a body' });
    }
    this.status = status;
    this.meta = meta;
    this.body = body;
  }

  /**
   * Reads the body, which can then not be sent any more. Empty if there is none.
   * @throws {LocalProtocolError} ERR_SCGI_BODY_USED; or what the body fails with
   */
  async bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    if (this.body === undefined) return Buffer.alloc(0);
    for await (const chunk of toReadable(this.body)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }

  /** As `bytes`, for text in UTF-8. */
  async text(): Promise<string> {
    return (await this.bytes()).toString('utf8');
  }

  /** Gives up the body of a response that will not be sent: what makes it can stop. */
  discard(): void {
    discardBody(this.body);
  }

  /** 20. */
  static success(body: GeminiBody, mediaType: string = 'text/gemini'): GeminiResponse {
    return new GeminiResponse(20, mediaType, body);
  }

  /** 10: asks for a line of text, which comes as the query; 11 for one that is not shown while it is typed. */
  static input(prompt: string, { sensitive = false }: { readonly sensitive?: boolean } = {}): GeminiResponse {
    return new GeminiResponse(sensitive ? 11 : 10, prompt);
  }

  /** 30, or 31 for good. */
  static redirect(url: string, { permanent = false }: { readonly permanent?: boolean } = {}): GeminiResponse {
    return new GeminiResponse(permanent ? 31 : 30, url);
  }

  /** 40: may work later. */
  static temporaryFailure(meta: string = 'Temporary failure'): GeminiResponse {
    return new GeminiResponse(40, meta);
  }

  /** 44. Version 0.16.1 of the specification has the seconds to wait as the meta. */
  static slowDown(seconds: number): GeminiResponse {
    return new GeminiResponse(44, String(seconds));
  }

  /** 50: will not work later either. */
  static permanentFailure(meta: string = 'Permanent failure'): GeminiResponse {
    return new GeminiResponse(50, meta);
  }

  /** 51. */
  static notFound(meta: string = 'Not found'): GeminiResponse {
    return new GeminiResponse(51, meta);
  }

  /** 52. */
  static gone(meta: string = 'Gone'): GeminiResponse {
    return new GeminiResponse(52, meta);
  }

  /** 59. */
  static badRequest(meta: string = 'Bad request'): GeminiResponse {
    return new GeminiResponse(59, meta);
  }

  /** 60: come back with a client certificate. */
  static certificateRequired(meta: string = 'Client certificate required'): GeminiResponse {
    return new GeminiResponse(60, meta);
  }

  /** 61: this certificate may not. */
  static certificateNotAuthorised(meta: string = 'Certificate not authorised'): GeminiResponse {
    return new GeminiResponse(61, meta);
  }

  /** 62: this certificate is expired, or no good otherwise. */
  static certificateNotValid(meta: string = 'Certificate not valid'): GeminiResponse {
    return new GeminiResponse(62, meta);
  }
}
