// Every fault of a backend, met by every kind of client, over both transports.

import { describe, test } from 'vitest';
import { check, ownTemporaryFolder, withoutLeaks } from './support/check.js';
import { faults } from './support/faults.js';
import { clients } from './support/clients.js';

const temporaryFiles = ownTemporaryFolder();

describe.each(clients)('$name', (face) => {
  describe.each(['unix', 'tcp'] as const)('over %s', (transport) => {
    const rows = faults.filter(({ transports = [transport] }) => transports.includes(transport));
    for (const fault of rows) {
      test(`${fault.stage}: ${fault.name}`, () => {
        return withoutLeaks(temporaryFiles, () => check(face, fault, transport));
      });
    }
  });
});
