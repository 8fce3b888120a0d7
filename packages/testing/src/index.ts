export { createFront } from './front.js';
export type { Front, FrontOptions } from './front.js';
export { inject, injectStream } from './inject/inject.js';
export type { InjectableApp, InjectOptions } from './inject/inject.js';
export type { InjectedRequest, StreamedBody } from './inject/request.js';
export type { InjectedHead, InjectedResponse, StreamedResponse } from './inject/response.js';
export { missing, neverAccept, perConnection, refuse } from './mock-backend/behaviour.js';
export type { MockBehaviour } from './mock-backend/behaviour.js';
export type { MockConnection, MockEnding } from './mock-backend/connection.js';
export { mockBackend } from './mock-backend/mock-backend.js';
export type { MockBackend, MockBackendOptions } from './mock-backend/mock-backend.js';
export {
  answer,
  answerBytes,
  close,
  closeBeforeReading,
  drip,
  end,
  endAt,
  exit,
  exitAfter,
  gate,
  readSlowly,
  receive,
  receiveBody,
  receiveHead,
  reset,
  resetAt,
  send,
  sendRepeatedly,
  stall,
  stallAt,
  stallDeaf,
} from './mock-backend/steps.js';
export type { AnswerParts, Script, ScriptBytes, Step } from './mock-backend/steps.js';
export { rawRequest } from './raw-client.js';
export type { RawRequestOptions, RawRequestParts } from './raw-client.js';
export { openRaw, RawConnection } from './raw-connection.js';
export type { RawBytes, RawConnectionOptions, RawVariables } from './raw-connection.js';
export type { RawResponse } from './raw-response.js';
