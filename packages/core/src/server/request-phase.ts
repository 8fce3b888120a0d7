// How far the request of a connection has come.

export const RequestPhase = { Head: 0, Body: 1, Complete: 2, HandedOver: 3, Closed: 4 } as const;
export type RequestPhase = (typeof RequestPhase)[keyof typeof RequestPhase];
