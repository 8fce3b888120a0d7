// Passes a request on for frameworks in which an answer is a value, Koa and Fetch, and gives that value back. What they
// make of it is theirs; Node's own requests and answers go another way, in node/.

import type { ScgiBody, ScgiResponse } from '@scgi/client';
import type { HttpRequestFacts } from '@scgi/core/env';
import { variablesFromHttp } from '@scgi/core/env';
import { LocalProtocolError, RemoteProtocolError } from '@scgi/core/protocol';
import { locateRedirect, type MountedTarget, withoutBodyFields } from '@scgi/core/relay';
import { userError } from './node/special-answers.js';
import type { GatewaySettings } from './options.js';

/** A request as the framework has it. */
export interface ForwardedRequest<Incoming> {
  readonly facts: HttpRequestFacts;
  /** What the user's functions get to see of it. */
  readonly incoming: Incoming;
  readonly body?: ScgiBody | undefined;
  /** Undefined: it is kept until its length is known. */
  readonly bodyLength: number | undefined;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
}

/**
 * Sends it and resolves with the answer as soon as its head is here, after the local redirects that are to be followed.
 * Rejects with a ScgiError, or with the reason of the signal.
 */
export async function forward<Incoming>(
  settings: GatewaySettings<Incoming>,
  request: ForwardedRequest<Incoming>,
): Promise<ScgiResponse> {
  const { client, localRedirect, maxLocalRedirects } = settings;
  const { facts, incoming, body, bodyLength, signal } = request;
  const variables = variablesOf(settings, facts, incoming);
  let response = await client.send({ method: facts.method, variables, body, bodyLength, signal });
  let redirectedFrom = facts.target;
  for (let hops = 1; response.kind === 'local-redirect' && localRedirect !== undefined; hops += 1) {
    const { location = '' } = response;
    const target = await whileUnread(response, () => localRedirect(location, incoming));
    if (target === null || target === undefined) return response;
    const mounted = locateRedirect({ target: facts.target, scriptNameLength: facts.scriptNameLength ?? 0 }, target);
    if (mounted === undefined) return response;
    // How it ends is of no interest; closing before its end would look like a client that left.
    response.body.on('error', ignore).resume();
    if (hops > maxLocalRedirects) throw new RemoteProtocolError('ERR_SCGI_REDIRECT_LOOP', { maxLocalRedirects });
    const next = redirectedFacts(facts, mounted);
    const redirected = variablesOf(settings, next, incoming, redirectedFrom);
    redirectedFrom = target;
    response = await client.send({ method: next.method, variables: redirected, signal });
  }
  if (response.kind === 'upgrade') {
    response.socket?.destroy();
    throw new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101, fault: 'no upgrade was asked' });
  }
  return response;
}

function ignore(): void {}

/** What the user's function says, who may fail while the backend's connection is open. */
async function whileUnread<Result>(response: ScgiResponse, ask: () => Result): Promise<Awaited<Result>> {
  try {
    return await ask();
  } catch (error) {
    response.body.destroy();
    throw userError('localRedirect', error);
  }
}

function variablesOf<Incoming>(
  settings: GatewaySettings<Incoming>,
  facts: HttpRequestFacts,
  incoming: Incoming,
  redirectedFrom?: string,
): string[] {
  const { serverName, underscoreFields } = settings;
  const variables = variablesFromHttp({ ...facts, serverName, underscoreFields });
  // Apache's; PHP looks for the first one.
  if (redirectedFrom !== undefined) {
    variables.push('REDIRECT_STATUS', '200', 'REDIRECT_URL', redirectedFrom.replace(/\?[^]*$/, ''));
  }
  try {
    settings.extraVariables.addTo(variables, incoming);
  } catch (cause) {
    throw userError('env or appState', cause);
  }
  return variables;
}

/** The request as it would have been for the target (RFC 3875 §6.2.2). A HEAD stays one. */
function redirectedFacts(facts: HttpRequestFacts, mounted: MountedTarget): HttpRequestFacts {
  const headers = withoutBodyFields(facts.headers ?? {});
  return { ...facts, ...mounted, method: facts.method === 'HEAD' ? 'HEAD' : 'GET', headers };
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION: what sends files is made for Node's own responses */
export function refuseFiles(settings: Pick<GatewaySettings<never>, 'sendfile' | 'accelRedirect'>, way: string): void {
  const option = settings.sendfile !== undefined ? 'sendfile' : settings.accelRedirect && 'accelRedirect';
  if (option === undefined) return;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option, problem: `${way} cannot send files for a backend` });
}
