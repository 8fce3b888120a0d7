// Every fault of a backend, met by every kind of client. Over both transports: see combinations.ts.

import { describe, test } from 'vitest';
import { combinedWith } from '../support/combinations.js';
import { check, ownTemporaryFolder, withoutLeaks } from './support/check.js';
import { faults } from './support/faults.js';
import { clients } from './support/clients.js';

const temporaryFiles = ownTemporaryFolder();

describe.each(clients.map((face, index) => [face.name, face, index] as const))('%s', (_, face, index) => {
  describe.each(combinedWith(index, ['unix', 'tcp'] as const))('over %s', (transport) => {
    const rows = faults.filter(({ transports = [transport] }) => transports.includes(transport));
    for (const fault of rows) {
      test(`${fault.stage}: ${fault.name}`, () => {
        return withoutLeaks(temporaryFiles, () => check(face, fault, transport));
      });
    }
  });
});
