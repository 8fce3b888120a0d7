// The values that one pass over the variables collects, and where each of them lies.
// An array and not an object: the pass writes it through an index that it has looked up by the variable's name.

/** Where the value of a variable goes. Not negative: an index into the facts that one pass over a request collects. */
export const Slot = {
  ignored: -2,
  field: -1,
  method: 0,
  requestUri: 1,
  scriptName: 2,
  pathInfo: 3,
  documentUri: 4,
  queryString: 5,
  protocol: 6,
  scheme: 7,
  https: 8,
  remoteAddress: 9,
  remotePort: 10,
  serverName: 11,
  serverAddress: 12,
  serverPort: 13,
  serverSoftware: 14,
  scriptFilename: 15,
  contentType: 16,
  clientContentLength: 17,
  connection: 18,
  upgrade: 19,
  redirectUrl: 20,
  redirectMethod: 21,
} as const;

/** Number of facts a request can have. */
export const slotCount = 22;

export type Slot = (typeof Slot)[keyof typeof Slot];

/** Values by `Slot`. Of a name sent twice the last one, which is how a `scgi_param` after an `include` overrides it. */
export type RequestFacts = readonly (string | undefined)[];
