// Queries as arguments (RFC 3875 §4.4).

import { describe, expect, test } from 'vitest';
import { indexedQuery } from '../../src/runner/indexed-query.js';

describe('an indexed query', () => {
  test.each([
    ['a', ['a']],
    ['a+b', ['a', 'b']],
    ['a%20b+c%2Bd', ['a b', 'c+d']],
    ['a%3Db', ['a=b']],
    ['%E9+%ff', ['\xe9', '\xff']],
    ['a&b', ['a\\&b']],
    ['+', ['', '']],
    ['a++b', ['a', '', 'b']],
    ['-s', ['-s']],
    ['%3Bid+$(id)+`id`', ['\\;id', '\\$\\(id\\)', '\\`id\\`']],
    // What is no escape stays as it is: RFC 3986 knows no other way.
    ['100%+%zz+%4', ['100%', '%zz', '%4']],
    ['a%0Ab', ['a\\\nb']],
    [`&;\`'"|*?~<>^()[]{}$\\`, ['&;`\'"|*?~<>^()[]{}$\\'.replace(/./g, '\\$&')]],
    // Apache's list, and no more: arguments of programs that know no shell stay readable.
    ['!%23,-.:@_/%25%09%0D', ['!#,-.:@_/%\t\r']],
  ])('%s gives the arguments %j', (query, words) => {
    expect(indexedQuery('GET', query)).toEqual(words);
    expect(indexedQuery('HEAD', query)).toEqual(words);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'get'])('of %s is none', (method) => {
    expect(indexedQuery(method, 'a+b')).toEqual([]);
  });

  test.each(['', '=', 'a=b', 'a+b=', '=+a'])('is not %j', (query) => {
    expect(indexedQuery('GET', query)).toEqual([]);
  });

  test('with a word that no argument can be gives none at all', () => {
    expect(indexedQuery('GET', 'a+b%00c')).toEqual([]);
  });

  test('has 256 words at most', () => {
    expect(indexedQuery('GET', Array.from({ length: 256 }, () => 'a').join('+'))).toHaveLength(256);
    expect(indexedQuery('GET', Array.from({ length: 257 }, () => 'a').join('+'))).toEqual([]);
  });
});
