// What the figures are held against. All are ratios within one run, or bytes: nothing that depends on the machine.

/** CPU time of the app process per request: ours ÷ the framework's own HTTP server with a connection per request, at most. */
export const cpuGoals = {
  bare: 0.85,
  express: 0.85,
  koa: 0.85,
  fastify: 0.85,
  'fetch-hono': 0.85,
  'fetch-srvx': 0.85,
};

/** CPU time of the app process per request over SCGI: ours ÷ the bare listener's, at most. */
export const overBareGoals = { fetch: 1.15, ssgi: 0.9 };

/** Memory of the app process per idle connection: ours ÷ node:http, at most. */
export const idleGoal = 1;

/** Throughput of an upload: ours ÷ node:http, at least. */
export const uploadGoal = 1.2;

/** Growth of the app process's memory while 1 GiB passes through with a slow peer, in MiB, at most. */
export const memoryGoalMiB = 64;

/** CPU time of a front per request: ours before an SCGI application ÷ a proxy before the same over HTTP, at most. */
export const frontGoal = 0.8;

/** Requests per second of a CGI program: our runner ÷ Apache's mod_cgid, at least. */
export const cgiRunnerGoal = 0.9;

/** Requests per second of the same program: as a handler over SCGI ÷ as a CGI program, at least. */
export const cgiHandlerGoal = 50;
