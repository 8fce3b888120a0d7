// A Response that makes itself on first need. Most responses are a status, some fields and a text, made to be sent at
// once; the stream that Node's class makes for each of them costs about a third of a small request. Nothing is replaced
// unless the application says so.

const NativeResponse = globalThis.Response;

/** What a response is made of, beside its status, while nobody has asked for more. */
export interface ResponseParts {
  /** Names and values in turn. */
  readonly fields: string[];
  readonly body: string | null;
}

type Body = ConstructorParameters<typeof Response>[0];
type RedirectStatus = NonNullable<Parameters<typeof Response.redirect>[1]>;

const textType = 'text/plain;charset=UTF-8';

/**
 * The class of the Fetch standard in all it shows: everything but status, fields and a body of text is Node's own Response,
 * made when it is asked for. `instanceof` holds both ways.
 */
export class LightResponse {
  /** The response itself, where it was too much for the light form or has been made since. */
  #native: Response | undefined;
  readonly #status: number;
  readonly #statusText: string;
  readonly #body: string | null;
  #headers: Headers | null;

  /** @throws {RangeError} @throws {TypeError} as the standard says */
  constructor(body?: Body, init?: ResponseInit) {
    const isText = typeof body === 'string';
    const isLight = (isText || body === null || body === undefined) && isPlain(init, isText ? body : null);
    this.#native = isLight ? undefined : new NativeResponse(body, init);
    this.#status = init?.status ?? 200;
    this.#statusText = init?.statusText ?? '';
    this.#body = isText ? body : null;
    this.#headers = isLight && init?.headers !== undefined ? new Headers(init.headers) : null;
    if (this.#headers !== null && this.#body !== null && !this.#headers.has('content-type')) {
      this.#headers.set('content-type', textType);
    }
  }

  static json(data: unknown, init: ResponseInit = {}): LightResponse {
    const text: unknown = JSON.stringify(data);
    if (typeof text !== 'string') throw new TypeError('this value has no JSON');
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new LightResponse(text, { ...init, headers });
  }

  static redirect(url: string | URL, status: RedirectStatus = 302): Response {
    return NativeResponse.redirect(url, status);
  }

  static error(): Response {
    return NativeResponse.error();
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof NativeResponse;
  }

  get status(): number {
    return this.#native?.status ?? this.#status;
  }

  get statusText(): string {
    return this.#native?.statusText ?? this.#statusText;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get headers(): Headers {
    if (this.#native !== undefined) return this.#native.headers;
    return (this.#headers ??= new Headers(this.#body === null ? undefined : { 'content-type': textType }));
  }

  /** The parts of a response that has not become a real one; undefined for any other. */
  static partsOf(response: object): ResponseParts | undefined {
    if (!(#native in response) || response.#native !== undefined) return undefined;
    const fields: string[] = [];
    if (response.#headers !== null) for (const [name, value] of response.#headers) fields.push(name, value);
    else if (response.#body !== null) fields.push('content-type', textType);
    return { fields, body: response.#body };
  }

  /** The response as one of Node's own; the same from then on. */
  static materialize(response: LightResponse): Response {
    response.#native ??= new NativeResponse(response.#body, {
      status: response.#status,
      statusText: response.#statusText,
      headers: response.headers,
    });
    return response.#native;
  }
}

Object.setPrototypeOf(LightResponse, NativeResponse);
Object.setPrototypeOf(LightResponse.prototype, NativeResponse.prototype);
for (const name of ['status', 'statusText', 'ok', 'headers'])
  Object.defineProperty(LightResponse.prototype, name, { enumerable: true });
for (const name of ['body', 'bodyUsed', 'redirected', 'type', 'url']) {
  Object.defineProperty(LightResponse.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: LightResponse): unknown {
      return Reflect.get(LightResponse.materialize(this), name);
    },
  });
}
for (const name of ['arrayBuffer', 'blob', 'bytes', 'clone', 'formData', 'json', 'text']) {
  const method: unknown = Reflect.get(NativeResponse.prototype, name);
  if (typeof method !== 'function') continue; // `bytes` is younger than Node.js 20
  Object.defineProperty(LightResponse.prototype, name, {
    configurable: true,
    enumerable: true,
    writable: true,
    value(this: LightResponse): unknown {
      return method.call(LightResponse.materialize(this));
    },
  });
}

/** Whether the light form can hold it: the real class is to judge everything unusual. */
function isPlain(init: ResponseInit | undefined, body: string | null): boolean {
  if (init === undefined) return true;
  const { status = 200, statusText = '' } = init;
  if (!Number.isInteger(status) || status < 200 || status > 599 || statusText !== '') return false;
  // These have no body, and refuse one.
  return body === null || (status !== 204 && status !== 205 && status !== 304);
}

/** Makes `LightResponse` the global Response of this process, for frameworks that make theirs of the global one. */
export function installLightResponse(): void {
  Reflect.set(globalThis, 'Response', LightResponse);
}
