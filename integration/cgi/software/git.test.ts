// `git http-backend` as our program, and the real Git as its client, behind nginx and behind Apache: reading is for
// everybody, pushing for users whom the front end knows.

import { cgiProgram } from '@scgi/cgi';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, vi } from 'vitest';
import { describeWith, requireFrontEnd } from '../../support/front-ends.js';
import { ApacheStage, type FrontEnd, frontEnds, startSite, test } from '../support/site.js';

const run = promisify(execFile);

/** What the backend was asked, with the encoding and the length of the request's body. */
interface Asked {
  readonly url: string;
  readonly encoding: string | undefined;
  readonly length: number;
}

interface Scene {
  /** Of the repository, without and with a user. */
  readonly url: string;
  readonly userUrl: string;
  readonly folder: string;
  readonly asked: Asked[];
  readonly git: (folder: string, ...args: readonly string[]) => Promise<string>;
}

/** Only pushing needs a user; whom the front end has not checked it does not name. */
function rules(passwords: string): Parameters<typeof startSite>[3] {
  return {
    nginx: {
      path: '/git/',
      httpDirectives: [
        'map "$uri $arg_service" $realm { default off; ~git-receive-pack Git; }',
        'map $realm $user_to_name { default ""; Git $remote_user; }',
      ],
      params: { REMOTE_USER: '$user_to_name' },
      directives: ['auth_basic $realm;', `auth_basic_user_file ${passwords};`],
    },
    apache: {
      path: '/git/',
      modules: ['authn_core', 'authn_file', 'auth_basic', 'authz_user'],
      directives: [
        '<If "%{QUERY_STRING} =~ /service=git-receive-pack/ || %{REQUEST_URI} =~ m#/git-receive-pack$#">',
        'AuthType Basic',
        'AuthName Git',
        `AuthUserFile "${passwords}"`,
        'Require valid-user',
        '</If>',
      ],
    },
  };
}

async function setUp(stage: ApacheStage, frontEnd: FrontEnd): Promise<Scene> {
  const folder = stage.folder();
  const passwords = join(stage.folder(), 'users');
  // Apache's workers are not root.
  chmodSync(dirname(passwords), 0o755);
  // SHA-1 of "secret", as htpasswd -s writes it.
  writeFileSync(passwords, 'ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n', { mode: 0o644 });
  const git = async (cwd: string, ...args: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'], HOME: folder, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
    const { stdout } = await run(requireFrontEnd('git'), [...args], { cwd, env });
    return stdout;
  };
  const user = '[user]\n name = Ada\n email = ada@example.test\n';
  writeFileSync(join(folder, '.gitconfig'), `${user}[init]\n defaultBranch = main\n`);
  mkdirSync(join(folder, 'repositories'));
  await git(folder, 'init', '-q', '--bare', 'repositories/book.git');
  const asked: Asked[] = [];
  const listener = cgiProgram(requireFrontEnd('git-http-backend'), {
    mount: '/git',
    env: ({ url = '', headers }) => {
      asked.push({ url, encoding: headers['content-encoding'], length: Number(headers['content-length'] ?? 0) });
      return { GIT_PROJECT_ROOT: join(folder, 'repositories'), GIT_HTTP_EXPORT_ALL: '1', HOME: folder };
    },
    onError: () => {},
  });
  const origin = await startSite(stage, frontEnd, listener, rules(passwords));
  const url = `${origin}/git/book.git`;
  return { url, userUrl: url.replace('//', '//ada:secret@'), folder, asked, git };
}

async function commit({ git }: Scene, clone: string, name: string, content: string | Uint8Array): Promise<void> {
  writeFileSync(join(clone, name), content);
  await git(clone, 'add', name);
  await git(clone, 'commit', '-q', '-m', `write ${name}`);
}

// Git starts a dozen programs for each of these, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

describe.each(frontEnds)('git http-backend behind %s', (frontEnd) => {
  describeWith([frontEnd === 'nginx' ? 'nginx' : 'apache', 'git', 'git-http-backend'], 'serves Git', () => {
    let scene: Scene;
    /** A clone with one commit, pushed. */
    let mine: string;
    beforeEach<{ stage: ApacheStage }>(async ({ stage }) => {
      scene = await setUp(stage, frontEnd);
      const { git, folder, userUrl } = scene;
      await git(folder, 'clone', '-q', userUrl, 'mine');
      mine = join(folder, 'mine');
      await commit(scene, mine, 'chapter-1', 'It was a dark and stormy night.\n');
      await git(mine, 'push', '-q', '-u', 'origin', 'main');
    });

    test('which others clone, and fetch from again', async () => {
      const { git, folder, url } = scene;
      await git(folder, 'clone', '-q', url, 'theirs');
      const theirs = join(folder, 'theirs');
      expect(readFileSync(join(theirs, 'chapter-1'), 'utf8')).toBe('It was a dark and stormy night.\n');
      await commit(scene, mine, 'chapter-2', 'Suddenly a shot rang out.\n');
      await git(mine, 'push', '-q');
      await git(theirs, 'pull', '-q');
      expect(await git(theirs, 'log', '--format=%s')).toBe('write chapter-2\nwrite chapter-1\n');
      await git(theirs, 'fsck', '--strict');
    });

    test('which can be cloned in part', async () => {
      const { git, folder, url } = scene;
      await commit(scene, mine, 'chapter-2', 'Suddenly a shot rang out.\n');
      await git(mine, 'push', '-q');
      await git(folder, 'clone', '-q', '--depth', '1', url, 'shallow');
      expect(await git(join(folder, 'shallow'), 'log', '--format=%s')).toBe('write chapter-2\n');
      await git(join(folder, 'shallow'), 'fetch', '-q', '--unshallow');
      expect(await git(join(folder, 'shallow'), 'rev-list', '--count', 'HEAD')).toBe('2\n');
    });

    test('which takes large pushes from those who may push', async () => {
      const { git, folder, url } = scene;
      // Git sends more than http.postBuffer, 1 MiB, in chunks. nginx counts them; mod_proxy_scgi wants a length.
      if (frontEnd === 'Apache') await git(mine, 'config', 'http.postBuffer', '8m');
      const picture = randomBytes(1_500_000);
      await commit(scene, mine, 'picture', picture);
      await git(mine, 'push', '-q');
      expect(Math.max(...scene.asked.map(({ length }) => length))).toBeGreaterThan(1_500_000);
      await git(folder, 'clone', '-q', url, 'theirs');
      expect(readFileSync(join(folder, 'theirs', 'picture')).equals(picture)).toBe(true);
    });

    test('which inflates what clients have deflated', async () => {
      const { git, folder, url } = scene;
      // Enough wishes for more than 1 KiB: from there on Git deflates its requests.
      const commits = Array.from({ length: 40 }, (_, number) =>
        [`commit refs/tags/note-${number}`, 'committer Ada <ada@example.test> 0 +0000', 'data 4', 'note', ''].join(
          '\n',
        ),
      );
      execFileSync(requireFrontEnd('git'), ['fast-import', '--quiet'], { cwd: mine, input: commits.join('\n') });
      await git(mine, 'push', '-q', '--tags');
      scene.asked.length = 0;
      await git(folder, '-c', 'protocol.version=0', 'clone', '-q', url, 'theirs');
      expect(scene.asked.filter(({ encoding }) => encoding === 'gzip')).toHaveLength(1);
      expect((await git(join(folder, 'theirs'), 'tag')).split('\n')).toHaveLength(41);
    });

    test('which takes no pushes from anybody else', async () => {
      const { git, folder, url } = scene;
      const before = await git(mine, 'rev-parse', 'origin/main');
      await git(folder, 'clone', '-q', url, 'theirs');
      const theirs = join(folder, 'theirs');
      await commit(scene, theirs, 'chapter-2', 'spam\n');
      await expect(git(theirs, 'push')).rejects.toThrow(/could not read Username|Authentication failed/);
      await git(theirs, 'remote', 'set-url', 'origin', url.replace('//', '//ada:wrong@'));
      await expect(git(theirs, 'push')).rejects.toThrow(/Authentication failed/);
      expect(await git(join(folder, 'repositories/book.git'), 'rev-parse', 'main')).toBe(before);
    });
  });
});
