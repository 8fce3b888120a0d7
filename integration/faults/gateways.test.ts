// Every fault of a backend, behind every kind of gateway, over both transports.

import { describe, test } from 'vitest';
import { check, ownTemporaryFolder, withoutLeaks } from './support/check.js';
import { faults } from './support/faults.js';
import { gateways } from './support/gateways.js';

const temporaryFiles = ownTemporaryFolder();

describe.each(gateways)('$name', (face) => {
  describe.each(['unix', 'tcp'] as const)('over %s', (transport) => {
    const rows = faults.filter(({ transports = [transport] }) => transports.includes(transport));
    for (const fault of rows) {
      test(`${fault.stage}: ${fault.name}`, () => {
        return withoutLeaks(temporaryFiles, () => check(face, fault, transport));
      });
    }
  });
});
