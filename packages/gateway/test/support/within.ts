export * from '../../../client/test/support/within.js';
