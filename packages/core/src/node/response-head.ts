// From Node's HTTP response head to a CGI response head (RFC 3875 §6). Node formats and validates; this cuts what
// belongs to HTTP connections, which CGI does not have.

/** Lines that never reach the wire. The `Status:` line in front is not matched: it follows no line end. */
const cutLines =
  /\r\n(?:connection|keep-alive|proxy-connection|status|te|trailer|transfer-encoding|upgrade):[^\r\n]*/gi;
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
  if (isPlain(head)) return head;
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

/** Lengths of the names in `cutLines`, and of Content-Type, as bits. */
const suspectLengths = [2, 6, 7, 10, 12, 16, 17].reduce((bits, length) => bits | (1 << length), 0);

/** Whether the head surely has nothing to cut or add: true for most, and cheaper to see than a regular expression. */
function isPlain(head: string): boolean {
  if (head.startsWith('204', 'Status: '.length)) return false;
  for (let line = head.indexOf('\r\n') + 2; line < head.length - 2; line = head.indexOf('\r\n', line) + 2) {
    const length = head.indexOf(':', line) - line;
    if (length < 32 && (suspectLengths & (1 << length)) !== 0 && !isPlainType(head, line, length)) return false;
  }
  return true;
}

/** The one suspect that nearly every response has is Content-Type, and only `text/event-stream` matters. */
function isPlainType(head: string, line: number, length: number): boolean {
  if (length !== 12) return false;
  let value = line + length + 1;
  while (head.charAt(value) === ' ' || head.charAt(value) === '\t') value += 1;
  // The sixth character tells it from text/html and text/plain; whatever else has an "e" there is looked at closely.
  return head.charAt(value + 5).toLowerCase() !== 'e';
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
