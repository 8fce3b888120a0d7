// What a TLS connection tells of its client. Node's types on one side, plain facts on the other.

import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, TlsFacts } from '../request.js';

/** The certificate that the client showed; undefined for none. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  // Node gives an empty object for none.
  const { fingerprint256, subject, issuer, serialNumber, valid_from, valid_to } = socket.getPeerCertificate();
  if (fingerprint256 === undefined) return undefined;
  return {
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    commonName: commonName(subject),
    issuerCommonName: commonName(issuer),
    serialNumber,
    notBefore: readDate(valid_from),
    notAfter: readDate(valid_to),
  };
}

export function tlsFacts(socket: TLSSocket): TlsFacts {
  return { version: socket.getProtocol() ?? undefined, cipher: socket.getCipher()?.name };
}

/** A subject may have several, or none. */
function commonName(name: { readonly CN?: unknown } | undefined): string | undefined {
  const { CN } = name ?? {};
  const first: unknown = Array.isArray(CN) ? CN[0] : CN;
  return typeof first === 'string' ? first : undefined;
}

function readDate(text: string): Date | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
