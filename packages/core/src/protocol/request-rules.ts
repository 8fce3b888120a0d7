// How to read requests, as a caller says it and as the decoder uses it: checked once, not once per connection.

import { LocalProtocolError } from './errors.js';
import { defaultMaxHeadBytes, defaultMaxVariables, resolveLimit } from './limits.js';
import type { BodyLengthRule, HeadRules } from './request-head.js';

/** How to read requests. */
export interface RequestDecoderOptions {
  /** Largest request head in bytes (netstring payload). Default 131072. */
  readonly maxHeadBytes?: number | undefined;
  /** Most variables in a head. Default 1000. */
  readonly maxVariables?: number | undefined;
  /** Largest request body in bytes. Default: no limit. */
  readonly maxBodyBytes?: number | undefined;
  /** The specification to the letter: CONTENT_LENGTH first, no name twice, no `bodyLength` rule. Default false. */
  readonly strict?: boolean | undefined;
  /** Accept a missing SCGI variable and a missing or empty CONTENT_LENGTH, as hand-made clients send. Default false. */
  readonly lax?: boolean | undefined;
  /** Decides the body length for front ends that misstate it. Default: CONTENT_LENGTH, contradictory ones refused. */
  readonly bodyLength?: BodyLengthRule | undefined;
  /** The variable without which `bodyLength` need not be asked. Default: it is asked for every head. */
  readonly bodyLengthWitness?: string | undefined;
}

/** Options that were checked and completed. */
export class RequestRules implements HeadRules {
  readonly maxHeadBytes: number;
  readonly maxVariables: number;
  readonly maxBodyBytes: number;
  readonly strict: boolean;
  readonly lax: boolean;
  readonly bodyLength: BodyLengthRule | undefined;
  readonly bodyLengthWitness: string | undefined;

  /** @throws LocalProtocolError ERR_SCGI_OPTION for an impossible limit, or `strict` together with `lax` */
  constructor(options: RequestDecoderOptions = {}) {
    const { strict = false, lax = false, maxBodyBytes = Infinity } = options;
    if (strict && lax) throw new LocalProtocolError('ERR_SCGI_OPTION', { strict, lax });
    this.maxHeadBytes = resolveLimit('maxHeadBytes', options.maxHeadBytes, defaultMaxHeadBytes, 1);
    this.maxVariables = resolveLimit('maxVariables', options.maxVariables, defaultMaxVariables, 1);
    this.maxBodyBytes = maxBodyBytes === Infinity ? Infinity : resolveLimit('maxBodyBytes', maxBodyBytes, Infinity, 0);
    this.strict = strict;
    this.lax = lax;
    this.bodyLength = options.bodyLength;
    this.bodyLengthWitness = options.bodyLengthWitness;
  }
}
