// Responses are well-formed from the moment they are made.

import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { GeminiRequest, GeminiResponse } from '../src/index.js';

describe('the helpers', () => {
  test.each([
    ['success', GeminiResponse.success('# Hi'), 20, 'text/gemini'],
    [
      'success of another type',
      GeminiResponse.success('Hi', 'text/plain; charset=utf-8'),
      20,
      'text/plain; charset=utf-8',
    ],
    ['input', GeminiResponse.input('Name?'), 10, 'Name?'],
    ['sensitive input', GeminiResponse.input('Word?', { sensitive: true }), 11, 'Word?'],
    ['redirect', GeminiResponse.redirect('/new'), 30, '/new'],
    ['permanent redirect', GeminiResponse.redirect('/new', { permanent: true }), 31, '/new'],
    ['temporary failure', GeminiResponse.temporaryFailure(), 40, 'Temporary failure'],
    ['slow down', GeminiResponse.slowDown(7), 44, '7'],
    ['permanent failure', GeminiResponse.permanentFailure('No.'), 50, 'No.'],
    ['not found', GeminiResponse.notFound(), 51, 'Not found'],
    ['gone', GeminiResponse.gone(), 52, 'Gone'],
    ['bad request', GeminiResponse.badRequest(), 59, 'Bad request'],
    ['certificate required', GeminiResponse.certificateRequired(), 60, 'Client certificate required'],
    ['certificate not authorised', GeminiResponse.certificateNotAuthorised('Not you'), 61, 'Not you'],
    ['certificate not valid', GeminiResponse.certificateNotValid(), 62, 'Certificate not valid'],
  ])('make %s', (_, response, status, meta) => expect(response).toMatchObject({ status, meta }));
});

describe('a response is refused when it is made', () => {
  const refused = expect.objectContaining({ code: 'ERR_SCGI_RESPONSE_FIELD' });

  test.each([
    ['with a status below 10', 9, 'x'],
    ['with a status above 69', 70, 'x'],
    ['with half a status', 20.5, 'x'],
    ['with a line break in its meta', 30, '/a\r\n20 text/gemini'],
    ['with a NUL in its meta', 51, 'a\0'],
    ['with a meta of 1025 bytes', 51, 'm'.repeat(1025)],
    ['with a meta of 1025 bytes in fewer characters', 51, 'ü'.repeat(513)],
    ['without a media type', 20, ''],
    ['without an address to go to', 31, ''],
  ])('%s', (_, status, meta) => expect(() => new GeminiResponse(status, meta)).toThrow(refused));

  test('with a body where none may be', () => {
    expect(() => new GeminiResponse(51, 'Not found', 'sorry')).toThrow(refused);
  });
});

describe('a body', () => {
  test.each([
    ['a string', 'ü'],
    ['bytes', Buffer.from('ü')],
    ['a Readable', Readable.from(['ü'])],
    ['a ReadableStream', new Blob(['ü']).stream()],
    ['an iterable', [Buffer.from('ü')]],
  ])('of %s can be read', async (_, body) => expect(await GeminiResponse.success(body).text()).toBe('ü'));

  test('that is not there is empty', async () => expect(await GeminiResponse.notFound().text()).toBe(''));

  test('can be read once', async () => {
    const used = { code: 'ERR_SCGI_BODY_USED' };
    const response = GeminiResponse.success(Readable.from(['a']));
    await response.text();
    await expect(response.text()).rejects.toMatchObject(used);
    const stream = new Blob(['a']).stream();
    stream.getReader();
    await expect(GeminiResponse.success(stream).text()).rejects.toMatchObject(used);
  });

  test('that fails fails whoever reads it', async () => {
    const body = Readable.from(failing());
    await expect(GeminiResponse.success(body).text()).rejects.toThrow('the disk is gone');
    await expect(GeminiResponse.success(body).text()).rejects.toThrow('the disk is gone');
  });

  async function* failing(): AsyncGenerator<string> {
    yield 'half';
    throw new Error('the disk is gone');
  }

  test('can be given up', async () => {
    const body = new Readable({ read() {} });
    GeminiResponse.success(body).discard();
    expect(body.destroyed).toBe(true);
    let cancelled = false;
    const stream = new ReadableStream<string>({ cancel: () => void (cancelled = true) });
    GeminiResponse.success(stream).discard();
    expect(cancelled).toBe(true);
    GeminiResponse.notFound().discard();
  });
});

test('a request that no connection brought is as any other', () => {
  const { signal } = new AbortController();
  const request = GeminiRequest.for('gemini://h/a?b', { remoteAddress: '192.0.2.7', signal });
  expect(request).toMatchObject({ path: '/a', query: 'b', remoteAddress: '192.0.2.7', certificate: undefined });
  expect(request.signal).toBe(signal);
  const refused = expect.objectContaining({ code: 'ERR_SCGI_GEMINI_REQUEST' });
  expect(() => GeminiRequest.for('http://h/')).toThrow(refused);
});
