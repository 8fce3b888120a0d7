// Frameworks hand out a context around their request around ours: Koa's `ctx.req`, Fastify's `request.raw`, Hono's
// `c.req.raw`. One walk for whatever is looked for in there.

/** More than any framework has. Wrappers may refer to each other, so there is an end to the search. */
const MAX_WRAPPERS = 4;

/** Asks `look` for the object and for what it wraps, from the outside in; returns its first answer that is not undefined. */
export function findWrapped<T>(outer: object, look: (wrapper: object) => T | undefined): T | undefined {
  let wrapper: unknown = outer;
  for (let depth = 0; depth <= MAX_WRAPPERS && isObject(wrapper); depth += 1) {
    const found = look(wrapper);
    if (found !== undefined) return found;
    wrapper = wrapper.req ?? wrapper.raw;
  }
  return undefined;
}

function isObject(value: unknown): value is { readonly req?: unknown; readonly raw?: unknown } {
  return typeof value === 'object' && value !== null;
}
