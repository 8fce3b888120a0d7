/*
 * cgi2scgi: a CGI program that hands its request to a long-running SCGI server and copies the answer back, for hosts
 * that offer nothing but CGI. One process, one request; of a body it holds 64 KiB each way. C99 and POSIX, no libraries.
 *
 *   cc -O2 -o cgi2scgi cgi2scgi.c
 *   cc -O2 '-DCGI2SCGI_TO="unix:/home/me/app.sock"' -o app.cgi cgi2scgi.c
 *
 * Usage, options and limits are in the README of @scgi/cgi. The same program is there for Node.js (src/cgi2scgi) and
 * for Perl (cgi2scgi.pl); one table of tests holds the three to the same behaviour.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  BLOCK_BYTES = 65536,
  MAX_HEAD_BYTES = 65536, /* as lighttpd */
  FIRST_PAUSE_MS = 25,
  LONGEST_PAUSE_MS = 1000,
  CLOSE_TIMEOUT_MS = 2000,    /* closing earlier would look to the server like a client that left */
  DISCARD_TIMEOUT_MS = 300000, /* as requestTimeout of @scgi/core */
  USAGE_EXIT = 2
};

static const long long MAX_LENGTH = 9007199254740991LL; /* 2^53 - 1, as the rest of the suite */
static const long MAX_TIME_MS = 2147483647L;

extern char **environ;

/* ---- What is configured ---- */

static struct {
  const char *target; /* as it is written in logs */
  const char *path;   /* of a Unix socket; NULL for TCP */
  const char *host;
  const char *port;
  const char *pass; /* names of further variables */
  const char *start; /* a program that starts the server; NULL for none */
  long retry_for, connect_timeout, first_byte_timeout, idle_timeout; /* milliseconds, 0 for none */
} settings = {NULL, NULL, NULL, NULL, "", NULL, 10000, 5000, 60000, 60000};

/* ---- The state of the one request ---- */

static struct sockaddr_un unix_address;
static struct addrinfo unix_info;
static struct addrinfo *addresses;

static const char *method = "";
static char *head; /* the netstring */
static size_t head_length;
static long long body_to_read; /* bytes of the body that standard input still owes */
static int body_touched;       /* some of it was read: the request cannot be sent again */

static char up[BLOCK_BYTES]; /* of the body, on its way to the server */
static size_t up_start, up_end;
static char down[MAX_HEAD_BYTES + BLOCK_BYTES + 16]; /* of the answer, on its way to the web server */
static size_t down_start, down_end;

static char answer_head[MAX_HEAD_BYTES];
static size_t answer_head_length, skipped_head_bytes;
static int head_complete;
static long long answer_left; /* bytes of its body; -1: up to the end of the connection */

static long long now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Failing ---- */

static const char *reason_phrase(int status)
{
  switch (status) {
  case 400: return "Bad Request";
  case 408: return "Request Timeout";
  case 411: return "Length Required";
  case 500: return "Internal Server Error";
  case 503: return "Service Unavailable";
  case 504: return "Gateway Timeout";
  default: return "Bad Gateway";
  }
}

static void write_all(int descriptor, const char *bytes, size_t length)
{
  while (length > 0) {
    ssize_t written = write(descriptor, bytes, length);
    if (written > 0) {
      bytes += written;
      length -= (size_t)written;
    } else if (written < 0 && errno != EINTR) {
      return; /* Nobody is there to be told. */
    }
  }
}

/* Logs one line: nothing in it may begin another. */
static void log_line(const char *code, const char *message)
{
  char line[1400];
  int length = snprintf(line, sizeof line - 1, "cgi2scgi: %s: %s", code, message);
  if (length < 0) return;
  if ((size_t)length > sizeof line - 2) length = (int)sizeof line - 2;
  for (int index = 0; index < length; index++) {
    if ((unsigned char)line[index] < 0x20 || line[index] == 0x7f) line[index] = '?';
  }
  line[length] = '\n';
  write_all(STDERR_FILENO, line, (size_t)length + 1);
}

/*
 * Apache's mod_cgid gives one socket for standard input and output. Closed with unread input it is reset, and Apache
 * drops the answer that lies in it; so the rest of the body is read and thrown away. Pipes have no such trouble.
 */
static void discard_body(void)
{
  static char rest[BLOCK_BYTES];
  struct stat status;
  long long end = now_ms() + DISCARD_TIMEOUT_MS;
  if (body_to_read == 0 || fstat(STDIN_FILENO, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  while (body_to_read > 0) {
    struct pollfd polled = {STDIN_FILENO, POLLIN, 0};
    long long left = end - now_ms();
    if (settings.idle_timeout != 0 && settings.idle_timeout < left) left = settings.idle_timeout;
    if (left <= 0 || poll(&polled, 1, (int)left) == 0) return;
    ssize_t count = read(STDIN_FILENO, rest, body_to_read < (long long)sizeof rest ? (size_t)body_to_read : sizeof rest);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (count > 0) body_to_read -= count;
  }
}

/* No more will be written. The web server need not wait for our own end. */
static void end_output(void)
{
  shutdown(STDOUT_FILENO, SHUT_WR);
  close(STDOUT_FILENO);
}

/* The web server gets the status and its phrase; the reason is for the log. */
static size_t format_failure(char *answer, size_t size, int status)
{
  char body[64];
  int body_length = snprintf(body, sizeof body, "%d %s\n", status, reason_phrase(status));
  int length = snprintf(answer, size, "Status: %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", status,
                        reason_phrase(status), body_length, strcmp(method, "HEAD") == 0 ? "" : body);
  return length < 0 ? 0 : (size_t)length;
}

#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 3, 4)))
#endif
static void fail(int status, const char *code, const char *format, ...)
{
  char message[1200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  log_line(code, message);
  /* Once a head has gone out there is no other way to say it. */
  if (!head_complete) {
    char answer[256];
    write_all(STDOUT_FILENO, answer, format_failure(answer, sizeof answer, status));
    end_output();
    discard_body();
  }
  exit(1);
}

static void *allocate(size_t size)
{
  void *memory = malloc(size);
  if (memory == NULL) fail(500, "ENOMEM", "no memory");
  return memory;
}

static const char *error_name(int error)
{
  static char unknown[32];
  switch (error) {
  case EACCES: return "EACCES";
  case EADDRNOTAVAIL: return "EADDRNOTAVAIL";
  case EAGAIN: return "EAGAIN";
  case ECONNABORTED: return "ECONNABORTED";
  case ECONNREFUSED: return "ECONNREFUSED";
  case ECONNRESET: return "ECONNRESET";
  case EHOSTUNREACH: return "EHOSTUNREACH";
  case ELOOP: return "ELOOP";
  case EMFILE: return "EMFILE";
  case ENAMETOOLONG: return "ENAMETOOLONG";
  case ENETUNREACH: return "ENETUNREACH";
  case ENFILE: return "ENFILE";
  case ENOBUFS: return "ENOBUFS";
  case ENOENT: return "ENOENT";
  case ENOMEM: return "ENOMEM";
  case ENOTDIR: return "ENOTDIR";
  case ENOTSOCK: return "ENOTSOCK";
  case EPERM: return "EPERM";
  case EPIPE: return "EPIPE";
  case EPROTOTYPE: return "EPROTOTYPE";
  case ETIMEDOUT: return "ETIMEDOUT";
  default: snprintf(unknown, sizeof unknown, "errno %d", error); return unknown;
  }
}

/* ---- Settings ---- */

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void refuse_target(const char *target, const char *problem)
{
  fail(500, "ERR_SCGI_OPTION", "an option has an impossible value (target \"%s\", problem \"%s\")", target, problem);
}

static void parse_unix(const char *target)
{
  const char *path = target + strlen("unix:");
  if (*path == '\0') refuse_target(target, "the path is empty or holds a NUL");
  if (strncmp(path, "//", 2) == 0) refuse_target(target, "not a URL: write the path right after unix:");
  /* A longer one would be cut, and lead somewhere else. */
  if (strlen(path) >= sizeof unix_address.sun_path) refuse_target(target, "the path is too long for a socket address");
  settings.path = path;
}

static void parse_tcp(char *target)
{
  char *colon = strrchr(target, ':');
  char *host = target;
  const char *port = colon == NULL ? target : colon + 1;
  size_t digits = strspn(port, "0123456789");
  if (digits == 0 || digits > 5 || port[digits] != '\0' || port[0] == '0' || atol(port) > 65535) {
    refuse_target(settings.target, "the port is not a number from 1 to 65535");
  }
  settings.port = port;
  settings.host = "127.0.0.1";
  if (colon == NULL) return;
  *colon = '\0';
  size_t length = strlen(host);
  if (host[0] == '[' && length > 2 && host[length - 1] == ']') {
    host[length - 1] = '\0';
    host++;
    if (strspn(host, "0123456789abcdefABCDEF:.") != strlen(host) || strchr(host, ':') == NULL) {
      refuse_target(settings.target, "the host is not a name or an address");
    }
  } else if (strchr(host, ':') != NULL) {
    refuse_target(settings.target, "an IPv6 address needs brackets");
  } else if (length == 0 || strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != length) {
    refuse_target(settings.target, "the host is not a name or an address");
  }
  settings.host = host;
}

static void parse_target(const char *word)
{
  char *copy = allocate(strlen(word) + 16);
  settings.target = word;
  if (strncmp(word, "unix:", 5) == 0) {
    parse_unix(word);
    return;
  }
  if (word[0] == '/' || strncmp(word, "./", 2) == 0) refuse_target(word, "a path needs unix: before it");
  if (strstr(word, "://") != NULL) refuse_target(word, "a target is not a URL");
  parse_tcp(strcpy(copy, word));
  if (strchr(word, ':') == NULL) {
    char *text = allocate(strlen(word) + 16);
    sprintf(text, "127.0.0.1:%s", word);
    settings.target = text;
  }
}

static int parse_time(const char *word, const char *name, long *time)
{
  size_t length = strlen(name);
  if (strncmp(word, name, length) != 0) return 0;
  const char *value = word + length;
  size_t digits = strspn(value, "0123456789");
  if (digits == 0 || digits > 10 || value[digits] != '\0' || atoll(value) > MAX_TIME_MS) {
    fail(500, "ERR_SCGI_OPTION", "an option has an impossible value (option \"%s\", problem \"not a number of milliseconds\")",
         word);
  }
  *time = (long)atoll(value);
  return 1;
}

/* A list of names, each of which may end with one asterisk for all that follows. */
static int parse_pass(const char *word)
{
  if (strncmp(word, "--pass=", 7) != 0) return 0;
  const char *list = word + 7;
  for (const char *name = list;;) {
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    const char *end = name + length + (name[length] == '*' ? 1 : 0);
    if (length == 0 || (*end != ',' && *end != '\0')) {
      fail(500, "ERR_SCGI_OPTION", "an option has an impossible value (option \"%s\", problem \"not a list of names\")", word);
    }
    if (*end == '\0') break;
    name = end + 1;
  }
  settings.pass = list;
  return 1;
}

static int parse_start(const char *word)
{
  if (strncmp(word, "--start=", 8) != 0) return 0;
  if (word[8] != '/') {
    fail(500, "ERR_SCGI_OPTION", "an option has an impossible value (option \"%s\", problem \"not an absolute path\")", word);
  }
  settings.start = word + 8;
  return 1;
}

/* `unix:/home/me/app.sock --retry-for=5000`: Linux passes all that stands behind the interpreter as one argument. */
static void parse_settings(const char *line)
{
  char *copy = strcpy(allocate(strlen(line) + 1), line);
  for (char *word = strtok(copy, " \t\r\n"); word != NULL; word = strtok(NULL, " \t\r\n")) {
    if (strncmp(word, "--", 2) != 0 && settings.target == NULL) {
      parse_target(word);
      continue;
    }
    if (parse_time(word, "--retry-for=", &settings.retry_for)) continue;
    if (parse_time(word, "--connect-timeout=", &settings.connect_timeout)) continue;
    if (parse_time(word, "--first-byte-timeout=", &settings.first_byte_timeout)) continue;
    if (parse_time(word, "--idle-timeout=", &settings.idle_timeout)) continue;
    if (parse_pass(word)) continue;
    if (parse_start(word)) continue;
    fail(500, "ERR_SCGI_OPTION", "an option has an impossible value (option \"%s\", problem \"there is no such option\")", word);
  }
}

static int hex_digit(char character)
{
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

/*
 * RFC 3875 §4.4: a query without "=" is cut at each "+" and becomes arguments, so a client could say where to connect
 * (php-cgi was taken over that way, CVE-2012-1823). They stand behind all others: if the first argument is the first
 * word of the query, there are no others. Apache puts backslashes before some characters; they do not count here.
 */
static int is_from_query(const char *argument, const char *query)
{
  if (query == NULL || *query == '\0' || strchr(query, '=') != NULL) return 0;
  while (*query != '\0' && *query != '+') {
    char character = *query++;
    if (character == '%' && hex_digit(query[0]) >= 0 && hex_digit(query[1]) >= 0) {
      character = (char)(hex_digit(query[0]) * 16 + hex_digit(query[1]));
      query += 2;
      if (character == '\0') break;
    }
    if (character == '\\') continue;
    while (*argument == '\\') argument++;
    if (*argument++ != character) return 0;
  }
  while (*argument == '\\') argument++;
  return *argument == '\0';
}

/* Compiled in, else from the web server's configuration, else from the `#!` line. None of it can be a client's. */
static void read_settings(int count, char **arguments)
{
#ifdef CGI2SCGI_TO
  (void)count;
  (void)arguments;
  parse_settings(CGI2SCGI_TO);
#else
  const char *configured = getenv("SCGI_TO");
  if (configured != NULL && *configured != '\0') {
    parse_settings(configured);
  } else if (count > 1 && !is_from_query(arguments[1], getenv("QUERY_STRING"))) {
    parse_settings(arguments[1]);
  }
#endif
  if (settings.target == NULL) {
    fail(500, "ERR_SCGI_OPTION",
         "an option has an impossible value (option \"SCGI_TO\", problem \"nothing says where the SCGI server is\")");
  }
}

/* ---- The request ---- */

/* What a request says: RFC 3875 §4.1 and what web servers add. The same list is in env/process-variables.ts of @scgi/core. */
static const char *const request_names[] = {
    "AUTH_TYPE",      "CONTENT_TYPE",     "CONTEXT_DOCUMENT_ROOT", "CONTEXT_PREFIX", "DOCUMENT_ROOT",   "DOCUMENT_URI",
    "GATEWAY_INTERFACE", "H2PUSH",        "HTTP2",                 "HTTPS",          "PATH_INFO",       "PATH_TRANSLATED",
    "QUERY_STRING",   "REMOTE_ADDR",      "REMOTE_HOST",           "REMOTE_IDENT",   "REMOTE_PORT",     "REMOTE_USER",
    "REQUEST_METHOD", "REQUEST_SCHEME",   "REQUEST_URI",           "SCRIPT_FILENAME", "SCRIPT_NAME",    "SCRIPT_URI",
    "SCRIPT_URL",     "SERVER_ADDR",      "SERVER_ADMIN",          "SERVER_NAME",    "SERVER_PORT",     "SERVER_PROTOCOL",
    "SERVER_SIGNATURE", "SERVER_SOFTWARE", "UNIQUE_ID",
};
/* Fields; mod_http2; mod_ssl and mod_openssl. Not all of SSL_: OpenSSL itself is configured by SSL_CERT_FILE. */
static const char *const request_prefixes[] = {
    "HTTP_",       "H2_",         "SSL_CIPHER",   "SSL_CLIENT_", "SSL_COMPRESS_", "SSL_PROTOCOL", "SSL_SECURE_RENEG",
    "SSL_SERVER_", "SSL_SESSION", "SSL_SRP_USER", "SSL_TLS_SNI", "SSL_VERSION_",
};
/* Apache, once it has gone on to another request: what the first one said, and why. */
static const char *const redirect_names[] = {"ERROR_NOTES", "HANDLER", "STATUS", "URI", "URL"};

static int is_listed(const char *name, const char *const *list, size_t count)
{
  for (size_t index = 0; index < count; index++) {
    if (strcmp(name, list[index]) == 0) return 1;
  }
  return 0;
}

static int is_request_variable(const char *name, int redirected)
{
  if (redirected && is_listed(name, redirect_names, sizeof redirect_names / sizeof *redirect_names)) return 1;
  for (size_t index = 0; index < sizeof request_prefixes / sizeof *request_prefixes; index++) {
    if (strncmp(name, request_prefixes[index], strlen(request_prefixes[index])) == 0) return 1;
  }
  return is_listed(name, request_names, sizeof request_names / sizeof *request_names);
}

/* `APP_MODE,GEOIP_*` */
static int is_asked_for(const char *name)
{
  for (const char *pattern = settings.pass; *pattern != '\0';) {
    size_t length = strcspn(pattern, ",");
    int is_prefix = length > 0 && pattern[length - 1] == '*';
    if (is_prefix ? strncmp(name, pattern, length - 1) == 0 : strlen(name) == length && strncmp(name, pattern, length) == 0) {
      return 1;
    }
    pattern += length + (pattern[length] == ',' ? 1 : 0);
  }
  return 0;
}

static int is_passed(const char *name)
{
  const char *original = name;
  while (strncmp(original, "REDIRECT_", 9) == 0) original += 9;
  if (strcasecmp(original, "HTTP_PROXY") == 0) return 0; /* CVE-2016-5385 and its kin */
  if (strcasecmp(original, "CONTENT_LENGTH") == 0 || strcasecmp(original, "SCGI") == 0) return 0; /* said by ourselves */
  return is_request_variable(original, original != name) || is_asked_for(original) || is_asked_for(name);
}

/* 1*DIGIT; -1 for anything else. */
static long long parse_length(const char *text, size_t size)
{
  long long length = 0;
  if (size == 0) return -1;
  for (size_t index = 0; index < size; index++) {
    if (text[index] < '0' || text[index] > '9') return -1;
    length = length * 10 + (text[index] - '0');
    if (length > MAX_LENGTH) return -1;
  }
  return length;
}

/* How much of standard input there may be: all, where nothing sensible says how much. */
static long long awaited_input(const char *text)
{
  if (text[0] == '\0') {
    const char *coding = getenv("HTTP_TRANSFER_ENCODING");
    return coding == NULL || coding[0] == '\0' ? 0 : MAX_LENGTH + 1;
  }
  long long length = parse_length(text, strlen(text));
  return length < 0 ? MAX_LENGTH + 1 : length;
}

static void check_content_length(const char *text)
{
  if (body_to_read <= MAX_LENGTH) return;
  /* Apache passes a chunked body on without its length. Taking it for none would lose it without a word. */
  if (text[0] == '\0') fail(411, "ERR_SCGI_LENGTH_REQUIRED", "the request body has no length and is too large to hold back");
  fail(400, "ERR_SCGI_CONTENT_LENGTH", "CONTENT_LENGTH is missing, malformed or contradictory");
}

/* The variables of the request, names and values in turn, each with its NUL. Of a name that is there twice the first counts, as with getenv. */
static char *collect_variables(size_t *size)
{
  size_t most = 0, count = 0;
  for (char **variable = environ; *variable != NULL; variable++, count++) most += strlen(*variable) + 1;
  char *variables = allocate(most + 1);
  char **names = allocate((count + 1) * sizeof *names);
  size_t taken = 0, end = 0;
  for (char **variable = environ; *variable != NULL; variable++) {
    const char *equals = strchr(*variable, '=');
    if (equals == NULL || equals == *variable) continue;
    char *name = variables + end;
    size_t name_length = (size_t)(equals - *variable);
    memcpy(name, *variable, name_length);
    name[name_length] = '\0';
    if (!is_passed(name)) continue;
    size_t known = 0;
    while (known < taken && strcasecmp(names[known], name) != 0) known++;
    if (known < taken) continue;
    names[taken++] = name;
    size_t value_length = strlen(equals + 1);
    memcpy(name + name_length + 1, equals + 1, value_length + 1);
    end += name_length + 1 + value_length + 1;
  }
  free(names);
  *size = end;
  return variables;
}

static void build_head(void)
{
  char first[64], prefix[32];
  size_t size;
  char *variables = collect_variables(&size);
  int first_length = snprintf(first, sizeof first, "CONTENT_LENGTH%c%lld%cSCGI%c1%c", 0, body_to_read, 0, 0, 0);
  int prefix_length = snprintf(prefix, sizeof prefix, "%zu:", (size_t)first_length + size);
  head = allocate((size_t)prefix_length + (size_t)first_length + size + 1);
  char *end = head;
  memcpy(end, prefix, (size_t)prefix_length);
  end += prefix_length;
  memcpy(end, first, (size_t)first_length);
  end += first_length;
  memcpy(end, variables, size);
  end += size;
  *end++ = ',';
  head_length = (size_t)(end - head);
  free(variables);
}

/* ---- Connecting ---- */

static char late_answer[512];
static size_t late_answer_length, late_log_length;
static char late_log[1400];

/* A name is looked up by the C library, in its own time: this ends it. Only what a signal handler may do. */
static void give_up_lookup(int signal_number)
{
  (void)signal_number;
  write_all(STDERR_FILENO, late_log, late_log_length);
  write_all(STDOUT_FILENO, late_answer, late_answer_length);
  _exit(1);
}

static int find_numeric_addresses(void)
{
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  return getaddrinfo(settings.host, settings.port, &hints, &addresses);
}

static void find_addresses(void)
{
  if (settings.path != NULL) {
    unix_address.sun_family = AF_UNIX;
    strcpy(unix_address.sun_path, settings.path);
    unix_info.ai_family = AF_UNIX;
    unix_info.ai_socktype = SOCK_STREAM;
    unix_info.ai_addr = (struct sockaddr *)&unix_address;
    unix_info.ai_addrlen = sizeof unix_address;
    addresses = &unix_info;
    return;
  }
  if (find_numeric_addresses() == 0) return;
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  int length = snprintf(late_log, sizeof late_log,
                        "cgi2scgi: ERR_SCGI_BACKEND_TIMEOUT: the SCGI backend did not answer in time (backend \"%s\", awaited \"connect\")\n",
                        settings.target);
  late_log_length = length < 0 ? 0 : (size_t)length < sizeof late_log ? (size_t)length : sizeof late_log - 1;
  late_answer_length = format_failure(late_answer, sizeof late_answer, 504);
  signal(SIGALRM, give_up_lookup);
  alarm((unsigned)((settings.connect_timeout + 999) / 1000));
  int failure = getaddrinfo(settings.host, settings.port, &hints, &addresses);
  alarm(0);
  if (failure == 0) return;
  fail(502, "ERR_SCGI_BACKEND_UNREACHABLE", "no connection to the SCGI backend (backend \"%s\", reason \"%s\")", settings.target,
       failure == EAI_NONAME ? "ENOTFOUND" : failure == EAI_AGAIN ? "EAI_AGAIN" : gai_strerror(failure));
}

/* The web server has closed its end: nobody wants the answer. The server sees the connection end. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void leave(void)
{
  exit(1);
}

/* Waits for one descriptor, and for the web server to leave. Returns 0 when the time is over. */
static int wait_for(int descriptor, short events, int timeout)
{
  struct pollfd polled[2] = {{descriptor, events, 0}, {STDOUT_FILENO, 0, 0}};
  long long end = now_ms() + timeout;
  for (;;) {
    int count = poll(polled, 2, timeout < 0 ? -1 : timeout);
    if (count > 0 && (polled[1].revents & (POLLERR | POLLHUP)) != 0) leave();
    if (count > 0 && polled[0].revents != 0) return 1;
    if (count == 0) return 0;
    /* A signal, or a descriptor that cannot be watched on this system. */
    if (count > 0) polled[1].fd = -1;
    if (timeout >= 0) timeout = end > now_ms() ? (int)(end - now_ms()) : 0;
  }
}

/* Returns the socket, or -1 with the reason in errno. */
static int connect_once(const struct addrinfo *address, long long deadline)
{
  int server = socket(address->ai_family, SOCK_STREAM, 0);
  if (server < 0) return -1;
  fcntl(server, F_SETFL, fcntl(server, F_GETFL) | O_NONBLOCK);
  int error = connect(server, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS || error == EINTR) {
    long long left = deadline - now_ms();
    if (wait_for(server, POLLOUT, deadline == 0 ? -1 : left > 0 ? (int)left : 0)) {
      socklen_t size = sizeof error;
      getsockopt(server, SOL_SOCKET, SO_ERROR, &error, &size);
    } else {
      error = ETIMEDOUT;
    }
  }
  if (error != 0) {
    close(server);
    errno = error;
    return -1;
  }
  if (address->ai_family != AF_UNIX) {
    int on = 1;
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return server;
}

static int connect_to_server(void)
{
  long long deadline = settings.connect_timeout == 0 ? 0 : now_ms() + settings.connect_timeout;
  int server = -1;
  for (const struct addrinfo *address = addresses; address != NULL && server < 0; address = address->ai_next) {
    server = connect_once(address, deadline);
  }
  return server;
}

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void fail_to_connect(int error)
{
  const char *reason = error_name(error);
  switch (error) {
  case ETIMEDOUT:
    fail(504, "ERR_SCGI_BACKEND_TIMEOUT", "the SCGI backend did not answer in time (backend \"%s\", awaited \"connect\")",
         settings.target);
  case EAGAIN: /* the queue of a Unix socket is full */
  case EADDRNOTAVAIL: /* this and the following: our own limits */
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    fail(503, "ERR_SCGI_BACKEND_BUSY", "no connection to the SCGI backend is free (backend \"%s\", reason \"%s\")",
         settings.target, reason);
  default:
    fail(502, "ERR_SCGI_BACKEND_UNREACHABLE", "no connection to the SCGI backend (backend \"%s\", reason \"%s\")",
         settings.target, reason);
  }
}

/* ---- The head of the answer ---- */

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void refuse_head(const char *fault)
{
  fail(502, "ERR_SCGI_RESPONSE_HEAD", "the response head is malformed (%s)", fault);
}

/* Where the head ends, behind its empty line; 0 if it is not all there. */
static size_t find_head_end(const char *bytes, size_t length)
{
  for (size_t start = 0; start < length;) {
    const char *newline = memchr(bytes + start, '\n', length - start);
    if (newline == NULL) return 0;
    size_t end = (size_t)(newline - bytes);
    if (end == start || (end == start + 1 && bytes[start] == '\r')) return end + 1;
    start = end + 1;
  }
  return 0;
}

static int is_token(const char *text, size_t length)
{
  for (size_t index = 0; index < length; index++) {
    char character = text[index];
    if (character == '\0' || strchr("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", character) == NULL)
      return 0;
  }
  return length > 0;
}

static int is_value(const char *text, size_t length)
{
  for (size_t index = 0; index < length; index++) {
    unsigned char character = (unsigned char)text[index];
    if ((character < 0x20 && character != '\t') || character == 0x7f) return 0;
  }
  return 1;
}

static int parse_status(const char *text, size_t length)
{
  if (length < 3 || (length > 3 && text[3] != ' ') || text[0] < '1' || text[0] > '9' || !is_value(text, length)) return 0;
  if (text[1] < '0' || text[1] > '9' || text[2] < '0' || text[2] > '9') return 0;
  return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

struct answer {
  int status; /* 0: not said */
  long long length; /* -1: not said */
  int has_location;
};

static void take_status(struct answer *answer, const char *text, size_t length)
{
  int status = parse_status(text, length);
  if (status == 0 || (answer->status != 0 && answer->status != status)) {
    fail(502, "ERR_SCGI_RESPONSE_STATUS", "the response status is not a number from 100 to 999");
  }
  answer->status = status;
}

static int is_named(const char *text, size_t length, const char *name)
{
  return length == strlen(name) && strncasecmp(text, name, length) == 0;
}

static void take_field(struct answer *answer, const char *line, size_t length)
{
  const char *colon = memchr(line, ':', length);
  if (colon == NULL || !is_token(line, (size_t)(colon - line))) refuse_head("a line is no field");
  size_t name_length = (size_t)(colon - line);
  const char *value = colon + 1, *end = line + length;
  while (value < end && (*value == ' ' || *value == '\t')) value++;
  while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
  size_t value_length = (size_t)(end - value);
  if (!is_value(value, value_length)) refuse_head("a field has a control character");
  if (is_named(line, name_length, "status")) {
    take_status(answer, value, value_length);
  } else if (is_named(line, name_length, "content-length")) {
    long long known = parse_length(value, value_length);
    if (known < 0 || (answer->length >= 0 && answer->length != known)) {
      fail(502, "ERR_SCGI_RESPONSE_CONTENT_LENGTH", "the response Content-Length is malformed or contradictory");
    }
    answer->length = known;
  } else if (is_named(line, name_length, "transfer-encoding")) {
    fail(502, "ERR_SCGI_RESPONSE_FRAMING", "the response uses Transfer-Encoding, which CGI does not have");
  } else if (is_named(line, name_length, "location")) {
    answer->has_location = 1;
  }
}

/* RFC 3875 §5: a program that starts like HTTP. nginx and lighttpd accept that of an SCGI server, Apache's CGI does not. */
static int is_status_line(const char *line, size_t length)
{
  if (length < 5 || strncmp(line, "HTTP/", 5) != 0) return 0;
  if (length < 9 || strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' || line[8] != ' ') {
    fail(502, "ERR_SCGI_RESPONSE_STATUS", "the response status is not a number from 100 to 999");
  }
  return 1;
}

/* Reads the first `length` bytes of the head that was gathered, and puts it on its way out unless it is an interim one. */
static void take_head(size_t length)
{
  struct answer answer = {0, -1, 0};
  size_t status_line = 0;
  for (size_t start = 0;;) {
    const char *line = answer_head + start;
    size_t line_length = (size_t)((const char *)memchr(line, '\n', length - start) - line);
    size_t next = start + line_length + 1;
    if (line_length > 0 && line[line_length - 1] == '\r') line_length--;
    if (line_length == 0) break;
    if (start == 0 && is_status_line(line, line_length)) {
      status_line = 9;
      size_t from = 9, to = line_length;
      while (from < to && line[from] == ' ') from++;
      while (to > from && line[to - 1] == ' ') to--;
      take_status(&answer, line + from, to - from);
    } else {
      take_field(&answer, line, line_length);
    }
    start = next;
  }
  int status = answer.status != 0 ? answer.status : answer.has_location ? 302 : 200;
  if (status == 101) fail(502, "ERR_SCGI_RESPONSE_STATUS", "the response status is not a number from 100 to 999 (status 101)");
  if (status < 200) {
    skipped_head_bytes += length;
    return;
  }
  head_complete = 1;
  answer_left = strcmp(method, "HEAD") == 0 || status == 204 || status == 304 ? 0 : answer.length;
  if (status_line > 0) {
    memcpy(down, "Status: ", 8);
    down_end = 8;
  }
  memcpy(down + down_end, answer_head + status_line, length - status_line);
  down_end += length - status_line;
}

static void take_body(const char *bytes, size_t length)
{
  /* A body longer than its Content-Length is cut there, as nginx and lighttpd do. */
  if (answer_left >= 0 && (long long)length > answer_left) length = (size_t)answer_left;
  if (answer_left > 0) answer_left -= (long long)length;
  memcpy(down + down_end, bytes, length);
  down_end += length;
}

static void take_answer(const char *bytes, size_t length)
{
  while (!head_complete) {
    size_t before = answer_head_length;
    size_t room = MAX_HEAD_BYTES - skipped_head_bytes - before;
    size_t taken = length < room ? length : room;
    memcpy(answer_head + before, bytes, taken);
    answer_head_length += taken;
    size_t end = find_head_end(answer_head, answer_head_length);
    if (end == 0) {
      if (taken < length || room == 0) {
        fail(502, "ERR_SCGI_RESPONSE_HEAD_TOO_LARGE", "the response head is larger than maxHeadBytes (maxHeadBytes %d)", MAX_HEAD_BYTES);
      }
      return;
    }
    take_head(end);
    bytes += end - before;
    length -= end - before;
    answer_head_length = 0;
  }
  take_body(bytes, length);
}

/* ---- The exchange ---- */

static int is_answer_whole(void)
{
  return head_complete && answer_left == 0;
}

/* Nobody can act on half a head. What may have been read is sent again only if that does no harm. */
static int may_resend(size_t head_sent)
{
  static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE"}; /* RFC 9110 §9.2.1 */
  return head_sent < head_length || (!body_touched && is_listed(method, safe, sizeof safe / sizeof *safe));
}

static void read_body(void)
{
  size_t room = sizeof up;
  if (body_to_read < (long long)room) room = (size_t)body_to_read;
  ssize_t count = read(STDIN_FILENO, up, room);
  if (count > 0) {
    body_touched = 1;
    up_start = 0;
    up_end = (size_t)count;
    body_to_read -= count;
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    body_to_read = 0; /* There is no more of it. */
    fail(400, "ERR_SCGI_PREMATURE_EOF", "the peer closed the connection inside a request");
  }
}

/* Returns 0 once nobody reads. */
static int write_answer(void)
{
  ssize_t count = write(STDOUT_FILENO, down + down_start, down_end - down_start);
  if (count >= 0) {
    down_start += (size_t)count;
    if (down_start == down_end) down_start = down_end = 0;
    return 1;
  }
  return errno == EAGAIN || errno == EINTR;
}

/* The answer is out. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void finish(int server, int request_sent, int server_ended)
{
  long long end = now_ms() + CLOSE_TIMEOUT_MS;
  end_output();
  while (request_sent && !server_ended) {
    struct pollfd polled = {server, POLLIN, 0};
    long long left = end - now_ms();
    if (left <= 0 || poll(&polled, 1, (int)left) == 0) break;
    ssize_t count = read(server, down, sizeof down);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) break;
  }
  close(server);
  discard_body();
  exit(0);
}

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void fail_by_reset(int error)
{
  fail(502, "ERR_SCGI_BACKEND_RESET", "the SCGI backend broke the connection (backend \"%s\", reason \"%s\")", settings.target,
       error_name(error));
}

/* The server ended the connection, and the answer is not known to be whole by its length. */
static void check_end(int write_error)
{
  if (!head_complete && answer_head_length + skipped_head_bytes == 0 && write_error == 0) {
    fail(502, "ERR_SCGI_RESPONSE_EMPTY", "the backend closed the connection without an answer");
  }
  if (head_complete && answer_left > 0) {
    fail(502, "ERR_SCGI_RESPONSE_TRUNCATED", "the response ended before its Content-Length (bytesMissing %lld)", answer_left);
  }
  /* The failed write has taken the error of the reset with it, and what the reset cut off now seems to end here. */
  if (write_error != 0) fail_by_reset(write_error);
  if (!head_complete) {
    if (answer_head_length == 0) fail(502, "ERR_SCGI_RESPONSE_EMPTY", "the backend closed the connection without an answer");
    refuse_head("fault \"ends inside the head\"");
  }
}

/* Sends the request and copies the answer. Returns only to be called again with a new connection. */
static int exchange(int server)
{
  static char received[BLOCK_BYTES];
  size_t head_sent = 0;
  int answered = 0, write_error = 0, ended = 0, watch_output = 1;
  long long progress = now_ms();
  /* The head leaves with the first of the body, if that is there already: some servers read once. */
  struct pollfd body = {STDIN_FILENO, POLLIN, 0};
  if (body_to_read > 0 && up_start == up_end && poll(&body, 1, 0) > 0) read_body();

  for (;;) {
    int request_sent = head_sent == head_length && body_to_read == 0 && up_start == up_end;
    if (down_end == 0 && (is_answer_whole() || ended)) finish(server, request_sent, ended);
    int sending = write_error == 0 && !is_answer_whole() && !ended;
    int wants_body = sending && body_to_read > 0 && up_start == up_end;
    int wants_send = sending && (head_sent < head_length || up_start < up_end);
    int wants_answer = down_end == 0 && !ended;
    struct pollfd polled[3] = {
        {wants_send || wants_answer ? server : -1, (short)((wants_send ? POLLOUT : 0) | (wants_answer ? POLLIN : 0)), 0},
        {wants_body ? STDIN_FILENO : -1, POLLIN, 0},
        {watch_output ? STDOUT_FILENO : -1, (short)(down_end > 0 ? POLLOUT : 0), 0},
    };
    long limit = answered || !request_sent ? settings.idle_timeout : settings.first_byte_timeout;
    long long left = progress + limit - now_ms();
    int count = poll(polled, 3, limit == 0 ? -1 : left > 0 ? (int)left : 0);
    if (count < 0 && errno != EINTR) fail(500, "ERR_SCGI_STATE", "poll failed (%s)", error_name(errno));
    if (count < 0) continue;
    if (count == 0) {
      if (down_end > 0 || wants_body) {
        body_to_read = 0; /* It was waited for long enough. */
        fail(408, "ERR_SCGI_IDLE_TIMEOUT", "the peer sent or took nothing for idleTimeout (idleTimeout %ld)", settings.idle_timeout);
      }
      fail(504, "ERR_SCGI_BACKEND_TIMEOUT", "the SCGI backend did not answer in time (backend \"%s\", awaited \"%s\")",
           settings.target, answered ? "response" : "first byte");
    }

    if ((polled[2].revents & (POLLERR | POLLHUP)) != 0) leave();
    if ((polled[2].revents & POLLNVAL) != 0) {
      /* Some systems cannot poll every kind of file. Those never block. */
      watch_output = 0;
      polled[2].revents = POLLOUT;
    }
    if (down_end > 0 && (!watch_output || (polled[2].revents & POLLOUT) != 0)) {
      if (!write_answer()) leave();
      progress = now_ms();
    }
    if (wants_body && polled[1].revents != 0) {
      read_body();
      progress = now_ms();
    }
    if (polled[0].revents == 0) continue;

    if (wants_answer && (polled[0].revents & ~POLLOUT) != 0) {
      ssize_t length = read(server, received, sizeof received);
      if (length > 0) {
        answered = 1;
        progress = now_ms();
        take_answer(received, (size_t)length);
      } else if (length == 0) {
        if (!answered && may_resend(head_sent) && (head_sent < head_length || write_error != 0)) return ECONNRESET;
        check_end(write_error);
        ended = 1;
      } else if (errno != EAGAIN && errno != EINTR) {
        if (!answered && may_resend(head_sent)) return errno;
        fail_by_reset(errno);
      }
    }
    if (wants_send && !ended && !is_answer_whole()) {
      struct iovec pieces[2] = {{head + head_sent, head_length - head_sent}, {up + up_start, up_end - up_start}};
      ssize_t sent = writev(server, pieces, 2);
      if (sent > 0) {
        size_t of_head = (size_t)sent < pieces[0].iov_len ? (size_t)sent : pieces[0].iov_len;
        head_sent += of_head;
        up_start += (size_t)sent - of_head;
        progress = now_ms();
      } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        /* It may have answered all the same: that is worth more than what it did not read. */
        write_error = errno;
      }
    }
  }
}

/*
 * Never returns. The server lives on when this process and its request are long gone, so it gets nothing of them: no
 * pipe, for whose end the web server would wait, and no variable, which a client may have made.
 */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void become_server(const char *folder, char *path_variable)
{
  char *arguments[] = {(char *)settings.start, NULL};
  char *variables[] = {path_variable, NULL};
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || chdir(folder) != 0) _exit(127);
  if (null > 2) close(null);
  setsid();
  signal(SIGPIPE, SIG_DFL);
  /* By way of execvp, which runs a text without #! as a shell does. */
  environ = variables;
  execvp(settings.start, arguments);
  _exit(127);
}

/* Nobody listens: starts the server, if there is a way to, and if what was started last has ended. */
static void start_server(void)
{
  static pid_t started = 0;
  static char default_path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
  struct stat status;
  if (settings.start == NULL || (started > 0 && waitpid(started, NULL, WNOHANG) == 0)) return;
  if (stat(settings.start, &status) != 0 || !S_ISREG(status.st_mode) || access(settings.start, X_OK) != 0) {
    fail(500, "ERR_SCGI_OPTION", "an option has an impossible value (option \"--start=%s\", problem \"not an executable file\")",
         settings.start);
  }
  char *folder = strcpy(allocate(strlen(settings.start) + 1), settings.start);
  strrchr(folder, '/')[1] = '\0';
  char *path_variable = default_path;
  for (char **variable = environ; *variable != NULL; variable++) {
    if (strncmp(*variable, "PATH=", 5) == 0) path_variable = *variable;
  }
  /* Without a process for it there is another attempt. */
  started = fork();
  if (started == 0) become_server(folder, path_variable);
  free(folder);
}

static int may_retry(int error)
{
  return error == ECONNREFUSED || error == ENOENT || error == EAGAIN || error == ECONNRESET || error == EPIPE;
}

/* A server that restarts is away for a moment. */
static void relay(void)
{
  long long start = now_ms();
  int pause = FIRST_PAUSE_MS;
  for (;;) {
    int server = connect_to_server();
    int connected = server >= 0;
    int error = connected ? exchange(server) : errno;
    if (connected) close(server);
    if (!connected && (error == ECONNREFUSED || error == ENOENT)) start_server();
    long long left = start + settings.retry_for - now_ms();
    if (!may_retry(error) || left <= 0) {
      if (connected) fail_by_reset(error);
      fail_to_connect(error);
    }
    wait_for(-1, 0, left < pause ? (int)left : pause);
    pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
  }
}

/* ---- The process ---- */

/* A socket must not get the number of a standard stream that is closed. */
static void open_standard_streams(void)
{
  for (int descriptor = 0; descriptor <= 2; descriptor++) {
    if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY) != descriptor) exit(1);
  }
}

/* Pipes and sockets only: they are ours alone, while a terminal or a file may be shared. */
static void make_output_nonblocking(void)
{
  struct stat status;
  if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) {
    fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  }
}

int main(int count, char **arguments)
{
  open_standard_streams();
  signal(SIGPIPE, SIG_IGN);
  method = getenv("REQUEST_METHOD");
  if (method == NULL || *method == '\0') {
    static const char usage[] =
        "cgi2scgi: a CGI program, for a web server to start: REQUEST_METHOD is not set\n"
        "usage: #!/path/of/cgi2scgi unix:/path/of/app.sock [--retry-for=ms] [--connect-timeout=ms]\n"
        "       [--first-byte-timeout=ms] [--idle-timeout=ms] [--pass=NAME,PREFIX_*]\n"
        "       [--start=/path/of/program]\n"
        "or the same in the variable SCGI_TO\n";
    write_all(STDERR_FILENO, usage, sizeof usage - 1);
    return USAGE_EXIT;
  }
  const char *content_length = getenv("CONTENT_LENGTH");
  if (content_length == NULL) content_length = "";
  body_to_read = awaited_input(content_length);
  read_settings(count, arguments);
  check_content_length(content_length);
  build_head();
  find_addresses();
  make_output_nonblocking();
  relay();
}
