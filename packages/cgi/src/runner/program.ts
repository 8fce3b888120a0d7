// A program that a request is for: which file, what it is to be called, and how to start it.

/** All texts are octets. */
export interface Program {
  /** Absolute path, free of links where the policy asks for it. */
  readonly file: string;
  /** SCRIPT_NAME: the path in the URL that leads to it, decoded. */
  readonly scriptName: string;
  /** PATH_INFO: what follows; empty for nothing. */
  readonly pathInfo: string;
  /** DOCUMENT_ROOT. */
  readonly documentRoot: string;
  /** Called in place of the file, which is its last argument. */
  readonly interpreter: readonly string[] | undefined;
}

/** A folder that has an index, asked for without the slash that the links of its page need. */
export const bareFolder = 'bare folder';

/** Finds the program of a request by what follows the mount point in its URL. */
export interface ProgramFinder {
  /**
   * Undefined where there is none.
   * @param scriptName the mount point, decoded
   * @param path what follows it, decoded; begins with a slash, or is empty
   * @param encodedPath the same as the client has sent it
   * @throws {ScgiError} ERR_SCGI_PROGRAM_FORBIDDEN for something that must not be run
   */
  find(scriptName: string, path: string, encodedPath: string): Program | typeof bareFolder | undefined;
}
