/** A folder of files that somebody else can open: a directory in Node, a picked folder or an archive in a browser. */
export interface Folder {
  /** For messages: the path or name that the user gave. */
  readonly name: string;
  /** Paths relative to the folder, with forward slashes. */
  listFiles(): Promise<readonly string[]>;
  /** Rejects when `path` is not one of `listFiles()`. */
  readFile(path: string): Promise<Uint8Array>;
}
