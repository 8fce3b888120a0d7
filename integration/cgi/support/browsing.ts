// A real browser at a site of CGI programs: opens pages, and keeps what went wrong while they loaded.

import type { CgiListener, CgiOptions } from '@scgi/cgi';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../support/chromium.js';
import { requireFrontEnd } from '../../support/front-ends.js';
import { ApacheStage, type FrontEnd, startSite } from './site.js';

/** A site with a browser before it. */
export interface BrowsedSite {
  readonly origin: string;
  /** What the programs and the runner complain of. */
  readonly complaints: readonly string[];
  /** Opens a path, and waits until all is there that the page wants. */
  open(path: string): Promise<OpenPage>;
  stop(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  /** Requests that failed or were refused, and what the page's console says. */
  readonly problems: readonly string[];
}

/**
 * Starts the programs that `create` makes, given a folder for their files, and a front end that sends `files`, folders by
 * the paths at which they are, itself.
 */
export async function startBrowsedSite(
  frontEnd: FrontEnd,
  files: Readonly<Record<string, string>>,
  create: (folder: string, options: CgiOptions) => CgiListener,
): Promise<BrowsedSite> {
  const stage = new ApacheStage();
  const complaints: string[] = [];
  try {
    const browser = await launchBrowser();
    stage.add(() => browser.close());
    const listener = create(stage.folder(), {
      onError: ({ message }) => void complaints.push(message),
      onErrorOutput: (line) => void complaints.push(line),
    });
    const folders = Object.entries(files);
    const origin = await startSite(stage, frontEnd, listener, {
      nginx: {
        params: { HTTP_HOST: '$http_host' },
        serverDirectives: [
          'include /etc/nginx/mime.types;',
          // Browsers ask for it without being told to.
          'location = /favicon.ico { return 204; }',
          ...folders.map(([path, folder]) => `location ${path} { alias ${folder}; }`),
        ],
      },
      apache: {
        modules: ['alias', 'mime'],
        serverDirectives: [
          'AddType text/css .css',
          'AddType image/png .png',
          'ProxyPass "/favicon.ico" "!"',
          'Redirect 204 "/favicon.ico"',
          ...folders.flatMap(sentByApache),
        ],
      },
    });
    return { origin, complaints, open: (path) => openPage(browser, origin + path), stop: () => stage.clear() };
  } catch (error) {
    await stage.clear();
    throw error;
  }
}

function sentByApache([path, folder]: readonly [string, string]): string[] {
  return [
    `ProxyPass "${path}" "!"`,
    `Alias "${path}" "${folder}"`,
    `<Directory "${folder}">`,
    'Require all granted',
    '</Directory>',
  ];
}

async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(30_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && problems.push(`console: ${message.text()}`));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  page.on('response', (answer) => answer.status() >= 400 && problems.push(`${answer.status()}: ${answer.url()}`));
  await page.goto(url, { waitUntil: 'networkidle' });
  return { page, problems };
}

/** How many rules the style sheets of a page have that it has got. */
export async function countStyleRules(page: Page): Promise<number> {
  return Number(
    await page.evaluate('[...document.styleSheets].reduce((sum, { cssRules }) => sum + cssRules.length, 0)'),
  );
}

/** How many pictures a page has, and the addresses of those that are not there. */
export async function countPictures(page: Page): Promise<{ readonly all: number; readonly missing: string }> {
  const all = Number(await page.evaluate('document.images.length'));
  const missing = await page.evaluate(
    '[...document.images].filter((each) => each.naturalWidth === 0).map((each) => each.src).join()',
  );
  return { all, missing: String(missing) };
}

/** Makes `book.git`, a bare repository with two commits to `chapter one.txt`. */
export function makeRepository(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const git = (input: string, ...args: readonly string[]): Buffer =>
    execFileSync(requireFrontEnd('git'), args, { cwd: folder, input, stdio: ['pipe', 'pipe', 'pipe'] });
  git('', 'init', '-q', '--bare', '--initial-branch=main', 'book.git');
  const first = 'It was a dark and stormy night.\n';
  const commits = [
    commit('Write the first chapter, with an ä', first),
    commit('Go on', `${first}Suddenly a shot rang out.\n`),
  ];
  git(commits.join(''), '-C', 'book.git', 'fast-import', '--quiet');
}

function commit(message: string, text: string): string {
  const data = (content: string): string => `data ${Buffer.byteLength(content)}\n${content}\n`;
  return `commit refs/heads/main\ncommitter Ada <ada@example.test> 1800000000 +0000\n${data(message)}M 644 inline "chapter one.txt"\n${data(text)}`;
}
