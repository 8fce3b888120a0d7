#!/usr/bin/perl
# cgi2scgi: a CGI program that hands its request to a long-running SCGI server and copies the answer back, for hosts that
# offer nothing but CGI. One process, one request; of a body it holds 64 KiB each way. Perl 5.14 and its core modules.
#
# Usage, options and limits are in the README of @scgi/cgi. The same program is there for Node.js (src/cgi2scgi) and in C
# (cgi2scgi.c), which starts faster; one table of tests holds the three to the same behaviour.
use 5.014;
use strict;
use Errno ();
use Fcntl ();

use constant {
  BLOCK_BYTES      => 65536,
  MAX_HEAD_BYTES   => 65536,    # as lighttpd
  MAX_LENGTH       => 9007199254740991,    # 2**53 - 1, as the rest of the suite
  MAX_TIME_MS      => 2147483647,
  FIRST_PAUSE      => 0.025,
  LONGEST_PAUSE    => 1,
  CLOSE_TIMEOUT    => 2,      # closing earlier would look to the server like a client that left
  DISCARD_TIMEOUT  => 300,    # as requestTimeout of @scgi/core
};

# ---- What is configured. Times in milliseconds, 0 for none. ----

my %times = ('retry-for' => 10000, 'connect-timeout' => 5000, 'first-byte-timeout' => 60000, 'idle-timeout' => 60000);
my ($target, $path, $host, $port);
my @pass;
my $start;    # a program that starts the server

# ---- The state of the one request ----

my $method = $ENV{REQUEST_METHOD} // '';
my $body_to_read = 0;     # bytes of the body that standard input still owes
my $body_touched = 0;     # some of it was read: the request cannot be sent again
my ($up, $down) = ('', '');    # of the body, on its way to the server; of the answer, on its way to the web server
my ($answer_head, $skipped_head_bytes, $head_complete) = ('', 0, 0);
my $answer_left = 0;      # bytes of the answer's body; undef: up to the end of the connection

# A socket must not get the number of a standard stream that is closed.
my @standard_streams;
while (open my $null, '+<', '/dev/null') {
  last if fileno $null > 2;
  push @standard_streams, $null;
}

my $input_is_socket = -S STDIN;
# A pipe whose reader has gone shows as readable. Sockets do not tell.
my $watch_output = -p STDOUT;

# Debian's perl-base does without the one, and the other takes longer to load.
my $has_clock = eval { require Time::HiRes; Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) };
my $ticks_per_second = $has_clock ? undef : eval { require POSIX; POSIX::sysconf(POSIX::_SC_CLK_TCK()) };

sub now {
  return $has_clock ? Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) : (POSIX::times())[0] / $ticks_per_second;
}

# ---- Failing ----

my %phrases = (
  400 => 'Bad Request', 408 => 'Request Timeout', 411 => 'Length Required', 500 => 'Internal Server Error',
  502 => 'Bad Gateway', 503 => 'Service Unavailable', 504 => 'Gateway Timeout',
);

sub write_all {
  my ($handle, $bytes) = @_;
  while (length $bytes) {
    my $written = syswrite $handle, $bytes;
    if (defined $written) { substr($bytes, 0, $written) = '' }
    elsif (!$!{EINTR}) { return }    # Nobody is there to be told.
  }
}

# Apache's mod_cgid gives one socket for standard input and output. Closed with unread input it is reset, and Apache
# drops the answer that lies in it; so the rest of the body is read and thrown away. Pipes have no such trouble.
sub discard_body {
  return unless $input_is_socket && $body_to_read > 0;
  my $end = now() + DISCARD_TIMEOUT;
  while ($body_to_read > 0) {
    my $left = $end - now();
    $left = $times{'idle-timeout'} / 1000 if $times{'idle-timeout'} && $times{'idle-timeout'} / 1000 < $left;
    return if $left <= 0 || !wait_for(fileno STDIN, 0, $left);
    my $count = sysread STDIN, my $rest, $body_to_read < BLOCK_BYTES ? $body_to_read : BLOCK_BYTES;
    return if defined $count ? $count == 0 : !$!{EAGAIN} && !$!{EINTR};
    $body_to_read -= $count // 0;
  }
}

# No more will be written. The web server need not wait for our own end.
sub end_output {
  shutdown STDOUT, 1;
  $watch_output = 0;
  close STDOUT;
}

# The web server gets the status and its phrase; the reason is for the log.
sub fail {
  my ($status, $code, $message) = @_;
  my $line = "cgi2scgi: $code: $message";
  $line =~ s/[\0-\x1f\x7f]/?/g;    # Nothing in it may begin another.
  write_all(\*STDERR, "$line\n");
  # Once a head has gone out there is no other way to say it.
  if (!$head_complete) {
    my $body = "$status $phrases{$status}\n";
    my $answer = "Status: $status $phrases{$status}\r\nContent-Type: text/plain\r\nContent-Length: " . length($body) . "\r\n\r\n";
    write_all(\*STDOUT, $answer . ($method eq 'HEAD' ? '' : $body));
    end_output();
    discard_body();
  }
  exit 1;
}

sub refuse_option {
  my ($kind, $value, $problem) = @_;
  fail(500, 'ERR_SCGI_OPTION', "an option has an impossible value ($kind \"$value\", problem \"$problem\")");
}

sub error_name {
  my ($error) = @_;
  for my $name (qw(EACCES EADDRNOTAVAIL EAGAIN ECONNABORTED ECONNREFUSED ECONNRESET EHOSTUNREACH ELOOP EMFILE ENAMETOOLONG
    ENETUNREACH ENFILE ENOBUFS ENOENT ENOMEM ENOTDIR ENOTSOCK EPERM EPIPE EPROTOTYPE ETIMEDOUT)) {
    my $number = Errno->can($name);
    return $name if $number && $error == $number->();
  }
  return "errno $error";
}

# ---- Settings ----

sub parse_target {
  my ($word) = @_;
  $target = $word;
  if ($word =~ /^unix:(.*)/s) {
    $path = $1;
    refuse_option('target', $word, 'the path is empty or holds a NUL') if $path eq '';
    refuse_option('target', $word, 'not a URL: write the path right after unix:') if $path =~ m{^//};
    # A longer one would be cut, and lead somewhere else.
    my $longest = $^O eq 'linux' ? 107 : 103;
    refuse_option('target', $word, 'the path is too long for a socket address') if length $path > $longest;
    return;
  }
  refuse_option('target', $word, 'a path needs unix: before it') if $word =~ m{^\.?/};
  refuse_option('target', $word, 'a target is not a URL') if index($word, '://') >= 0;
  ($host, $port) = $word =~ /^(.*):(.*?)$/s ? ($1, $2) : ('127.0.0.1', $word);
  refuse_option('target', $word, 'the port is not a number from 1 to 65535') unless $port =~ /^[1-9][0-9]{0,4}\z/ && $port <= 65535;
  if ($host =~ /^\[([0-9a-fA-F:.]*:[0-9a-fA-F:.]*)\]\z/) { $host = $1 }
  elsif ($host =~ /:/) { refuse_option('target', $word, 'an IPv6 address needs brackets') }
  elsif ($host !~ /^[A-Za-z0-9_.-]+\z/) { refuse_option('target', $word, 'the host is not a name or an address') }
  $target = "127.0.0.1:$port" if $word eq $port;
}

# `unix:/home/me/app.sock --retry-for=5000`: Linux passes all that stands behind the interpreter as one argument.
sub parse_settings {
  my ($line) = @_;
  for my $word (grep { $_ ne '' } split /[ \t\r\n]+/, $line) {
    if ($word !~ /^--/ && !defined $target) { parse_target($word) }
    elsif ($word =~ /^--pass=(.*)/s) {
      my $list = $1;
      refuse_option('option', $word, 'not a list of names') unless $list =~ /^[A-Za-z0-9_]+\*?(?:,[A-Za-z0-9_]+\*?)*\z/;
      @pass = split /,/, $list;
    } elsif ($word =~ /^--start=(.*)/s) {
      $start = $1;
      refuse_option('option', $word, 'not an absolute path') unless $start =~ m{^/};
    } elsif ($word =~ /^--([a-z-]+)=(.*)\z/s && exists $times{$1}) {
      my ($name, $value) = ($1, $2);
      refuse_option('option', $word, 'not a number of milliseconds') unless $value =~ /^[0-9]{1,10}\z/ && $value <= MAX_TIME_MS;
      $times{$name} = $value + 0;
    } else { refuse_option('option', $word, 'there is no such option') }
  }
}

# RFC 3875 §4.4: a query without "=" is cut at each "+" and becomes arguments, so a client could say where to connect
# (php-cgi was taken over that way, CVE-2012-1823). They stand behind all others: if the first argument is the first word
# of the query, there are no others. Apache puts backslashes before some characters; they do not count here.
sub is_from_query {
  my ($argument, $query) = @_;
  return 0 if $query eq '' || index($query, '=') >= 0;
  my ($word) = $query =~ /^([^+]*)/;
  $word =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
  $word =~ s/\0.*//s;
  tr/\\//d for $word, $argument;
  return $word eq $argument;
}

# From the web server's configuration, else from the `#!` line. None of it can be a client's.
sub read_settings {
  my $configured = $ENV{SCGI_TO} // '';
  if ($configured ne '') { parse_settings($configured) }
  elsif (@ARGV && !is_from_query($ARGV[0], $ENV{QUERY_STRING} // '')) { parse_settings($ARGV[0]) }
  refuse_option('option', 'SCGI_TO', 'nothing says where the SCGI server is') unless defined $target;
}

# ---- The request ----

# What a request says: RFC 3875 §4.1 and what web servers add. The same list is in env/process-variables.ts of @scgi/core.
my %request_names = map { $_ => 1 } qw(
  AUTH_TYPE CONTENT_TYPE CONTEXT_DOCUMENT_ROOT CONTEXT_PREFIX DOCUMENT_ROOT DOCUMENT_URI GATEWAY_INTERFACE H2PUSH HTTP2 HTTPS
  PATH_INFO PATH_TRANSLATED QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_IDENT REMOTE_PORT REMOTE_USER REQUEST_METHOD
  REQUEST_SCHEME REQUEST_URI SCRIPT_FILENAME SCRIPT_NAME SCRIPT_URI SCRIPT_URL SERVER_ADDR SERVER_ADMIN SERVER_NAME
  SERVER_PORT SERVER_PROTOCOL SERVER_SIGNATURE SERVER_SOFTWARE UNIQUE_ID
);
# Fields; mod_http2; mod_ssl and mod_openssl. Not all of SSL_: OpenSSL itself is configured by SSL_CERT_FILE.
my $request_prefixes = qr/^(?:HTTP_|H2_|SSL_(?:CIPHER|CLIENT_|COMPRESS_|PROTOCOL|SECURE_RENEG|SERVER_|SESSION|SRP_USER|TLS_SNI|VERSION_))/;

sub is_passed {
  my ($name) = @_;
  (my $original = $name) =~ s/^(?:REDIRECT_)+//;
  return 0 if uc $original eq 'HTTP_PROXY';    # CVE-2016-5385 and its kin
  return 0 if uc $original eq 'CONTENT_LENGTH' || uc $original eq 'SCGI';    # said by ourselves
  return 1 if $request_names{$original} || $original =~ $request_prefixes;
  # Apache, once it has gone on to another request: why.
  return 1 if $original ne $name && $original =~ /^(?:ERROR_NOTES|HANDLER|STATUS|URI|URL)\z/;
  for my $pattern (@pass) {
    for my $form ($name, $original) {
      return 1 if $pattern =~ /^(.*)\*\z/ ? index($form, $1) == 0 : $form eq $pattern;
    }
  }
  return 0;
}

sub parse_length {
  my ($text) = @_;
  return undef unless $text =~ /^0*([0-9]{1,16})\z/ && $1 <= MAX_LENGTH;
  return $1 + 0;
}

# How much of standard input there may be: all, where nothing sensible says how much.
sub awaited_input {
  my ($text) = @_;
  return ($ENV{HTTP_TRANSFER_ENCODING} // '') eq '' ? 0 : MAX_LENGTH + 1 if $text eq '';
  return parse_length($text) // MAX_LENGTH + 1;
}

sub check_content_length {
  my ($text) = @_;
  return if $body_to_read <= MAX_LENGTH;
  # Apache passes a chunked body on without its length. Taking it for none would lose it without a word.
  fail(411, 'ERR_SCGI_LENGTH_REQUIRED', 'the request body has no length and is too large to hold back') if $text eq '';
  fail(400, 'ERR_SCGI_CONTENT_LENGTH', 'CONTENT_LENGTH is missing, malformed or contradictory');
}

sub build_head {
  my $payload = "CONTENT_LENGTH\0$body_to_read\0SCGI\x001\0";
  my %taken;
  for my $name (sort keys %ENV) {
    $payload .= "$name\0$ENV{$name}\0" if $name ne '' && is_passed($name) && !$taken{uc $name}++;
  }
  return length($payload) . ":$payload,";
}

# ---- Connecting ----

# Waits for one descriptor, and for the web server to leave. Returns false when the time is over.
sub wait_for {
  my ($descriptor, $for_writing, $timeout) = @_;
  my $end = defined $timeout ? now() + $timeout : undef;
  while (1) {
    my ($readable, $writable) = ('', '');
    vec($for_writing ? $writable : $readable, $descriptor, 1) = 1 if defined $descriptor;
    vec($readable, fileno STDOUT, 1) = 1 if $watch_output;
    my $count = select $readable, $writable, undef, defined $end ? ($end > now() ? $end - now() : 0) : undef;
    next if $count < 0;
    exit 1 if $watch_output && vec $readable, fileno STDOUT, 1;
    return $count > 0;
  }
}

# Loading Socket takes as long as all the rest. For a Unix socket Linux needs no more of it than these, except on MIPS.
my ($af_unix, $sock_stream) = (1, 1);

sub load_socket {
  require Socket;
  ($af_unix, $sock_stream) = (Socket::AF_UNIX(), Socket::SOCK_STREAM());
}

# A name is looked up by the C library, in its own time. The alarm ends it: at once, while %SIG would wait for it.
sub limit_lookup {
  require POSIX;
  my $give_up = sub {
    fail(504, 'ERR_SCGI_BACKEND_TIMEOUT', "the SCGI backend did not answer in time (backend \"$target\", awaited \"connect\")");
  };
  POSIX::sigaction(POSIX::SIGALRM(), POSIX::SigAction->new($give_up));
  alarm(int(($times{'connect-timeout'} + 999) / 1000));
}

sub find_addresses {
  return [$af_unix, pack 'S Z108', $af_unix, $path] if defined $path && $^O eq 'linux';
  load_socket();
  return [$af_unix, Socket::pack_sockaddr_un($path)] if defined $path;
  my ($failure, @found);
  for my $flags (Socket::AI_NUMERICHOST(), 0) {
    limit_lookup() if $flags == 0;
    ($failure, @found) = Socket::getaddrinfo($host, $port, {socktype => $sock_stream, flags => $flags | Socket::AI_NUMERICSERV()});
    last unless $failure;
  }
  alarm 0;
  return map { [$_->{family}, $_->{addr}] } @found unless $failure;
  my $reason = $failure == Socket::EAI_NONAME() ? 'ENOTFOUND' : $failure == Socket::EAI_AGAIN() ? 'EAI_AGAIN' : "$failure";
  fail(502, 'ERR_SCGI_BACKEND_UNREACHABLE', "no connection to the SCGI backend (backend \"$target\", reason \"$reason\")");
}

# Returns the socket, or undef with the reason in $!.
sub connect_once {
  my ($family, $address, $deadline) = @_;
  socket my $server, $family, $sock_stream, 0 or return undef;
  fcntl $server, Fcntl::F_SETFL(), fcntl($server, Fcntl::F_GETFL(), 0) | Fcntl::O_NONBLOCK();
  my $error = connect($server, $address) ? 0 : $! + 0;
  if ($error == Errno::EINPROGRESS() || $error == Errno::EINTR()) {
    my $left = defined $deadline ? ($deadline > now() ? $deadline - now() : 0) : undef;
    $error = wait_for(fileno $server, 1, $left)
      ? unpack('i', getsockopt $server, Socket::SOL_SOCKET(), Socket::SO_ERROR())
      : Errno::ETIMEDOUT();
  }
  if ($error) {
    close $server;
    $! = $error;
    return undef;
  }
  setsockopt $server, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1 if $family != $af_unix;
  return $server;
}

sub connect_to_server {
  my $deadline = $times{'connect-timeout'} ? now() + $times{'connect-timeout'} / 1000 : undef;
  for my $address (@_) {
    my $server = connect_once(@$address, $deadline);
    if (!defined $server && $!{EPROTOTYPE} && !$INC{'Socket.pm'}) {
      load_socket();
      $server = connect_once(@$address, $deadline);
    }
    return $server if defined $server;
  }
  return undef;
}

sub fail_to_connect {
  my ($error) = @_;
  my $facts = "(backend \"$target\", reason \"" . error_name($error) . '")';
  if ($error == Errno::ETIMEDOUT()) {
    fail(504, 'ERR_SCGI_BACKEND_TIMEOUT', "the SCGI backend did not answer in time (backend \"$target\", awaited \"connect\")");
  }
  # The queue of a Unix socket is full; or a limit of our own.
  if (grep { $error == $_ } Errno::EAGAIN(), Errno::EADDRNOTAVAIL(), Errno::EMFILE(), Errno::ENFILE(), Errno::ENOBUFS(), Errno::ENOMEM()) {
    fail(503, 'ERR_SCGI_BACKEND_BUSY', "no connection to the SCGI backend is free $facts");
  }
  fail(502, 'ERR_SCGI_BACKEND_UNREACHABLE', "no connection to the SCGI backend $facts");
}

# ---- The answer ----

sub fail_by_head { fail(502, 'ERR_SCGI_RESPONSE_HEAD', "the response head is malformed ($_[0])") }
sub fail_by_status { fail(502, 'ERR_SCGI_RESPONSE_STATUS', "the response status is not a number from 100 to 999$_[0]") }

sub take_status {
  my ($known, $text) = @_;
  fail_by_status('') unless $text =~ /^([1-9][0-9]{2})(?: |\z)/ && $text !~ /[\0-\x08\x0a-\x1f\x7f]/;
  my $status = $1;
  fail_by_status('') if defined $known && $known != $status;
  return $status;
}

# Reads a head that is all there, and puts it on its way out unless it is an interim one.
sub take_head {
  my ($head) = @_;
  my ($status, $length, $has_location, $is_http);
  my @lines = split /\r?\n/, $head;
  for my $index (0 .. $#lines) {
    my $line = $lines[$index];
    last if $line eq '';
    # RFC 3875 §5. nginx and lighttpd accept that of an SCGI server, Apache does not of a CGI program.
    if ($index == 0 && $line =~ m{^HTTP/}) {
      $line =~ s{^HTTP/1\.[0-9] +}{} or fail_by_status('');
      $line =~ s/ +\z//;
      $status = take_status($status, $line);
      $is_http = 1;
      next;
    }
    $line =~ /^([!#\$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*\z/s or fail_by_head('a line is no field');
    my ($name, $value) = (lc $1, $2);
    fail_by_head('a field has a control character') if $value =~ /[\0-\x08\x0a-\x1f\x7f]/;
    if ($name eq 'status') { $status = take_status($status, $value) }
    elsif ($name eq 'location') { $has_location = 1 }
    elsif ($name eq 'transfer-encoding') {
      fail(502, 'ERR_SCGI_RESPONSE_FRAMING', 'the response uses Transfer-Encoding, which CGI does not have');
    } elsif ($name eq 'content-length') {
      my $known = parse_length($value);
      if (!defined $known || (defined $length && $length != $known)) {
        fail(502, 'ERR_SCGI_RESPONSE_CONTENT_LENGTH', 'the response Content-Length is malformed or contradictory');
      }
      $length = $known;
    }
  }
  $status //= $has_location ? 302 : 200;
  fail_by_status(' (status 101)') if $status == 101;
  if ($status < 200) {
    $skipped_head_bytes += length $head;
    return;
  }
  $head_complete = 1;
  $answer_left = $method eq 'HEAD' || $status == 204 || $status == 304 ? 0 : $length;
  substr($head, 0, 9) = 'Status: ' if $is_http;
  $down .= $head;
}

sub take_answer {
  my ($bytes) = @_;
  if (!$head_complete) {
    $answer_head .= $bytes;
    while (!$head_complete) {
      my $end = $answer_head =~ /(?:^|\n)\r?\n/ ? $+[0] : undef;
      if ($skipped_head_bytes + ($end // length $answer_head) > MAX_HEAD_BYTES) {
        fail(502, 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE', 'the response head is larger than maxHeadBytes (maxHeadBytes ' . MAX_HEAD_BYTES . ')');
      }
      return unless defined $end;
      take_head(substr $answer_head, 0, $end, '');
    }
    ($bytes, $answer_head) = ($answer_head, '');
  }
  # A body longer than its Content-Length is cut there, as nginx and lighttpd do.
  $bytes = substr $bytes, 0, $answer_left if defined $answer_left && length $bytes > $answer_left;
  $answer_left -= length $bytes if defined $answer_left;
  $down .= $bytes;
}

# ---- The exchange ----

sub is_answer_whole { return $head_complete && defined $answer_left && $answer_left == 0 }

# Nobody can act on half a head. What may have been read is sent again only if that does no harm.
sub may_resend {
  my ($head_left) = @_;
  return $head_left > 0 || (!$body_touched && $method =~ /^(?:GET|HEAD|OPTIONS|TRACE)\z/);    # RFC 9110 §9.2.1
}

sub read_body {
  my $count = sysread STDIN, $up, $body_to_read < BLOCK_BYTES ? $body_to_read : BLOCK_BYTES;
  if ($count) {
    $body_touched = 1;
    $body_to_read -= $count;
  } elsif (defined $count || (!$!{EAGAIN} && !$!{EINTR})) {
    $body_to_read = 0;    # There is no more of it.
    fail(400, 'ERR_SCGI_PREMATURE_EOF', 'the peer closed the connection inside a request');
  }
}

# The answer is out.
sub finish {
  my ($server, $request_sent, $ended) = @_;
  my $end = now() + CLOSE_TIMEOUT;
  end_output();
  while ($request_sent && !$ended) {
    my $left = $end - now();
    last if $left <= 0 || !wait_for(fileno $server, 0, $left);
    my $count = sysread $server, my $rest, BLOCK_BYTES;
    last if defined $count ? $count == 0 : !$!{EAGAIN} && !$!{EINTR};
  }
  close $server;
  discard_body();
  exit 0;
}

sub fail_by_reset {
  my $reason = error_name($_[0]);
  fail(502, 'ERR_SCGI_BACKEND_RESET', "the SCGI backend broke the connection (backend \"$target\", reason \"$reason\")");
}

# The server ended the connection, and the answer is not known to be whole by its length.
sub check_end {
  my ($write_error) = @_;
  my $is_empty = !$head_complete && $answer_head eq '';
  if ($head_complete && $answer_left) {
    fail(502, 'ERR_SCGI_RESPONSE_TRUNCATED', "the response ended before its Content-Length (bytesMissing $answer_left)");
  }
  # The failed write has taken the error of the reset with it, and what the reset cut off now seems to end here.
  fail_by_reset($write_error) if $write_error;
  fail(502, 'ERR_SCGI_RESPONSE_EMPTY', 'the backend closed the connection without an answer') if $is_empty;
  fail_by_head('fault "ends inside the head"') unless $head_complete;
}

# Sends the request and copies the answer. Returns, with an error, only to be called again with a new connection.
sub exchange {
  my ($server, $head) = @_;
  my ($answered, $write_error, $ended) = (0, 0, 0);
  my $progress = now();
  # The head leaves with the first of the body, if that is there already: some servers read once.
  read_body() if $body_to_read > 0 && $up eq '' && wait_for(fileno STDIN, 0, 0);
  my ($unsent, $head_left) = ($head . $up, length $head);

  while (1) {
    my $request_sent = $unsent eq '' && $body_to_read == 0;
    finish($server, $request_sent, $ended) if $down eq '' && (is_answer_whole() || $ended);
    my $sending = !$write_error && !is_answer_whole() && !$ended;
    my $wants_body = $sending && $body_to_read > 0 && $unsent eq '';
    my $wants_send = $sending && $unsent ne '';
    my $wants_answer = $down eq '' && !$ended;

    my ($readable, $writable) = ('', '');
    vec($readable, fileno $server, 1) = 1 if $wants_answer;
    vec($writable, fileno $server, 1) = 1 if $wants_send;
    vec($readable, fileno STDIN, 1) = 1 if $wants_body;
    vec($readable, fileno STDOUT, 1) = 1 if $watch_output;
    vec($writable, fileno STDOUT, 1) = 1 if $down ne '';
    my $limit = $times{$answered || !$request_sent ? 'idle-timeout' : 'first-byte-timeout'};
    my $left = $progress + $limit / 1000 - now();
    my $count = select $readable, $writable, undef, $limit == 0 ? undef : $left > 0 ? $left : 0;
    next if $count < 0;
    if ($count == 0) {
      if ($down ne '' || $wants_body) {
        $body_to_read = 0;    # It was waited for long enough.
        fail(408, 'ERR_SCGI_IDLE_TIMEOUT', "the peer sent or took nothing for idleTimeout (idleTimeout $times{'idle-timeout'})");
      }
      my $awaited = $answered ? 'response' : 'first byte';
      fail(504, 'ERR_SCGI_BACKEND_TIMEOUT', "the SCGI backend did not answer in time (backend \"$target\", awaited \"$awaited\")");
    }

    exit 1 if $watch_output && vec $readable, fileno STDOUT, 1;
    if ($down ne '' && vec $writable, fileno STDOUT, 1) {
      my $written = syswrite STDOUT, $down;
      if ($written) { substr($down, 0, $written) = '' }
      elsif (!$!{EAGAIN} && !$!{EINTR}) { exit 1 }    # Nobody reads.
      $progress = now();
    }
    if ($wants_body && vec $readable, fileno STDIN, 1) {
      read_body();
      $unsent = $up;
      $progress = now();
    }
    if ($wants_answer && vec $readable, fileno $server, 1) {
      my $length = sysread $server, my $bytes, BLOCK_BYTES;
      my $error = $! + 0;
      if ($length) {
        $answered = 1;
        $progress = now();
        take_answer($bytes);
      } elsif (defined $length) {
        return Errno::ECONNRESET() if !$answered && may_resend($head_left) && ($head_left > 0 || $write_error);
        check_end($write_error);
        $ended = 1;
      } elsif ($error != Errno::EAGAIN() && $error != Errno::EINTR()) {
        return $error if !$answered && may_resend($head_left);
        fail_by_reset($error);
      }
    }
    if ($wants_send && !$ended && !is_answer_whole() && vec $writable, fileno $server, 1) {
      my $sent = syswrite $server, $unsent;
      if ($sent) {
        substr($unsent, 0, $sent) = '';
        $head_left -= $sent;
        $progress = now();
      } elsif (!$!{EAGAIN} && !$!{EINTR}) {
        # It may have answered all the same: that is worth more than what it did not read.
        $write_error = $! + 0;
      }
    }
  }
}

# Never returns. The server lives on when this process and its request are long gone, so it gets nothing of them: no pipe,
# for whose end the web server would wait, and no variable, which a client may have made.
sub become_server {
  require POSIX;
  my ($folder) = $start =~ m{^(.*/)}s;
  %ENV = (PATH => $ENV{PATH} // '/usr/local/bin:/usr/bin:/bin');
  $SIG{PIPE} = 'DEFAULT';
  POSIX::setsid();
  if (chdir $folder) {
    my $null = POSIX::open('/dev/null', POSIX::O_RDWR());
    defined $null && defined POSIX::dup2($null, $_) || POSIX::_exit(127) for 0 .. 2;
    no warnings 'exec';
    exec {$start} $start;
  }
  POSIX::_exit(127);
}

# Nobody listens: starts the server, if there is a way to, and if what was started last has ended.
my $started;

sub start_server {
  # WNOHANG, which is 1 everywhere; loading POSIX for it takes as long as all the rest.
  return if !defined $start || $started && waitpid($started, 1) == 0;
  refuse_option('option', "--start=$start", 'not an executable file') unless -f $start && -x _;
  # Without a process for it there is another attempt.
  $started = fork;
  become_server() if defined $started && $started == 0;
}

sub may_retry {
  my ($error) = @_;
  return grep { $error == $_ } Errno::ECONNREFUSED(), Errno::ENOENT(), Errno::EAGAIN(), Errno::ECONNRESET(), Errno::EPIPE();
}

# A server that restarts is away for a moment.
sub relay {
  my ($head, @addresses) = @_;
  my $give_up_at = now() + $times{'retry-for'} / 1000;
  for (my $pause = FIRST_PAUSE ; ; $pause = $pause * 2 < LONGEST_PAUSE ? $pause * 2 : LONGEST_PAUSE) {
    my $server = connect_to_server(@addresses);
    my $error = defined $server ? exchange($server, $head) : $! + 0;
    start_server() if !defined $server && ($error == Errno::ECONNREFUSED() || $error == Errno::ENOENT());
    my $left = $give_up_at - now();
    if (!may_retry($error) || $left <= 0) {
      fail_by_reset($error) if defined $server;
      fail_to_connect($error);
    }
    close $server if defined $server;
    wait_for(undef, 0, $left < $pause ? $left : $pause);
  }
}

if ($method eq '') {
  write_all(\*STDERR, <<'USAGE');
cgi2scgi: a CGI program, for a web server to start: REQUEST_METHOD is not set
usage: #!/path/of/cgi2scgi unix:/path/of/app.sock [--retry-for=ms] [--connect-timeout=ms]
       [--first-byte-timeout=ms] [--idle-timeout=ms] [--pass=NAME,PREFIX_*]
       [--start=/path/of/program]
or the same in the variable SCGI_TO
USAGE
  exit 2;
}
$SIG{PIPE} = 'IGNORE';
binmode STDIN;
binmode STDOUT;
my $content_length = $ENV{CONTENT_LENGTH} // '';
$body_to_read = awaited_input($content_length);
read_settings();
check_content_length($content_length);
my @addresses = find_addresses();
# Pipes and sockets only: they are ours alone, while a terminal or a file may be shared.
if (-p STDOUT || -S STDOUT) {
  fcntl STDOUT, Fcntl::F_SETFL(), fcntl(STDOUT, Fcntl::F_GETFL(), 0) | Fcntl::O_NONBLOCK();
}
relay(build_head(), @addresses);
