// Prints how it was called, octet by octet: its folder, arguments, environment and input. Each record ends with a NUL.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

static void print(const char *name, const char *value) {
  fputs(name, stdout);
  fputs(value, stdout);
  putchar('\0');
}

int main(int argc, char **argv) {
  static char folder[4096], input[4 << 20];
  // All of it before a word is said: Apache sends the whole input before it reads.
  size_t length = fread(input, 1, sizeof input, stdin);
  // An answer to HEAD has a head only, so what matters most is in there.
  printf("Content-Type: application/x-probe\r\nX-Arguments: %d\r\n\r\n", argc);
  print("folder ", getcwd(folder, sizeof folder));
  for (int i = 0; i < argc; i++) print("argument ", argv[i]);
  for (char **variable = environ; *variable; variable++) print("variable ", *variable);
  print("input", "");
  fwrite(input, 1, length, stdout);
  return EXIT_SUCCESS;
}
