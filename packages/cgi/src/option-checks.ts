// The kinds of values that options have, for callers whose language checks nothing. What is refused here would fail at the
// first request, or pass for something else: a text where a list should be is a list of letters.

import { LocalProtocolError } from '@scgi/core/protocol';

/** A text that is not empty. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function checkText(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw refuse(option, value, 'write a text');
  return value;
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function checkTexts(option: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw refuse(option, value, 'write a list of texts');
  return value.map((text: unknown) => checkText(option, text));
}

/** False where it is not given. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function checkSwitch(option: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw refuse(option, value, 'write true or false');
  return value ?? false;
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function checkFunction<Given>(option: string, value: Given | undefined, fallback: Given): Given {
  if (value !== undefined && typeof value !== 'function') throw refuse(option, value, 'write a function');
  return value ?? fallback;
}

/** Values by name. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function checkRecord<Given>(option: string, value: Given): Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(option, value, 'write an object');
  }
  return value;
}

export function refuse(option: string, value: unknown, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, value: String(value), problem });
}
