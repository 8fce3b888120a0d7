// The smallest Fetch handler.

const init = { headers: { 'content-type': 'text/plain' } };

export const hello = () => new Response('Hello world\n', init);
