// What is asked for and is no program, or none that can run.

import type { Cases } from '../support/case.js';

const hello = 'echo Content-Type: text/plain; echo; echo hello\n';

export const files: Cases = {
  'a program of the shell': { file: `#!/bin/sh\n${hello}` },
  'a program with an argument in its first line': { file: `#!/bin/sh -e\n${hello}` },
  'a program that is not executable': {
    allowed: ['what is not executable is a 403'],
    file: `#!/bin/sh\n${hello}`,
    mode: 0o644,
  },
  'a program that is missing': { target: '/cgi-bin/missing' },
  'a program that is missing, with a path': { target: '/cgi-bin/missing/a/b?c=d' },
  'a name that is too long': { allowed: ['what is not there is a 404'], target: `/cgi-bin/${'x'.repeat(300)}` },
  'the folder itself': { target: '/cgi-bin/' },
  'a folder': { target: '/cgi-bin/folder/' },
  'a folder without its slash': { target: '/cgi-bin/folder' },
  'a program that is missing in a folder': { target: '/cgi-bin/folder/missing' },
  'a hidden program': { allowed: ['hidden names'], target: '/cgi-bin/.probe' },
  'a program in a hidden folder': { allowed: ['hidden names'], target: '/cgi-bin/.hidden/probe' },
  'a link to a program': { target: '/cgi-bin/link-inside/x' },
  'a link out of the folder': { allowed: ['links that lead out'], target: '/cgi-bin/link-outside' },
  'a link to nothing': { allowed: ['what is not there is a 404'], target: '/cgi-bin/link-broken' },
  'a missing interpreter': { file: `#!/usr/bin/nothing-here\n${hello}` },
  'a first line with CR': { file: `#!/bin/sh\r\n${hello}` },
  'no first line': { file: hello },
  'an empty file': { file: '' },
  'a program that fails': {
    allowed: ['answers that are none are a 502'],
    file: '#!/bin/sh\necho "what a pity" >&2\nexit 3\n',
  },
  'a program that fails behind its document': { file: `#!/bin/sh\n${hello}exit 3\n` },
  'a program that dies': { allowed: ['answers that are none are a 502'], file: '#!/bin/sh\nkill -9 $$\n' },
  'a program that reads more than the input': {
    method: 'POST',
    body: 'all',
    file: '#!/bin/sh\necho Content-Type: text/plain; echo; cat; cat\n',
  },
  'a program that reads the input of a GET': {
    file: '#!/bin/sh\necho Content-Type: text/plain; echo; cat; echo end\n',
  },
  'the umask of a program': { file: '#!/bin/sh\necho Content-Type: text/plain; echo; umask\n' },
};
