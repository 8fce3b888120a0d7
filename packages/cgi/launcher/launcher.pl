# Starts programs for the HelperLauncher: a process this small forks in a fraction of the time that Node.js needs.
# Knows the frames of src/launcher/frames.ts, nothing of CGI. Linux only; no modules but these, since every page that a
# module brings is one more to fork: POSIX alone makes a start dearer by more than a tenth.
#
# Orders come on standard input: a length of four octets, then texts with a NUL between them, which are
#   number, pipe for standard input (empty: none), for output, for errors, working directory, how many arguments with
#   argv[0], the file, which is argv[0], the other arguments, the variables as NAME=value.
# Reports go to standard output: what it is and two facts, four octets each.

use strict;
use warnings;
use Config;

use constant { PIPE => 1, STARTED => 2, FAILED => 3, EXITED => 4 };
use constant GROUP_LIVES => 1 << 16;

# Pipes are made before they are needed, so that no order has to wait for an answer: who gives orders opens his ends as
# /proc/PID/fd/N. Their number bounds how many programs are between fork and exec.
use constant PIPES => 64;

# A signal that comes after the look at the children and before select waits does not end that wait. This does.
use constant LOOK_AGAIN_SECONDS => 0.05;

# Between SIGTERM and SIGKILL to what runs on when Node.js has gone.
use constant END_SECONDS => 2;

# Linux has the same numbers everywhere; the modules that name them are large.
use constant { EINTR => 4, WNOHANG => 1, O_CLOEXEC => 02000000 };

# System calls by number, which differ between architectures. Perl's own exec is execvp, which has /bin/sh run what the
# system does not take for executable, and needs all of %ENV set; its file handles take more time than fork itself.
my %calls = (
    x86_64  => { execve => 59,  pipe2 => 293, dup3 => 292, close => 3,  read => 0,  write => 1 },
    generic => { execve => 221, pipe2 => 59,  dup3 => 24,  close => 57, read => 63, write => 64 },
);
my $calls =
    $Config{archname} =~ /^x86_64-linux(?!.*x32)/                    ? $calls{x86_64}
  : $Config{archname} =~ /^(?:aarch64|riscv64|loongarch64)-linux/ ? $calls{generic}
  :                                                                   exit 1;

close_inherited();

# Programs get their streams as the parent's descriptors 0 to 2, so the way to Node.js moves away from there.
open my $orders,  '<&', \*STDIN     or exit 1;
open my $reports, '>&', \*STDOUT    or exit 1;
open my $null,    '+<', '/dev/null' or exit 1;
my ( $orders_end, $null_end ) = ( fileno $orders, fileno $null );
my %pipes;       # descriptor of the end to read => of the end to write
my $missing = PIPES;
my %programs;    # process => number of its order
my %starting;    # process => a pipe that ends with its exec, or brings an errno; and how many pipes it took
my $received   = '';
my $unreported = '';
my $pair       = "\0" x 8;
my $patience;

# What is ignored stays so in a program, what is caught does not. Perl ignores SIGFPE.
$SIG{FPE}  = 'DEFAULT';
$SIG{PIPE} = sub { };
$SIG{CHLD} = sub { $patience = 0 };

set_streams( $null_end, $null_end, $null_end ) or exit 1;
make_pipes();
exit 1 if !%pipes;
serve();
end_programs();

# Until Node.js has gone.
sub serve {
    while (1) {
        # Before the look at the children: a child that ends later sets this to 0.
        $patience = %programs || $missing ? LOOK_AGAIN_SECONDS : undef;
        reap();
        make_pipes();
        send_reports() or return;
        my $readable = '';
        vec( $readable, $_, 1 ) = 1 for $orders_end, map { $_->[0] } values %starting;
        next if select( $readable, undef, undef, $patience ) < 1;
        for my $process ( keys %starting ) {
            settle($process) if vec $readable, $starting{$process}[0], 1;
        }
        if ( vec $readable, $orders_end, 1 ) { take_orders() or return }
    }
}

sub make_pipes {
    while ( $missing > 0 ) {
        my ( $read, $write ) = make_pipe() or return;    # No descriptor is free: one will be.
        $pipes{$read} = $write;
        report( PIPE, $read, $write );
        $missing--;
    }
}

# Returns false at the end.
sub take_orders {
    my $count = sysread $orders, $received, 65_536, length $received;
    return $! == EINTR if !defined $count;
    while ( length $received >= 4 ) {
        my $length = unpack 'N', $received;
        last if length $received < 4 + $length;
        start( split /\0/, substr( $received, 4, $length ), -1 );
        substr $received, 0, 4 + $length, '';
    }
    return $count > 0;
}

sub start {
    my ( $number, $input, $output, $errors, $folder, $count, @texts ) = @_;
    my @used      = grep { $_ ne '' } $input, $output, $errors;
    my $input_end = $input eq '' ? $null_end : $input + 0;
    my $file      = $texts[0];
    my $arguments = pack 'p*', @texts[ 0 .. $count - 1 ], undef;
    my $variables = pack 'p*', @texts[ $count .. $#texts ], undef;
    my ( $process, $news, $report );
    my $is_ready = set_streams( $input_end, $pipes{$output}, $pipes{$errors} ) && chdir $folder;
    my $errno    = $! + 0;
    for my $end (@used) { close_end( $end + 0 ); close_end( delete $pipes{$end} ) }
    if ($is_ready) {
        # The pipes above have made room for this one.
        ( $news, $report ) = make_pipe();
        $process = fork if defined $news;
        $errno   = $! + 0;
    }
    if ( defined $process && $process == 0 ) {
        setpgrp 0, 0;
        syscall $calls->{execve}, $file, $arguments, $variables;
        my $word = pack 'N', $!;
        syscall $calls->{write}, $report, $word, 4;
        kill 'KILL', $$;
    }

    # Nothing of the program's may stay open here: its output ends with the last process that holds it.
    set_streams( $null_end, $null_end, $null_end );
    chdir '/';
    close_end($report) if defined $report;
    if ( defined $process ) {
        $programs{$process} = $number;
        $starting{$process} = [ $news, scalar @used ];
        return;
    }
    close_end($news) if defined $news;
    report( FAILED, $number, $errno );
    $missing += @used;
}

# Whether the program has come to be: its exec has closed the pipe, or sent word by it.
sub settle {
    my ($process) = @_;
    my ( $news, $pipes ) = @{ delete $starting{$process} };
    my $errno = "\0" x 4;
    1 while syscall( $calls->{read}, $news, $errno, 4 ) < 0 && $! == EINTR;
    close_end($news);
    $errno = unpack 'N', $errno;
    if   ( $errno == 0 ) { report( STARTED, $programs{$process}, $process ) }
    else                 { report( FAILED,  delete $programs{$process}, $errno ) }
    $missing += $pipes;
}

sub reap {
    while ( ( my $process = waitpid -1, WNOHANG ) > 0 ) {
        my $status = $?;
        settle($process) if exists $starting{$process};
        my $number = delete $programs{$process};
        # Whether it leaves others of its group behind, told while its number cannot have come to anybody else.
        report( EXITED, $number, $status | ( kill( 0, -$process ) ? GROUP_LIVES : 0 ) ) if defined $number;
    }
}

sub report { $unreported .= pack 'NNN', @_ }

# Returns false when nobody reads any more.
sub send_reports {
    while ( $unreported ne '' ) {
        my $count = syswrite $reports, $unreported;
        if ( defined $count ) { substr $unreported, 0, $count, '' }
        elsif ( $! != EINTR ) { return 0 }
    }
    return 1;
}

# Puts descriptors in the place of standard input, output and errors. Nothing else is inherited.
sub set_streams {
    for my $place ( 0 .. 2 ) { return 0 if syscall( $calls->{dup3}, $_[$place], $place, 0 ) < 0 }
    return 1;
}

# Returns the end to read and the end to write; nothing if there is no room.
sub make_pipe {
    return if syscall( $calls->{pipe2}, $pair, O_CLOEXEC ) < 0;
    return unpack 'l2', $pair;
}

sub close_end { syscall $calls->{close}, $_[0] }

# Those that run, with what they have forked. What a program that has ended left behind was meant to outlive it.
sub end_programs {
    my $end = time + END_SECONDS;
    signal_programs('TERM');
    while ( %programs && time <= $end ) {
        select undef, undef, undef, 0.02;
        reap();
    }
    signal_programs('KILL');
}

# A process that has not come as far as its exec leads no group yet.
sub signal_programs {
    my ($signal) = @_;
    kill $signal, exists $starting{$_} ? ( -$_, $_ ) : -$_ for keys %programs;
}

# What this process was given by mistake is not passed on: Node.js closes only what it has opened itself.
sub close_inherited {
    opendir my $folder, '/proc/self/fd' or return;
    my @descriptors = grep { /^\d+$/ && $_ > 2 } readdir $folder;
    closedir $folder;
    for (@descriptors) {
        open my $handle, '<&=', $_ or next;
        close $handle;
    }
}
