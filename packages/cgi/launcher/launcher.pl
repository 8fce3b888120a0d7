# Starts programs for the PerlLauncher: a process this small forks in a fraction of the time that Node.js needs.
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
use constant { EINTR => 4, WNOHANG => 1 };

# Perl's own exec is execvp, which has /bin/sh run what the system does not take for executable, and sets all of %ENV.
my @execve = (
    [ qr/^x86_64-linux(?!.*x32)/, 59 ],
    [ qr/^(?:aarch64|riscv64|loongarch64)-linux/, 221 ],
    [ qr/^(?:i[3-6]86|arm[^-]*|s390x|p(?:ower)?pc64(?:le|el)?)-linux/, 11 ],
);
my ($execve) = map { $_->[1] } grep { $Config{archname} =~ $_->[0] } @execve;
exit 1 if !defined $execve || !knows_execve();

close_inherited();

# Programs get their streams as the parent's descriptors 0 to 2, so the way to Node.js moves away from there.
open my $orders,  '<&', \*STDIN      or exit 1;
open my $reports, '>&', \*STDOUT     or exit 1;
open my $null,    '+<', '/dev/null'  or exit 1;
my %pipes;       # by the descriptor of the end to read: both ends
my $missing = PIPES;
my %programs;    # by process: the number of its order
my %starting;    # by process: a pipe that ends with its exec, or brings an errno
my $received   = '';
my $unreported = '';
my $patience;

# What is ignored stays so in a program, what is caught does not. Perl ignores SIGFPE.
$SIG{FPE}  = 'DEFAULT';
$SIG{PIPE} = sub { };
$SIG{CHLD} = sub { $patience = 0 };

reset_streams();
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
        vec( $readable, fileno $_, 1 ) = 1 for $orders, map { $_->[0] } values %starting;
        next if select( $readable, undef, undef, $patience ) < 1;
        for my $process ( keys %starting ) {
            settle($process) if vec $readable, fileno $starting{$process}[0], 1;
        }
        if ( vec $readable, fileno $orders, 1 ) { take_orders() or return }
    }
}

sub make_pipes {
    while ( $missing > 0 ) {
        pipe my $read, my $write or return;    # No descriptor is free: one will be.
        $pipes{ fileno $read } = [ $read, $write ];
        report( PIPE, fileno $read, fileno $write );
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
    my @ends       = map { delete $pipes{$_} } grep { $_ ne '' } $input, $output, $errors;
    my $input_end  = $input eq '' ? $null : $ends[0][0];
    my $output_end = $ends[-2][1];
    my $errors_end = $ends[-1][1];
    my $file       = $texts[0];
    my $arguments  = pack 'p*', @texts[ 0 .. $count - 1 ], undef;
    my $variables  = pack 'p*', @texts[ $count .. $#texts ], undef;
    my ( $process, $news, $report );
    if (   open( STDIN, '<&', $input_end )
        && open( STDOUT, '>&', $output_end )
        && open( STDERR, '>&', $errors_end )
        && chdir $folder
        && pipe $news, $report )
    {
        $process = fork;
    }
    if ( defined $process && $process == 0 ) {
        setpgrp 0, 0;
        syscall $execve, $file, $arguments, $variables;
        syswrite $report, pack 'N', $!;
        kill 'KILL', $$;
    }
    my $errno = $! + 0;

    # Nothing of the program's may stay open here: its output ends with the last process that holds it.
    reset_streams();
    chdir '/';
    if ( defined $process ) {
        $programs{$process} = $number;
        $starting{$process} = [ $news, scalar @ends ];
        return;
    }
    report( FAILED, $number, $errno );
    $missing += @ends;
}

# Whether the program has come to be: its exec has closed the pipe, or sent word by it.
sub settle {
    my ($process) = @_;
    my ( $news, $pipes ) = @{ delete $starting{$process} };
    my $errno = '';
    1 while !defined sysread( $news, $errno, 4 ) && $! == EINTR;
    if ( $errno eq '' ) { report( STARTED, $programs{$process}, $process ) }
    else                { report( FAILED, delete $programs{$process}, unpack 'N', $errno ) }
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

sub reset_streams {
    open STDIN,  '<&', $null or exit 1;
    open STDOUT, '>&', $null or exit 1;
    open STDERR, '>&', $null or exit 1;
}

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

# Whether this is the number of execve: without a file to run it says ENOENT.
sub knows_execve {
    my ( $file, $none ) = ( '', pack 'p', undef );
    return syscall( $execve, $file, $none, $none ) == -1 && $! == 2;
}
