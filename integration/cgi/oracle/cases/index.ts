// All cases, by subject.

import type { Cases } from '../support/case.js';
import { documents } from './documents.js';
import { fields } from './fields.js';
import { files } from './files.js';
import { nph } from './nph.js';
import { paths } from './paths.js';
import { redirects } from './redirects.js';
import { requests } from './requests.js';

export const subjects: Readonly<Record<string, Cases>> = { requests, paths, fields, documents, redirects, nph, files };

export const allCases: Cases = Object.assign({}, ...Object.values(subjects));
