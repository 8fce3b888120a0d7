// Brings the panels to life. Each module knows one panel; all addresses are relative to the page.
import './errors.js';
import './feed.js';
import './notes.js';
import './range.js';
import './spoof.js';
import './upload.js';
