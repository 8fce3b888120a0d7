/** What a compiler makes of decorators, for plain JavaScript: `decorate(Class, [Controller()], { inject, methods })`. */
import 'reflect-metadata';

/**
 * @param {Function} target The class.
 * @param {ClassDecorator[]} decorators Those in front of the class.
 * @param {object} [parts]
 * @param {unknown[]} [parts.inject] What the constructor is given: classes or tokens.
 * @param {Record<string, { on: MethodDecorator[], parameters?: ParameterDecorator[] }>} [parts.methods]
 */
export function decorate(target, decorators, { inject = [], methods = {} } = {}) {
  const { prototype } = target;
  for (const [name, { on, parameters = [] }] of Object.entries(methods)) {
    parameters.forEach((decorator, index) => decorator(prototype, name, index));
    Reflect.decorate(on, prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
  }
  Reflect.defineMetadata('design:paramtypes', inject, target);
  Reflect.decorate(decorators, target);
}
