#!/usr/bin/perl -T
# A form of CGI.pm as they were written for twenty years: parameters, a file, cookies, links to itself.
use strict;
use warnings;
use CGI qw(-utf8);
use Digest::SHA qw(sha256_hex);

my $q = CGI->new;
binmode STDOUT, ':encoding(UTF-8)';
if ($q->param('go')) {
  print $q->redirect(-uri => $q->url(-relative => 1) . '?came=1', -cookie => $q->cookie(-name => 'gone', -value => 'yes'));
  exit;
}
my $count = ($q->cookie('count') // 0) + 1;
my $cookie = $q->cookie(-name => 'count', -value => $count, -path => '/');
print $q->header(-type => 'text/html', -charset => 'UTF-8', -cookie => $cookie);
print $q->start_html('Form');
print $q->p("count $count");
print $q->p('self ' . $q->escapeHTML($q->self_url));
print $q->p('path ' . $q->path_info);
print $q->p('host ' . $q->virtual_host . ' ' . $q->server_port . ' ' . ($q->https ? 'https' : 'http'));
print $q->p("name $_") for map { $q->escapeHTML($_) } $q->multi_param('name');
if (my $file = $q->upload('file')) {
  binmode $file;
  local $/;
  my $bytes = <$file>;
  print $q->p('file ' . length($bytes) . ' ' . sha256_hex($bytes) . ' ' . $q->uploadInfo($q->param('file'))->{'Content-Type'});
}
print $q->end_html;
