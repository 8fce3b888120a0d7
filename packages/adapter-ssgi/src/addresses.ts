// `serverAddress` and `remoteAddress` as SSGI writes them: `{v4|[v6]}[:port]`.

/** The host, in brackets if it is an IPv6 address, and the port; empty if the host is unknown. */
export function formatAddress(host: string | undefined, port: number | undefined): string {
  if (host === undefined || host === '') return '';
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return port === undefined ? bracketed : `${bracketed}:${port}`;
}
