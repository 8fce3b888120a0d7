// Refuses a Node.js that is too old, in words, before anything else can fail in a less clear way.
// Import it first. It must stay readable for old versions: no new syntax, no dependencies.

const minimum = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
  console.error(`Node.js ${minimum.join('.')} or newer is needed; this is ${process.versions.node}.`);
  console.error('Get a newer one from https://nodejs.org/ or with your version manager, then run the command again.');
  process.exit(1);
}
