// How long a response head may be behind each front end, and what to do about it. Knows what the front ends do by
// default, not how they are configured: a limit that was raised cannot be seen from here.

import type { CgiEnv } from './variables.js';

/** No front end refuses a shorter head. */
export const leastHeadLimit = 4096;

/** `scgi_buffer_size` is one memory page by default: 4 KiB on most machines (ngx_http_scgi_module.c). */
const NGINX_HEAD_BYTES = 4096;
/**
 * HUGE_STRING_LEN of httpd.h, 8,192, bounds each line that ap_scan_script_header_err reads, CR and end of string included:
 * Apache 2.4.71 takes a line of 8,189 bytes before its CRLF and answers 500 to one more.
 */
const APACHE_LINE_BYTES = 8189;
/** MAX_HTTP_RESPONSE_FIELD_SIZE of lighttpd's http-header.h. */
const LIGHTTPD_HEAD_BYTES = 65_535;

/**
 * What is to be done if the front end of a request refuses a response with this head; undefined if it takes it.
 * @param env the variables of the request
 * @param head the response head as it goes out, latin1
 */
export function longHeadAdvice(env: CgiEnv, head: string): string | undefined {
  const software = env['SERVER_SOFTWARE'] ?? '';
  if (env['SCRIPT_FILENAME']?.startsWith('proxy:') === true || software.startsWith('Apache')) {
    const line = head.split('\r\n').find((text) => text.length > APACHE_LINE_BYTES);
    if (line === undefined) return undefined;
    return `Apache refuses response lines of more than ${APACHE_LINE_BYTES} bytes, and ${line.split(':')[0]} has ${line.length}: make it shorter, there is no directive for it`;
  }
  if (software.startsWith('lighttpd')) {
    if (head.length <= LIGHTTPD_HEAD_BYTES) return undefined;
    return `lighttpd refuses response heads of more than ${LIGHTTPD_HEAD_BYTES} bytes, and this one has ${head.length}: make it shorter, there is no directive for it`;
  }
  if (head.length <= NGINX_HEAD_BYTES) return undefined;
  const kilobytes = Math.ceil(head.length / 4096) * 4;
  return `nginx refuses response heads that do not fit scgi_buffer_size, 4k by default, and this one has ${head.length} bytes: set scgi_buffer_size ${kilobytes}k; and scgi_buffers 8 ${kilobytes}k;`;
}
