// From Node's HTTP response head to a CGI response head (RFC 3875 §6). Node formats and validates; this cuts what
// belongs to HTTP connections, which CGI does not have.

/** Lines that never reach the wire. The `Status:` line in front is not matched: it follows no line end. */
const cutLines =
  /\r\n(?:connection|keep-alive|proxy-connection|status|te|trailer|transfer-encoding|upgrade):[^\r\n]*/gi;
/** Finds whether anything is to be done at all: usually not, and one scan is cheaper than four. */
const special =
  /^Status: 204|\r\n(?:connection|keep-alive|proxy-connection|status|te|trailer|transfer-encoding|upgrade|content-type:[ \t]*text\/event-stream)/i;
const connectionLine = /\r\nconnection:([^\r\n]*)/gi;
const eventStream = /\r\ncontent-type:[ \t]*text\/event-stream/i;
const contentLength = /\r\ncontent-length:[^\r\n]*/gi;
const accelBuffering = /\r\nx-accel-buffering:/i;

/** `HTTP/1.1 200 OK\r\n` → `Status: 200 OK\r\n`: Apache answers 500 to a status line. */
export function statusField(statusLine: string): string {
  return `Status: ${statusLine.slice('HTTP/1.1 '.length)}`;
}

/**
 * Cuts hop-by-hop fields, those that Connection names, and a `Status` of the application's own, which would override
 * its status code. `head` ends with an empty line and holds no bare CR or LF in values: Node has checked.
 */
export function toCgiHead(head: string, unbufferedEvents: boolean): string {
  if (!special.test(head)) return head;
  let cgi = head.replace(cutLines, '');
  // Both texts differ in length exactly when something was cut.
  if (cgi.length !== head.length) cgi = cutNamedFields(head, cgi);
  // RFC 9110 §8.6: a 204 must not have one; nginx passes it on.
  if (cgi.startsWith('Status: 204')) cgi = cgi.replace(contentLength, '');
  // nginx holds back whole buffers of a response unless it is told not to.
  if (unbufferedEvents && eventStream.test(cgi) && !accelBuffering.test(cgi)) {
    cgi = `${cgi.slice(0, -2)}X-Accel-Buffering: no\r\n\r\n`;
  }
  return cgi;
}

/** RFC 9110 §7.6.1: a field that Connection names ends with the connection, as Connection itself does. */
function cutNamedFields(head: string, cgi: string): string {
  for (const match of head.matchAll(connectionLine)) {
    for (const token of (match[1] ?? '').split(',')) {
      const name = token.trim();
      if (/^[!#$%&'*+\-.^_`|~\w]+$/.test(name) && !/^(?:close|keep-alive|upgrade)$/i.test(name)) {
        const escaped = name.replace(/[$*+.^|]/g, '\\$&');
        cgi = cgi.replace(new RegExp(`\\r\\n${escaped}:[^\\r\\n]*`, 'gi'), '');
      }
    }
  }
  return cgi;
}

/** Adds a Content-Length to a head that `toCgiHead` has made. */
export function withLength(cgiHead: string, length: number): string {
  return `${cgiHead.slice(0, -2)}Content-Length: ${length}\r\n\r\n`;
}
