// What a client hears when a backend fails: 43 and one of these lines, never an address or the words of an error.

import type { ScgiError } from '@scgi/core';
import { GeminiResponse } from '../response.js';

/** The lines are Xitzin's, so that clients and middleware made for it find what they look for. */
export function failureResponse(error: ScgiError): GeminiResponse {
  return new GeminiResponse(43, describeFailure(error));
}

function describeFailure({ code, details }: ScgiError): string {
  switch (code) {
    case 'ERR_SCGI_BACKEND_UNREACHABLE':
      return 'Failed to connect to SCGI backend';
    case 'ERR_SCGI_BACKEND_TIMEOUT':
      return details['awaited'] === 'connect' ? 'SCGI connection timeout' : 'SCGI backend timeout';
    case 'ERR_SCGI_IDLE_TIMEOUT':
      return 'SCGI backend timeout';
    case 'ERR_SCGI_RESPONSE_TOO_LARGE':
      return 'SCGI response exceeds maximum size';
    case 'ERR_SCGI_BACKEND_BUSY':
      return 'SCGI backend is busy';
    case 'ERR_SCGI_BACKEND_RESET':
      return 'SCGI communication error';
    default:
      return 'SCGI backend error';
  }
}
