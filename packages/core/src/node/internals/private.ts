// How the private side of Node's classes is found. What is missing throws at import, and not at request 1,000,000.

export function assertMethods(
  owner: { readonly name: string; readonly prototype: object },
  names: readonly string[],
): void {
  const absent = names.find((name) => typeof Reflect.get(owner.prototype, name) !== 'function');
  if (absent !== undefined) throw missing(`${owner.name}.prototype.${absent}`);
}

function missing(what: string): Error {
  return new Error(
    `@scgi/core does not know Node.js ${process.version}, which has no ${what}: please update @scgi/core`,
  );
}

/** A symbol by its description: Node does not export these. */
export function findSymbol(owner: object, description: string): symbol {
  const found = Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
  if (found === undefined) throw missing(`the symbol ${description} of ${owner.constructor.name}`);
  return found;
}
