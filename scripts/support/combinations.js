// Whether tests go through every combination of long lists, and through soaks at full length, as by `npm run test:all`.

/** @type {boolean} */
export const testsEveryCombination = process.env.SCGI_TEST_COMBINATIONS === 'all';
