"""Runs a program in a terminal of 100 by 30 characters: keys come by standard input, the screen goes to standard output.
Ends the program when there are no more keys.

    python3 terminal.py program …arguments
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

child, screen = pty.fork()
if child == 0:
    # The size must be there before the program looks.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    ready, _, _ = select.select([screen, 0], [], [])
    try:
        if screen in ready:
            shown = os.read(screen, 65536)
            os.write(1, shown)
            # Some ask the terminal where the cursor is, and wait for the answer.
            if b"\x1b[6n" in shown:
                os.write(screen, b"\x1b[1;1R")
        if 0 in ready:
            keys = os.read(0, 1024)
            if not keys:
                break
            os.write(screen, keys)
    except OSError:
        break  # The program has ended.
os.close(screen)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
