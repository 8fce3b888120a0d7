// Names of users and groups → the numbers that chown(2) takes. Reads /etc/passwd and /etc/group, because Node has no
// getpwnam(3); an account that lives in LDAP or in macOS' directory must be given by its number.
import { readFileSync } from 'node:fs';
import { LocalProtocolError } from '../protocol/errors.js';

/** chown(2): leave this one as it is. */
export const unchanged = -1;
const largestId = 0xffff_fffe; // 2^32 - 1 is chown's "unchanged"

/** @throws LocalProtocolError ERR_SCGI_BIND: no such user */
export function resolveUser(user: string | number | undefined, file = '/etc/passwd'): number {
  return resolveAccount('user', user, file);
}

/** @throws LocalProtocolError ERR_SCGI_BIND: no such group */
export function resolveGroup(group: string | number | undefined, file = '/etc/group'): number {
  return resolveAccount('group', group, file);
}

function resolveAccount(kind: 'user' | 'group', account: string | number | undefined, file: string): number {
  if (account === undefined) return unchanged;
  const id = typeof account === 'number' ? account : findId(file, account);
  if (id !== undefined && Number.isInteger(id) && id >= 0 && id <= largestId) return id;
  throw new LocalProtocolError('ERR_SCGI_BIND', {
    [kind]: account,
    problem: typeof account === 'number' ? 'not an account number' : `there is no such ${kind} in ${file}`,
    remedy: `name an existing ${kind}, or give its number`,
  });
}

// Both files: name:password:id:…, one account a line.
function findId(file: string, name: string): number | undefined {
  for (const line of readAccounts(file)) {
    const [entry, , id] = line.split(':');
    if (entry === name && id !== undefined && /^[0-9]+$/.test(id)) return Number(id);
  }
  return undefined;
}

function readAccounts(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return []; // No such file in a bare container: "no such user" is the answer that helps.
  }
}
