// The guide from CGI to SCGI as data: its numbered steps, with their blocks of code. Runs nothing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fencesOf, pageOf, type Fence } from '../../package-check/markdown.js';
import { root } from '../../package-check/workspace.js';

const file = 'docs/migrating-from-cgi.md';

/** The folder of the example that the guide is about. */
export const exampleFolder: string = join(root, 'examples/cgi-migration');

/** One numbered section. */
export interface GuideStep {
  readonly number: number;
  /** The block for the web server, if it has a new one. */
  readonly block: Fence | undefined;
  /** The lines of shell that start the program. */
  readonly command: string | undefined;
  /** Every block of it, in order. */
  readonly fences: readonly Fence[];
  /** `npm run …`, as the section has it. */
  readonly oneLiner: string | undefined;
}

const languages = ['apache', 'nginx', 'js', 'perl', 'sh', 'text'];
const fences = languages.flatMap((language) => fencesOf(language, file));

/** The blocks that name a file of the example, and what that file holds. */
export const files: readonly { readonly fence: Fence; readonly name: string; readonly content: string }[] = fences
  .filter(({ flags: [name] }) => name?.includes('.'))
  .map((fence) => ({ fence, name: fence.flags[0] ?? '', content: read(fence.flags[0] ?? '') }));

/** Sections `## 1. …` to the next heading of that rank. */
export const steps: readonly GuideStep[] = readSteps();

/** The step of this number. */
export function stepOf(number: number): GuideStep {
  const step = steps.find((candidate) => candidate.number === number);
  if (step === undefined) throw new Error(`${file} has no step ${number}`);
  return step;
}

function readSteps(): GuideStep[] {
  const lines = pageOf(file).text.split('\n');
  const headings = lines.flatMap((line, index) => (line.startsWith('## ') ? [index + 1] : []));
  return headings.flatMap((start, index) => {
    const [, number] = /^## (\d)\. /.exec(lines[start - 1] ?? '') ?? [];
    if (number === undefined) return [];
    const end = headings[index + 1] ?? Infinity;
    const own = fences.filter(({ line }) => line > start && line < end);
    const text = lines.slice(start - 1, end - 1).join('\n');
    return {
      number: Number(number),
      fences: own.toSorted((a, b) => a.line - b.line),
      block: own.find(({ language }) => language === 'apache' || language === 'nginx'),
      command: own.find(({ language, flags }) => language === 'sh' && flags.includes('run'))?.code,
      oneLiner: /^npm run .*$/m.exec(text)?.[0],
    };
  });
}

function read(name: string): string {
  return readFileSync(join(exampleFolder, name), 'utf8');
}
