import { createGeminiApp, GeminiResponse } from '@scgi/adapter-gemini';

/** A backend: it speaks SCGI, knows where it is mounted, and gets what the capsule shares as variables. */
export function createGuestbook() {
  const entries = [];

  return createGeminiApp()
    .route('/', ({ env, scriptName }) => {
      const title = env?.APP_TITLE ?? 'Guestbook';
      return `# ${title}\n\n${entries.join('')}\n=> ${scriptName}/sign Sign the guestbook\n`;
    })
    .route('/sign', ({ input, certificate, scriptName }) => {
      if (input === undefined) return GeminiResponse.input('What would you like to say?');
      // One line that begins with a star: nobody writes links or headings into the page.
      const words = input.replace(/\s+/g, ' ').slice(0, 200);
      entries.push(`* ${certificate?.commonName ?? 'Anonymous'}: ${words}\n`);
      return GeminiResponse.redirect(`${scriptName}/`);
    });
}
