import { describe, expect, it } from 'vitest';
import { readAuthority, readRequest, readScheme } from '../../src/env/index.js';

const read = (variables: readonly string[]): ReturnType<typeof readRequest> =>
  readRequest(['CONTENT_LENGTH', '0', 'REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', ...variables]);

describe('readAuthority', () => {
  it.each([
    'example.com',
    'example.com:8080',
    'EXAMPLE.Com',
    '[::1]:24080',
    '127.0.0.1',
    'my_host',
    'xn--caf-dma.example',
  ])('is Host %s', (host) => {
    expect(readAuthority(read(['HTTP_HOST', host, 'SERVER_NAME', 'other', 'SERVER_PORT', '81']))).toBe(host);
  });

  it.each([
    '',
    'a/b',
    'a@b',
    'a\\b',
    'a#b',
    'a?b',
    'a b',
    'a:b',
    'a:65536',
    '1.2.3.400',
    '[::1',
    'caf\xe9',
    'a,b',
    '//evil',
  ])('is made of SERVER_NAME and SERVER_PORT when Host is %j', (host) => {
    expect(readAuthority(read(['HTTP_HOST', host, 'SERVER_NAME', 'app', 'SERVER_PORT', '8080']))).toBe('app:8080');
  });

  it.each([
    [['SERVER_NAME', 'app'], 'app'],
    [['SERVER_NAME', 'app', 'SERVER_PORT', '80'], 'app'],
    [['SERVER_NAME', 'app', 'SERVER_PORT', '443'], 'app:443'],
    [['SERVER_NAME', 'app', 'SERVER_PORT', '443', 'HTTPS', 'on'], 'app'],
    [['SERVER_NAME', '::1', 'SERVER_PORT', '8080'], '[::1]:8080'],
    [['SERVER_NAME', '[::1]'], '[::1]'],
    [['SERVER_NAME', ''], 'localhost'],
    [['SERVER_NAME', '~^(?<user>.+)$'], 'localhost'],
    [[], 'localhost'],
  ])('without Host is %j: %s', (variables, authority) => {
    expect(readAuthority(read(variables))).toBe(authority);
  });
});

it('readScheme tells what the client spoke', () => {
  expect(readScheme(read([]))).toBe('http');
  expect(readScheme(read(['HTTPS', 'on']))).toBe('https');
});
