export type { Command, Launcher, LaunchHandler, RunningProgram } from './launcher/launcher.js';
