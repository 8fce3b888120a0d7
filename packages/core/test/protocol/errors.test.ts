import { describe, expect, test } from 'vitest';
import {
  AbortError,
  BackendError,
  errorCatalogue,
  LocalProtocolError,
  RemoteProtocolError,
  ScgiError,
} from '../../src/protocol/index.js';

describe('an error', () => {
  test('says in its message what happened and to what', () => {
    const error = new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { value: '+3', fault: undefined });
    expect(error.message).toBe('CONTENT_LENGTH is missing, malformed or contradictory (value "+3")');
    expect(error).toMatchObject({ code: 'ERR_SCGI_CONTENT_LENGTH', statusHint: 400, details: { value: '+3' } });
  });

  test('needs no details, and keeps its cause', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new BackendError('ERR_SCGI_BACKEND_UNREACHABLE', {}, { cause });
    expect(error.message).toBe('no connection to the SCGI backend');
    expect(error.cause).toBe(cause);
  });

  test.each([
    ['RemoteProtocolError', new RemoteProtocolError('ERR_SCGI_TLS')],
    ['LocalProtocolError', new LocalProtocolError('ERR_SCGI_STATE')],
    ['BackendError', new BackendError('ERR_SCGI_BACKEND_RESET')],
    ['AbortError', new AbortError('ERR_SCGI_CLIENT_GONE')],
  ])('is a ScgiError and carries the name of its class: %s', (name, error) => {
    expect(error).toBeInstanceOf(ScgiError);
    expect(error.name).toBe(name);
    expect(String(error)).toBe(`${name}: ${error.message}`);
  });
});

test.each(Object.entries(errorCatalogue))('%s has a blame, an error status and a message', (code, definition) => {
  expect(code).toMatch(/^ERR_SCGI_[A-Z_]+$/);
  expect(['remote', 'local', 'backend', 'abort']).toContain(definition.blame);
  expect(definition.statusHint).toBeGreaterThanOrEqual(400);
  expect(definition.statusHint).toBeLessThan(600);
  expect(definition.message).toMatch(/^\S.*[^.]$/);
});
