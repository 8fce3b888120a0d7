/** Where package.json and the scripts lie that are not JavaScript: above `src`, and above `dist`. */
export const packageFolder: URL = new URL('../', import.meta.url);
