// The documentation as data: pages, their links, headings, code fences and tables. Judges nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './workspace.js';

/** One Markdown file. */
export interface Page {
  /** Path below the root of the repository. */
  readonly file: string;
  readonly folder: string;
  readonly text: string;
}

/** One fenced block of code. */
export interface Fence {
  readonly file: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** Further words behind the language. */
  readonly flags: readonly string[];
  readonly code: string;
}

const ignoredFolders = new Set(['node_modules', 'dist', 'fixtures']);

/** Every Markdown file of the repository that people wrote for people. */
export const pages: readonly Page[] = findPages(root).map((path) => ({
  file: relative(root, path),
  folder: dirname(path),
  text: readFileSync(path, 'utf8'),
}));

/** The page of this path below the root. */
export function pageOf(file: string): Page {
  const page = pages.find((candidate) => candidate.file === file);
  if (page === undefined) throw new Error(`there is no ${file}`);
  return page;
}

/** All fences of one language, or those of one page. */
export function fencesOf(language: string, file?: string): Fence[] {
  return pages
    .filter((page) => file === undefined || page.file === file)
    .flatMap(readFences)
    .filter((fence) => fence.language === language);
}

/** Targets of links and images, without those to other sites. */
export function linksOf({ text }: Page): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !isForeign(target));
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf({ text }: Page): string[] {
  const headings = text.replace(/^```[^]*?^```/gm, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The rows of the first table whose head begins with this cell, without the head. */
export function tableOf({ text }: Page, firstCell: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${firstCell} |`));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return start === -1 ? [] : lines.slice(start + 2, end).map(readCells);
}

function findPages(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return ignoredFolders.has(entry.name) || entry.name.startsWith('.') ? [] : findPages(path);
    }
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function readFences({ file, text }: Page): Fence[] {
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([^]*?)^```/gm)].map((match) => {
    const [, language = '', flags = '', code = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return { file, line, language, flags: flags.split(' ').filter((flag) => flag !== ''), code };
  });
}

function readCells(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function isForeign(target: string): boolean {
  return /^[a-z]+:/.test(target);
}
