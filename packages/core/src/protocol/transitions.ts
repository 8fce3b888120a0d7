// The state machines of both decoders as tables: what the code does, said once more so that tests can walk it
// and the documentation can print it. The decoders themselves do not read this.

import type { RequestState } from './request-decoder.js';
import type { ResponseState } from './response-decoder.js';

/** One move: in state `from`, `on` leads to state `to`. */
export interface Transition<State extends string, Input extends string> {
  readonly from: State;
  readonly on: Input;
  readonly to: State;
}

/** What moves a RequestDecoder. */
export type RequestInput =
  | 'digit'
  | 'colon'
  | 'byte of the netstring'
  | 'comma after a valid netstring'
  | 'comma after an invalid netstring'
  | 'impossible byte'
  | 'body byte'
  | 'whole body delivered'
  | 'byte after the body'
  | 'end of input';

/** Every move of a RequestDecoder. */
export const requestTransitions: readonly Transition<keyof typeof RequestState, RequestInput>[] = [
  { from: 'Start', on: 'digit', to: 'Length' },
  { from: 'Start', on: 'impossible byte', to: 'Failed' },
  { from: 'Start', on: 'end of input', to: 'Unused' },
  { from: 'Length', on: 'digit', to: 'Length' },
  { from: 'Length', on: 'colon', to: 'Head' },
  { from: 'Length', on: 'impossible byte', to: 'Failed' },
  { from: 'Length', on: 'end of input', to: 'Failed' },
  { from: 'Head', on: 'byte of the netstring', to: 'Head' },
  { from: 'Head', on: 'comma after a valid netstring', to: 'Body' },
  { from: 'Head', on: 'comma after an invalid netstring', to: 'Failed' },
  { from: 'Head', on: 'impossible byte', to: 'Failed' },
  { from: 'Head', on: 'end of input', to: 'Failed' },
  { from: 'Body', on: 'body byte', to: 'Body' },
  { from: 'Body', on: 'whole body delivered', to: 'Done' },
  { from: 'Body', on: 'end of input', to: 'Failed' },
  { from: 'Done', on: 'byte after the body', to: 'Done' },
  { from: 'Done', on: 'end of input', to: 'Done' },
];

/** What moves a ResponseDecoder. */
export type ResponseInput =
  | 'byte of the head'
  | 'empty line at once'
  | 'empty line at once, the request being HEAD'
  | 'empty line after an interim head'
  | 'empty line after a head with a known body length'
  | 'empty line after a head without one'
  | 'empty line after a 101 head'
  | 'empty line after an invalid head'
  | 'byte beyond a limit'
  | 'body byte'
  | 'tunnel byte'
  | 'whole body delivered'
  | 'byte after the body'
  | 'end of input';

/** Every move of a ResponseDecoder. */
export const responseTransitions: readonly Transition<keyof typeof ResponseState, ResponseInput>[] = [
  { from: 'Start', on: 'byte of the head', to: 'Head' },
  { from: 'Start', on: 'empty line at once', to: 'OpenBody' },
  { from: 'Start', on: 'empty line at once, the request being HEAD', to: 'CountedBody' },
  { from: 'Start', on: 'end of input', to: 'Failed' },
  { from: 'Head', on: 'byte of the head', to: 'Head' },
  { from: 'Head', on: 'empty line after an interim head', to: 'Start' },
  { from: 'Head', on: 'empty line after a head with a known body length', to: 'CountedBody' },
  { from: 'Head', on: 'empty line after a head without one', to: 'OpenBody' },
  { from: 'Head', on: 'empty line after a 101 head', to: 'Tunnel' },
  { from: 'Head', on: 'empty line after an invalid head', to: 'Failed' },
  { from: 'Head', on: 'byte beyond a limit', to: 'Failed' },
  { from: 'Head', on: 'end of input', to: 'Failed' },
  { from: 'CountedBody', on: 'body byte', to: 'CountedBody' },
  { from: 'CountedBody', on: 'whole body delivered', to: 'Done' },
  { from: 'CountedBody', on: 'end of input', to: 'Failed' },
  { from: 'OpenBody', on: 'body byte', to: 'OpenBody' },
  { from: 'OpenBody', on: 'end of input', to: 'Done' },
  { from: 'Tunnel', on: 'tunnel byte', to: 'Tunnel' },
  { from: 'Tunnel', on: 'end of input', to: 'Done' },
  { from: 'Done', on: 'byte after the body', to: 'Done' },
  { from: 'Done', on: 'end of input', to: 'Done' },
];
