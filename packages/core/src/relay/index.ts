// What passes requests on to another program and its CGI answer back needs these; the gateway and the runner of CGI
// programs share them. Re-exports only.

export { Answer, breakOff, setFields, staysOpen, stopReading, writeStatus } from './answer.js';
export { ExtraVariables } from './extra-variables.js';
export type { ExtraVariableOptions, VariableRecord } from './extra-variables.js';
export { bodyLengthOf, fetchFacts } from './fetch-facts.js';
export type { FetchGatewayContext, FetchGatewaySocket } from './fetch-facts.js';
export { responseOf, statusResponse } from './fetch-response.js';
export type { RelayedResponse } from './fetch-response.js';
export { locateRedirect, Mount } from './mount.js';
export type { MountedTarget, RoutedRequest } from './mount.js';
export { headersOf, redirectVariables, requestFacts, requestVariables, withoutBodyFields } from './request-facts.js';
export type { VariableSettings } from './request-facts.js';
export { endToEndFields, findField } from './response-fields.js';
