"""Runs a program in a terminal of 100 by 30 characters: keys come by standard input, the screen goes to standard output.

    python3 terminal.py program …arguments
"""
import fcntl
import os
import pty
import select
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
            os.write(1, os.read(screen, 65536))
        if 0 in ready:
            keys = os.read(0, 1024)
            if not keys:
                break
            os.write(screen, keys)
    except OSError:
        break  # The program has ended.
