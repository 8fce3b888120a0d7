#!/usr/bin/perl -T
# A guestbook: GET shows the entries, POST adds one. Each is a line of the file: date, name and message, tabs between.
use strict; use warnings;
use Fcntl qw(:flock);

my ($file) = ($ENV{GUESTBOOK_FILE} // '') =~ m{\A(/[^\0-\x1f]+)\z} or die "GUESTBOOK_FILE is no absolute path\n";
my $character = qr/[ -\x{d7ff}\x{e000}-\x{fffc}\x{10000}-\x{10ffff}]/; # no line ends, no tabs
({ GET => \&show, HEAD => \&show, POST => \&sign }->{ $ENV{REQUEST_METHOD} } // \&refuse)->('405 Method Not Allowed');

sub show {
  my @entries = -e $file ? reverse read_lines($file) : ();
  splice @entries, 100 if @entries > 100;
  s/&/&amp;/g, s/</&lt;/g, s/>/&gt;/g, s{^(.*?)\t(.*?)\t(.*)$}{<dt>$2, $1</dt><dd>$3</dd>} for @entries;
  my $page = join '', read_lines('../page.html'); # a CGI program is started in its own folder
  $page =~ s/ *<!-- entries -->\n/join '', @entries/e;
  print "Content-Type: text/html; charset=utf-8\n\n$page";
}

sub sign {
  my ($length, %form) = ($ENV{CONTENT_LENGTH} || 0, name => '', message => '');
  return refuse('413 Payload Too Large') if $length > 16_384;
  return refuse('415 Unsupported Media Type') if ($ENV{CONTENT_TYPE} // '') !~ m{^application/x-www-form-urlencoded\b}i;
  read(STDIN, my $body, $length) == $length or die "the body is incomplete\n";
  for (grep { /=/ } split /&/, $body =~ tr/+/ /r) {
    my ($field, $value) = map { s/%([0-9a-f]{2})/chr hex $1/egi; utf8::decode($_) ? $_ : "\x{fffd}" } split /=/, $_, 2;
    $form{$field} = $value =~ s/[\p{Cc}\p{Z}]+/ /gr =~ s/^ | $//gr;
  }
  return refuse('400 Bad Request') if "$form{name}\t$form{message}" !~ /^$character{1,50}\t$character{1,1000}\z/;
  open my $out, '>>', $file or die "$file: $!\n";
  flock $out, LOCK_EX or die "$file: $!\n";
  return refuse('507 Insufficient Storage') if -s $out > 1_000_000;
  my ($day, $month, $year) = (gmtime)[3 .. 5];
  utf8::encode(my $entry = sprintf "%d-%02d-%02d\t%s\t%s\n", $year + 1900, $month + 1, $day, @form{qw(name message)});
  print {$out} $entry and close $out or die "$file: $!\n";
  print "Status: 303 See Other\nLocation: $ENV{SCRIPT_NAME}\n\n";
}
sub read_lines { my ($name) = @_; open my $in, '<', $name or die "$name: $!\n"; flock $in, LOCK_SH; return <$in> }
# Reads what is left: mod_cgid breaks off the answer of a program that does not.
sub refuse { 1 while read STDIN, $_, 8192; print "Status: @_\nAllow: GET, HEAD, POST\nContent-Type: text/plain\n\n@_\n" }
