// Answers while it reads: every octet of the input goes out again at once, turned by 13 places.

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char text[4096];
  ssize_t length;
  puts("Content-Type: text/plain\n");
  fflush(stdout);
  while ((length = read(0, text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < length; i++) {
      int base = isupper((unsigned char)text[i]) ? 'A' : 'a';
      if (isalpha((unsigned char)text[i])) text[i] = (char)((text[i] - base + 13) % 26 + base);
    }
    for (ssize_t done = 0; done < length;) {
      ssize_t taken = write(1, text + done, (size_t)(length - done));
      if (taken < 0) return 1;
      done += taken;
    }
  }
  return 0;
}
