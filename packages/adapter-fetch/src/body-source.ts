// What the body of a Response was made of, without its stream: to read text back from the stream costs more than all else
// that becomes of a small response. Private to the runtime: the state of a Response is under a symbol in Node.js 20 and 22,
// and out of reach later, where the stream is read. Asked for by name, and believed only after a trial.

const NativeResponse = globalThis.Response;

const trial = new NativeResponse('');
const kState: symbol | undefined = Object.getOwnPropertySymbols(trial).find(
  (symbol) => symbol.description === 'state' && tellsTruth(symbol),
);

/** Whether bodies are found without their streams here. */
export const findsSources: boolean = kState !== undefined;

/** The text or the bytes of a body that nobody has read; undefined if it is a stream, or cannot be known. */
export function bodySource(response: object): string | Uint8Array | undefined {
  return kState === undefined || !(response instanceof NativeResponse) ? undefined : lookUp(response, kState);
}

function lookUp(response: Response, symbol: symbol): string | Uint8Array | undefined {
  // A null body has no stream, and one that is locked or was read is not what it was made of.
  if (response.body === null || response.body.locked || response.bodyUsed) return undefined;
  const state: unknown = Reflect.get(response, symbol);
  if (typeof state !== 'object' || state === null || !('body' in state)) return undefined;
  const { body } = state;
  if (typeof body !== 'object' || body === null || !('source' in body)) return undefined;
  const { source } = body;
  return typeof source === 'string' || source instanceof Uint8Array ? source : undefined;
}

function tellsTruth(symbol: symbol): boolean {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const ofText = lookUp(new NativeResponse('a'), symbol);
  const ofBytes = lookUp(new NativeResponse(bytes), symbol);
  const ofStream = lookUp(new NativeResponse(new ReadableStream()), symbol);
  const ofNothing = lookUp(new NativeResponse(null), symbol);
  return ofText === 'a' && `${ofBytes}` === '2,3' && ofStream === undefined && ofNothing === undefined;
}
