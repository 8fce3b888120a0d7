import { createGeminiApp, GeminiResponse } from '@scgi/adapter-gemini';

const home = `# A capsule

=> /time What time is it?
=> /private For those who show a certificate
=> /guestbook/ The guestbook, an SCGI backend
`;

export function createCapsule(guestbook) {
  const app = createGeminiApp();
  app.state.title = 'Guests of this capsule';

  app.use(async (request, next) => {
    const response = await next();
    console.log(`${response.status} ${request.path}`);
    return response;
  });

  app.route('/', () => home);
  app.route('/time', () => `# ${new Date().toISOString()}\n`);
  app.route('/private', ({ certificate }) => {
    if (certificate === undefined) return GeminiResponse.certificateRequired('Show a certificate');
    const { commonName = 'stranger', fingerprint } = certificate;
    return `# Welcome, ${commonName}\n\nI shall know you again by ${fingerprint}.\n`;
  });
  app.scgi('/guestbook', guestbook, { appStateKeys: ['title'] });
  return app;
}
