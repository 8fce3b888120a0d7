# Starts programs for the HelperLauncher: posix_spawn copies nothing of this process, so a start takes a fraction of the
# time that Node.js needs, and half of what a fork of Perl takes. Knows the frames of src/launcher/frames.ts, nothing of
# CGI. Python 3.8; Linux only, since who gives orders uses /proc.
#
# Orders come on standard input: a length of four octets, then texts with a NUL between them, which are
#   number, pipe for standard input (empty: none), for output, for errors, working directory, how many arguments with
#   argv[0], the file, which is argv[0], the other arguments, the variables as NAME=value.
# Reports go to standard output: what it is and two facts, four octets each.

import os
import select
import signal
import struct
import time

PIPE, STARTED, FAILED, EXITED = 1, 2, 3, 4
GROUP_LIVES = 1 << 16

# Pipes are made before they are needed, so that no order has to wait for an answer: who gives orders opens his ends as
# /proc/PID/fd/N.
PIPES = 64

# Between SIGTERM and SIGKILL to what runs on when Node.js has gone.
END_SECONDS = 2

ORDERS, REPORTS = 0, 1
REPORT = struct.Struct('>III')
LENGTH = struct.Struct('>I')

# What Python ignores. What is ignored stays so in a program, what is caught does not.
IGNORED = [signal.SIGPIPE, signal.SIGXFSZ]

# Without a descriptor to spare, pipes are looked for again so often.
RETRY_SECONDS = 0.05

null = os.open('/dev/null', os.O_RDWR)
pipes = {}  # the descriptor of the end to read: that of the end to write
programs = {}  # process: the number of its order
received = bytearray()
unreported = bytearray()


def report(*facts):
    unreported.extend(REPORT.pack(*facts))


def make_pipes():
    while len(pipes) < PIPES:
        try:
            read, write = os.pipe()
        except OSError:
            return  # No descriptor is free: one will be.
        pipes[read] = write
        report(PIPE, read, write)


def take_orders():
    """Returns false at the end."""
    data = os.read(ORDERS, 65536)
    received.extend(data)
    while len(received) >= 4:
        end = 4 + LENGTH.unpack_from(received)[0]
        if len(received) < end:
            break
        start(bytes(received[4:end]).split(b'\0'))
        del received[:end]
    return data != b''


def start(texts):
    number, stdin, stdout, stderr, folder, count = texts[:6]
    number, last = int(number), 6 + int(count)
    reads = [int(end) for end in (stdin, stdout, stderr) if end]
    streams = (
        (os.POSIX_SPAWN_DUP2, reads[0] if stdin else null, 0),
        (os.POSIX_SPAWN_DUP2, pipes[reads[-2]], 1),
        (os.POSIX_SPAWN_DUP2, pipes[reads[-1]], 2),
    )
    variables = dict(text.split(b'=', 1) for text in texts[last:])
    try:
        os.chdir(folder)
        process = os.posix_spawn(
            texts[6], texts[6:last], variables, file_actions=streams, setpgroup=0, setsigmask=(), setsigdef=IGNORED
        )
        programs[process] = number
        report(STARTED, number, process)
    except OSError as error:
        report(FAILED, number, error.errno)
    finally:
        # Nothing of the program's may stay open here: its output ends with the last process that holds it.
        for end in reads:
            os.close(end)
            os.close(pipes.pop(end))


def reap():
    while programs:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == 0:
            return
        # Whether it leaves others of its group behind, told while its number cannot have come to anybody else.
        report(EXITED, programs.pop(process), status | (GROUP_LIVES if signal_group(process, 0) else 0))


def signal_group(leader, number):
    try:
        os.killpg(leader, number)
        return True
    except OSError:
        return False


def send_reports():
    while unreported:
        del unreported[: os.write(REPORTS, unreported)]


def serve(wakeups):
    """Until Node.js has gone."""
    while True:
        reap()
        make_pipes()
        send_reports()
        readable = select.select([ORDERS, wakeups], [], [], RETRY_SECONDS if len(pipes) < PIPES else None)[0]
        if wakeups in readable:
            os.read(wakeups, 65536)
        if ORDERS in readable and not take_orders():
            return


def end_programs():
    """Those that run, with what they have forked. What a program that has ended left behind was meant to outlive it."""
    end = time.monotonic() + END_SECONDS
    for process in programs:
        signal_group(process, signal.SIGTERM)
    while programs and time.monotonic() < end:
        time.sleep(0.02)
        reap()
    for process in programs:
        signal_group(process, signal.SIGKILL)


def close_inherited():
    """What this process was given by mistake is not passed on: Node.js closes only what it has opened itself."""
    for name in os.listdir('/proc/self/fd'):
        descriptor = int(name)
        if descriptor > 2 and descriptor != null:
            try:
                os.close(descriptor)
            except OSError:
                pass  # That of the listing.


def main():
    close_inherited()
    wakeups, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        serve(wakeups)
    except BrokenPipeError:
        pass
    end_programs()


main()
