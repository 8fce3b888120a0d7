// The public face of the codecs: re-exports only.

export { parseContentLength } from './content-length.js';
export * from './errors.js';
export { isFieldValue, isToken } from './field-syntax.js';
export { reasonPhrase } from './reason-phrases.js';
export { RequestDecoder, RequestState } from './request-decoder.js';
export type { RequestEvent } from './request-decoder.js';
export { RequestRules } from './request-rules.js';
export type { RequestDecoderOptions } from './request-rules.js';
export { encodeRequest } from './request-encoder.js';
export { RequestHead } from './request-head.js';
export type { BodyLengthRule } from './request-head.js';
export { ResponseDecoder, ResponseState } from './response-decoder.js';
export type { ResponseDecoderOptions, ResponseEvent } from './response-decoder.js';
export { encodeResponseHead, formatResponseHead } from './response-encoder.js';
export { readResponseHead } from './response-head.js';
export type { ResponseHead, ResponseKind } from './response-head.js';
export { requestTransitions, responseTransitions } from './transitions.js';
export type { RequestInput, ResponseInput, Transition } from './transitions.js';
