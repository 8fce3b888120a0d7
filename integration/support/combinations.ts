// Whether tests run with every combination of what they are about, or, so that the suite takes minutes, with each kind of
// program and each web server in some combination. `npm run test:all` runs every one.

export const testsEveryCombination: boolean = process.env['SCGI_TEST_COMBINATIONS'] === 'all';
