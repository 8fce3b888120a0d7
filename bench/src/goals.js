// What the figures are held against. All are ratios within one run, or bytes: nothing that depends on the machine.

/** CPU time of the app process per request: ours ÷ node:http with a connection per request, at most. */
export const cpuGoals = { bare: 0.85, express: 1 };

/** Throughput of an upload: ours ÷ node:http, at least. */
export const uploadGoal = 1.2;

/** Growth of the app process's memory while 1 GiB passes through with a slow peer, in MiB, at most. */
export const memoryGoalMiB = 64;
