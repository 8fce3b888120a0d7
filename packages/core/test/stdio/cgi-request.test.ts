// The head that is made of an environment: the bytes that an SCGI front end would have sent.

import { describe, expect, it } from 'vitest';
import { RequestDecoder, RemoteProtocolError, type RequestEvent } from '../../src/protocol/index.js';
import { ProcessVariables } from '../../src/env/process-variables.js';
import { toCgiRequest } from '../../src/stdio/cgi-request.js';

const known = new ProcessVariables();
const textOf = (environment: readonly string[]): string =>
  Buffer.from(toCgiRequest(environment, known).head).toString('latin1');
const decode = (environment: readonly string[]): RequestEvent | null => {
  const decoder = new RequestDecoder();
  decoder.receiveData(toCgiRequest(environment, known).head);
  return decoder.nextEvent();
};

describe('the head made of an environment', () => {
  it('has the length first, then SCGI, then the variables of the request', () => {
    const environment = ['PATH', '/bin', 'REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', '5', 'REQUEST_URI', '/x'];
    expect(textOf(environment)).toBe('59:CONTENT_LENGTH\x005\0SCGI\x001\0REQUEST_METHOD\0POST\0REQUEST_URI\0/x\0,');
    expect(toCgiRequest(environment, known).bodyLength).toBe(5);
  });

  it('keeps octets as they are', () => {
    expect(decode(['REQUEST_METHOD', 'GET', 'HTTP_X', 'caf\xe9'])).toMatchObject({
      head: { variables: ['CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', 'HTTP_X', 'caf\xe9'] },
    });
  });

  it.each([[[]], [['CONTENT_LENGTH', '']]])('says 0 for no length, as RFC 3875 §4.1.2 has it: %j', (environment) => {
    expect(textOf(environment)).toContain('CONTENT_LENGTH\x000\0');
    expect(toCgiRequest(environment, known).bodyLength).toBe(0);
  });

  it.each(['-1', '+5', '5.0', '0x5', ' 5', '5 ', '1e3', '99999999999999999999'])(
    'leaves the length %j to the decoder, which refuses it',
    (length) => {
      expect(() => decode(['CONTENT_LENGTH', length])).toThrow(RemoteProtocolError);
      expect(toCgiRequest(['CONTENT_LENGTH', length], known).bodyLength).toBe(Infinity);
    },
  );

  it('does not take a body that came to Apache in chunks for an empty one', () => {
    const environment = ['REQUEST_METHOD', 'POST', 'HTTP_TRANSFER_ENCODING', 'chunked'];
    expect(() => decode(environment)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_LENGTH_REQUIRED' }));
    expect(toCgiRequest(environment, known).bodyLength).toBe(Infinity);
  });

  it('has a length that the client stated only where the web server agrees: nothing else comes on the input', () => {
    expect(textOf(['CONTENT_LENGTH', '5', 'HTTP_CONTENT_LENGTH', '5'])).toContain('HTTP_CONTENT_LENGTH\x005');
    expect(textOf(['CONTENT_LENGTH', '5', 'HTTP_CONTENT_LENGTH', '500'])).not.toContain('HTTP_CONTENT_LENGTH');
    expect(textOf(['HTTP_CONTENT_LENGTH', '500'])).not.toContain('HTTP_CONTENT_LENGTH');
  });

  it('asks for no other protocol: there is no connection that could change to it', () => {
    expect(textOf(['HTTP_UPGRADE', 'websocket', 'HTTP_CONNECTION', 'Upgrade'])).not.toContain('websocket');
  });

  it('has the SCGI of its own', () => {
    expect(toCgiRequest(['SCGI', '2'], new ProcessVariables(['SCGI'])).head.toString()).toBe(textOf([]));
  });
});
